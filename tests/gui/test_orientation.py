"""What a person sees: coloured markers must appear on the correct side of the screen."""

from collections.abc import Callable

import numpy as np
import pytest

from cowgan.volume import Volume, default_affine
from napari_cowgan.display import volume_to_layer

SHAPE = (32, 48, 48)
# Centre of each marker in network order: superior, left and anterior have high indices.
MARKERS = {
    "red": (16, 40, 24),  # left
    "green": (16, 24, 40),  # anterior
    "blue": (28, 24, 24),  # superior
    "magenta": (16, 8, 24),  # right
}
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
    # Seen from below, what is superior lies in the middle and farther away.
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
