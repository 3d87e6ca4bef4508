"""The page draws what the reading window draws."""

import shutil
from dataclasses import asdict, replace

import numpy as np
import pytest
from page_browser import as_base64
from playwright.sync_api import Page
from scipy.ndimage import map_coordinates

from cowgan.turing.reading.manifest import Display
from napari_cowgan.reading.view import Frame, View
from napari_cowgan.viewer.display import display_order

DISPLAY = Display((12, 20, 24), (0.8, 0.5, 0.4), (0, 4095), 6)
FRAME = Frame(DISPLAY)
WIDTH, HEIGHT = 120, 104


@pytest.fixture(scope="module")
def voxels() -> np.ndarray:
    """Noise, so that every mirrored or transposed axis shows."""
    return np.random.default_rng(0).integers(0, 4096, DISPLAY.shape).astype(np.uint16)


def drawn(page: Page, voxels: np.ndarray, view: View) -> np.ndarray:
    """Return the grey levels that the page draws, shape (row, column)."""
    levels = page.evaluate(
        """async ({voxels, display, view, width, height}) => {
            const { Frame } = await import("/geometry.js");
            const { drawProjection, drawSlice } = await import("/raster.js");
            const bytes = Uint8Array.from(atob(voxels), (letter) => letter.charCodeAt(0));
            const frame = new Frame(display);
            const image = new ImageData(width, height);
            const draw = view.mip ? drawProjection : drawSlice;
            draw(image, new Uint16Array(bytes.buffer), frame, view,
                frame.pxPerMm(view, width, height));
            return Array.from(image.data.filter((_, place) => place % 4 === 0));
        }""",
        {
            "voxels": as_base64(voxels),
            "display": asdict(DISPLAY),
            "view": asdict(view),
            "width": WIDTH,
            "height": HEIGHT,
        },
    )
    return np.array(levels).reshape(HEIGHT, WIDTH)


def expected(voxels: np.ndarray, view: View) -> np.ndarray:
    """Return what the window's geometry makes of a view."""
    into, right, up = view.axes()
    scale = FRAME.px_per_mm(view, WIDTH, HEIGHT)
    down_px, right_px = np.indices((HEIGHT, WIDTH)) + 0.5
    at = (
        FRAME.centre(view)
        + (right_px - WIDTH / 2)[..., None] / scale * right
        - (down_px - HEIGHT / 2)[..., None] / scale * up
    )
    if not view.mip:
        at[..., 0] = (DISPLAY.shape[0] - 1 - view.slice) * FRAME.spacing[0]
        along = np.zeros(1)
    else:
        along = np.arange(-60, 61) * FRAME.spacing.min() / 2
    points = (at[..., None, :] + along[:, None] * into) / FRAME.spacing
    # World axes point against those of the array that a layer shows.
    shown = display_order(voxels)[::-1, ::-1, ::-1].astype(float)
    size = np.array(shown.shape)
    inside = ((points >= -0.5) & (points <= size - 0.5)).all(axis=-1)
    levels = map_coordinates(shown, np.moveaxis(points, -1, 0), order=1, mode="nearest")
    brightest = np.where(inside, levels, -np.inf).max(axis=-1)
    return np.clip((brightest - view.low) / (view.high - view.low) * 255, 0, 255)


def window(**changes: object) -> View:
    return replace(FRAME.start, **changes)


@pytest.mark.parametrize(
    "view",
    [
        window(),
        window(slice=0),
        window(slice=11, low=1000.0, high=2500.0),
        FRAME.zoomed(window(slice=3), 2.5, 1.5, -2),
        FRAME.panned(window(), -3, 4),
    ],
    ids=["initial", "lowest slice", "window", "zoom", "shift"],
)
def test_a_slice_has_the_window_s_axes_position_and_grey_levels(modules, voxels, view):
    np.testing.assert_allclose(drawn(modules, voxels, view), expected(voxels, view), atol=0.6)


