"""Coloured markers appear on the correct side of the screen."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cowgan.volume import Plane, Volume, default_affine, write_nifti
from napari_cowgan.viewer.camera import look_from, show_slices
from napari_cowgan.viewer.display import volume_to_layer
from napari_cowgan.viewer.orientation_letters import edge_letters, show_orientation

SHAPE = (32, 48, 48)
# Centre of each marker in network order: superior, left and anterior have high indices.
MARKERS = {
    "red": (16, 40, 24),  # left
    "green": (16, 24, 40),  # anterior
    "blue": (28, 24, 24),  # superior
    "magenta": (16, 8, 24),  # right
}
LETTERS = {"red": "L", "green": "A", "blue": "S", "magenta": "R"}
CHANNELS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "magenta": (1, 0, 1)}


@pytest.fixture
def viewer(make_napari_viewer: Callable):
    viewer = make_napari_viewer(show=True)
    for colour, (z, x, y) in MARKERS.items():
        data = np.zeros(SHAPE, np.float32)
        data[z - 3 : z + 3, x - 3 : x + 3, y - 3 : y + 3] = 1
        marker = Volume(data, default_affine(SHAPE))
        array, options, _ = volume_to_layer(marker, colour)
        viewer.add_image(array, **options | {"colormap": colour, "blending": "additive"})
    viewer.window.resize(900, 700)
    return viewer


def positions(viewer) -> dict[str, np.ndarray]:
    """Return the (row, column) where each colour appears relative to the picture's centre."""
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(float)
    centre = (np.array(picture.shape[:2]) - 1) / 2
    found = {}
    for colour, channels in CHANNELS.items():
        bright = np.all((picture > 120) == np.array(channels, bool), axis=-1)
        if bright.any():
            found[colour] = np.argwhere(bright).mean(axis=0) - centre
    return found


def test_axial_slice_is_radiological(viewer):
    viewer.dims.ndisplay = 2
    viewer.dims.order = (0, 1, 2)
    viewer.dims.set_point(0, 15 * 0.62)
    viewer.fit_to_view()
    seen = positions(viewer)
    assert seen["red"][1] > 20
    assert seen["magenta"][1] < -20
    assert seen["green"][0] < -20
    assert abs(seen["green"][1]) < 10


def test_default_3d_view_is_from_below_with_the_patients_left_on_the_right(viewer):
    viewer.dims.ndisplay = 3
    viewer.fit_to_view()
    seen = positions(viewer)
    assert seen["red"][1] > 20
    assert seen["magenta"][1] < -20
    assert seen["green"][0] < -20
    # Seen from below, the superior marker is in the middle and farther away.
    assert abs(seen["blue"]).max() < 10


def test_frontal_3d_view_has_superior_up_and_the_patients_left_on_the_right(viewer):
    viewer.dims.ndisplay = 3
    viewer.fit_to_view()
    # World axes point inferior, posterior, left: look from anterior towards posterior.
    viewer.scene.camera.set_view_direction(view_direction=(0, 1, 0), up_direction=(-1, 0, 0))
    seen = positions(viewer)
    assert seen["blue"][0] < -20
    assert seen["red"][1] > 20
    assert seen["magenta"][1] < -20
    assert abs(seen["green"]).max() < 10


def assert_letters_are_true(viewer) -> int:
    """Compare letters with markers; return how many letters had a marker beside them."""
    letters, compared = edge_letters(viewer), 0
    for colour, (down, right) in positions(viewer).items():
        for edge, distance in {
            "left": -right,
            "right": right,
            "top": -down,
            "bottom": down,
        }.items():
            if LETTERS[colour] in letters[edge]:
                assert distance > 5, (colour, edge)
                compared += 1
    return compared


def test_letters_name_the_sides_in_slices_and_in_3d(viewer):
    views: dict[Plane, str] = {"axial": "RLAP", "coronal": "RLSI", "sagittal": "APSI"}
    for view, letters in views.items():
        middle = [layer_range.stop / 2 for layer_range in viewer.dims.range]
        viewer.dims.set_point((0, 1, 2), middle)
        show_slices(viewer, view)
        assert "".join(edge_letters(viewer).values()) == letters
        assert assert_letters_are_true(viewer) >= 2
        look_from(viewer, view)
        assert "".join(edge_letters(viewer).values()) == letters
        assert assert_letters_are_true(viewer) >= 2


def test_letters_follow_the_camera(viewer):
    viewer.dims.ndisplay = 3
    viewer.fit_to_view()
    for angles in ((20, 0, 0), (0, 50, 0), (30, -40, 70), (180, 60, 100)):
        viewer.scene.camera.angles = angles
        assert assert_letters_are_true(viewer) >= 3


def test_letters_are_shown_while_the_orientation_is_certain(viewer):
    def shown() -> dict[str, str]:
        overlays = viewer.canvas.overlays
        return {
            edge: overlays[f"cowgan_{edge}_letter"].text
            for edge in ("left", "right", "top", "bottom")
            if overlays[f"cowgan_{edge}_letter"].visible
        }

    show_orientation(viewer)
    viewer.dims.ndisplay = 3
    look_from(viewer, "axial")
    radiological = {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    assert shown() == radiological
    lit = viewer.screenshot(canvas_only=True, flash=False)
    viewer.canvas.overlays.cowgan_left_letter.visible = False
    assert (lit != viewer.screenshot(canvas_only=True, flash=False)).any()
    viewer.layers["red"].scale = -viewer.layers["red"].scale
    assert shown() == {}
    viewer.layers["red"].visible = False
    assert shown() == radiological
    viewer.layers["green"].metadata = {
        "cowgan": {"provenance": {"sources": [{"orientation_from": "assumed"}]}}
    }
    assert shown() == {edge: f"{letter}?" for edge, letter in radiological.items()}
    viewer.layers.clear()
    assert shown() == {}


def test_turning_from_coronal_slices_to_3d_never_mirrors_the_patient(viewer):
    show_orientation(viewer)
    viewer.dims.ndisplay = 3
    viewer.fit_to_view()
    before = positions(viewer)
    show_slices(viewer, "coronal")
    viewer.window._qt_viewer.viewerButtons.ndisplayButton.click()
    assert viewer.dims.ndisplay == 3
    viewer.fit_to_view()
    after = positions(viewer)
    assert before.keys() == after.keys()
    for colour, place in before.items():
        np.testing.assert_allclose(after[colour], place, atol=3)


def test_letters_are_shown_for_a_scan_without_the_explorer(
    make_napari_viewer: Callable, tmp_path: Path
):
    path = tmp_path / "scan.nii.gz"
    write_nifti(Volume(np.full((4, 6, 8), 0.5, np.float32), default_affine((4, 6, 8))), path)
    viewer = make_napari_viewer()
    viewer.open(path, plugin="napari-cowgan")
    assert viewer.canvas.overlays.cowgan_left_letter.text == "R"
    assert viewer.canvas.overlays.cowgan_left_letter.visible
