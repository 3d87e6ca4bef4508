from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cowgan.errors import CowganError
from cowgan.volume import Volume, default_affine, mip
from cowgan.volume.orthographic import MARGIN, Camera, mip_from

SHAPE, SPACING = (12, 30, 20), (1.0, 0.5, 0.8)

cameras = st.builds(
    Camera,
    st.floats(-360, 360),
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.floats(0.2, 5),
    st.tuples(*[st.floats(-5, 5)] * 3),
)


def volume_with(bright: tuple[int, int, int]) -> Volume:
    data = np.zeros(SHAPE, np.float32)
    data[bright] = 1
    return Volume(data, default_affine(SHAPE, SPACING))


def blob() -> Volume:
    from scipy.ndimage import gaussian_filter

    data = np.random.default_rng(3).random(SHAPE)
    data = gaussian_filter(data, 1.5)
    data = (data - data.min()) / np.ptp(data)
    return Volume(data.astype(np.float32), default_affine(SHAPE, SPACING))


def brightest(picture) -> tuple[int, int]:
    return np.unravel_index(picture.argmax(), picture.shape)


@pytest.mark.parametrize(
    ("plane", "pixel_mm"), [("axial", 0.5), ("coronal", 0.5), ("sagittal", 0.8)]
)
def test_anatomical_views_are_those_of_the_plain_projection(plane, pixel_mm):
    volume = blob()
    flat = mip(volume, plane, isotropic=True)
    # A picture whose pixels are those of the isotropic projection.
    side = max(np.array(SHAPE) * SPACING)
    pixels = round(side * MARGIN / pixel_mm)
    picture = mip_from(volume, Camera.of_plane(plane), (pixels, pixels))
    assert _agreement(picture, flat) > 0.8
    for mirrored in (flat[::-1], flat[:, ::-1]):
        assert _agreement(picture, mirrored) < 0.6


def _agreement(picture, flat) -> float:
    """Return the correlation inside the volume, whose edge fades into the background."""
    top, left = (np.array(picture.shape) - flat.shape) // 2
    middle = picture[top : top + flat.shape[0], left : left + flat.shape[1]]
    return np.corrcoef(middle[2:-2, 2:-2].ravel(), flat[2:-2, 2:-2].ravel())[0, 1]


def test_a_zoom_of_two_shows_half_and_the_centre_moves_the_picture():
    lit = (6, 22, 10)
    volume = volume_with(lit)
    pixels = 200
    pixel_mm = 16 * MARGIN / pixels
    from_left_mm = (lit[1] - (SHAPE[1] - 1) / 2) * SPACING[1]
    for zoom in (1.0, 2.0):
        column = brightest(mip_from(volume, Camera(zoom=zoom), (pixels, pixels)))[1]
        assert column == pytest.approx(99.5 + from_left_mm * zoom / pixel_mm, abs=2)
    centred = Camera(zoom=2.0, centre_mm=(from_left_mm, 0.0, 0.0))
    assert brightest(mip_from(volume, centred, (pixels, pixels)))[1] == pytest.approx(99.5, abs=2)


def test_the_roll_turns_the_picture_clockwise():
    volume = volume_with((6, 15, 19))  # in front, so at the top of an axial view
    row, column = brightest(mip_from(volume, Camera(), (100, 100)))
    assert row < 15
    assert abs(column - 50) < 5
    row, column = brightest(mip_from(volume, Camera(roll_deg=90), (100, 100)))
    assert column > 85
    assert abs(row - 50) < 5


def test_a_bright_voxel_is_found_from_every_side():
    volume = volume_with((6, 15, 10))
    for azimuth, elevation in product(range(0, 360, 45), range(-90, 91, 45)):
        picture = mip_from(volume, Camera(azimuth, elevation), (64, 64))
        assert picture.max() > 0.3
        assert np.hypot(*(np.array(brightest(picture)) - 32)) < 6


def test_a_wide_picture_shows_more_at_the_sides_only():
    square = mip_from(blob(), Camera(), (64, 64))
    wide = mip_from(blob(), Camera(), (64, 128))
    assert wide.shape == (64, 128)
    assert np.abs(wide[:, 32:96] - square).mean() < 0.01


@settings(deadline=None, max_examples=60)
@given(cameras)
def test_axes_of_the_picture_identify_the_camera(camera):
    again = Camera.from_axes(*camera.axes, camera.zoom, camera.centre_mm)
    np.testing.assert_allclose(again.axes, camera.axes, atol=1e-5)


@settings(deadline=None, max_examples=60)
@given(cameras, cameras, st.floats(0, 1))
def test_the_way_between_cameras_is_the_shortest_rotation(start, end, t):
    def angle(one: Camera, other: Camera) -> float:
        first, second = (np.array([*c.axes, np.cross(*c.axes)]) for c in (one, other))
        return np.degrees(np.arccos(np.clip((np.trace(first @ second.T) - 1) / 2, -1, 1)))

    between = start.towards(end, t)
    whole = angle(start, end)
    assert angle(start, between) == pytest.approx(t * whole, abs=0.05)
    assert angle(between, end) == pytest.approx((1 - t) * whole, abs=0.05)
    assert start.towards(end, 0.0) == start
    assert start.towards(end, 1.0) == end


def test_a_whole_turn_passes_all_four_sides():
    front = Camera.of_plane("coronal")
    seen = [front.towards(front, t, turns=1).azimuth_deg % 360 for t in (0, 0.25, 0.5, 0.75)]
    assert seen == pytest.approx([0, 90, 180, 270])
    assert front.towards(front, 0.25, turns=-1).azimuth_deg % 360 == pytest.approx(270)


@pytest.mark.parametrize("wrong", [{"zoom": 0.0}, {"zoom": 1e9}, {"roll_deg": float("nan")}])
def test_impossible_cameras_are_refused(wrong):
    with pytest.raises(CowganError):
        Camera(**wrong)