@pytest.mark.parametrize(
    "view",
    [window(mip=True), window(mip=True).turned(70, 40), FRAME.zoomed(window(mip=True), 3, 2, 1)],
    ids=["from below", "turned", "zoom"],
)
def test_a_projection_has_the_window_s_axes_and_grey_levels(modules, voxels, view):
    np.testing.assert_allclose(drawn(modules, voxels, view), expected(voxels, view), atol=0.6)


def test_views_change_as_in_the_window(modules, voxels):
    """The same drags, notches and clicks lead to the same view and voxel."""
    view = window()
    steps = [
        ("scrolled", 3),
        ("windowed", 40, -30),
        ("zoomed", 1.7, 2.0, -1.5),
        ("panned", 1.2, -0.7),
        ("turned", 33, -21),
        ("turned", -150, 80),
    ]
    found = modules.evaluate(
        """async ({display, steps, voxels}) => {
            const { Frame } = await import("/geometry.js");
            const bytes = Uint8Array.from(atob(voxels), (letter) => letter.charCodeAt(0));
            const frame = new Frame(display);
            let view = frame.start();
            for (const [name, ...by] of steps) view = frame[name](view, ...by);
            return [false, true].map((mip) => {
                const seen = { ...view, mip };
                const voxel = frame.voxelAt(0.6, -0.4, seen, new Uint16Array(bytes.buffer));
                return [seen, frame.letters(seen), voxel, frame.onScreen([2, 3, 4], seen)];
            });
        }""",
        {"display": asdict(DISPLAY), "steps": steps, "voxels": as_base64(voxels)},
    )
    for name, *by in steps:
        view = view.turned(*by) if name == "turned" else getattr(FRAME, name)(view, *by)
    for mip, (seen, letters, voxel, on_screen) in zip((False, True), found, strict=True):
        wanted = replace(view, mip=mip)
        for name, value in asdict(wanted).items():
            assert seen[name] == pytest.approx(value), name
        assert tuple(letters) == FRAME.letters(wanted)
        assert tuple(voxel) == FRAME.voxel_at(0.6, -0.4, wanted, voxels)
        assert on_screen == pytest.approx(FRAME.on_screen((2, 3, 4), wanted))


@pytest.mark.parametrize(
    ("side", "letters"),
    [("axial", "RLAP"), ("coronal", "RLSI"), ("sagittal", "APSI")],
)
def test_the_three_sides_of_a_projection_stand_upright(modules, side, letters):
    """Left, right, top and bottom: from below, from the front and from the patient's left."""
    found = modules.evaluate(
        """async ({display, side}) => {
            const { Frame, SIDES } = await import("/geometry.js");
            const frame = new Frame(display);
            return frame.letters({ ...frame.start(), mip: true, ...SIDES[side] });
        }""",
        {"display": asdict(DISPLAY), "side": side},
    )
    assert "".join(found) == letters


@pytest.mark.slow
def test_the_picture_is_that_of_the_window(study, open_reader, tmp_path, qapp):
    """The first case, pixel by pixel, as napari's canvas draws it and as the browser does."""
    from reading_windows import State, go_to, open_window, picture, wait_for

    window = open_window(shutil.copytree(study.package_folder("sub-R01"), tmp_path / "package"))
    go_to(window, State.VIEWING)
    wait_for(lambda: picture(window).any())
    theirs = picture(window).astype(int)
    window.close()

    reader = open_reader("sub-R01").go_to_case(1)
    for _ in range(2):
        rows, columns = reader.picture().shape
        size = reader.page.viewport_size
        wider, higher = theirs.shape[1] - columns, theirs.shape[0] - rows
        reader.page.set_viewport_size(
            {"width": size["width"] + wider, "height": size["height"] + higher}
        )
        reader.page.wait_for_timeout(200)
    ours = reader.picture().astype(int)
    assert ours.shape == theirs.shape
    # Both place the image to half a pixel, of which there are forty in a voxel of noise.
    difference = np.abs(ours - theirs)
    assert np.percentile(difference, 99) <= 6
    assert difference.mean() < 1.5
