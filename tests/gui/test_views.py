"""The views match the engine's MIPs, and renderings apply to every volume."""

import numpy as np
import pytest
from gui_events import click
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from skimage.transform import resize

from cowgan.volume import Volume, default_affine, mip
from napari_cowgan.explorer.layer import LOOK, VolumeLayer
from napari_cowgan.viewer.camera import RENDERINGS, look_from

SHAPE, SPACING_MM = (24, 40, 48), (1.5, 1.0, 1.0)


@pytest.fixture
def asymmetric_volume() -> Volume:
    """Return a volume without rotation or reflection symmetry."""
    data = np.zeros(SHAPE, np.float32)
    data[2:22, 4:9, 4:9] = 0.9
    data[2:6, 4:36, 4:9] = 0.6
    data[2:6, 4:9, 4:44] = 0.3
    return Volume(data, default_affine(SHAPE, SPACING_MM), {"synthetic": True})


@pytest.mark.parametrize("view", ["axial", "coronal", "sagittal"])
def test_a_view_shows_what_the_engines_mip_shows(viewer, asymmetric_volume, view, qtbot):
    viewer.window.resize(1200, 900)
    VolumeLayer(viewer).show(asymmetric_volume)
    look_from(viewer, view)
    qtbot.wait(100)
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., 0] / 255
    expected = mip(asymmetric_volume, view)
    # Zoom is in pixels per mm; the centre of the volume is at the centre of the picture.
    nz, nx, ny = np.multiply(SHAPE, SPACING_MM)
    size_mm = {"axial": (ny, nx), "coronal": (nz, nx), "sagittal": (nz, ny)}[view]
    height, width = (np.array(size_mm) * viewer.scene.camera.zoom).round().astype(int)
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    assert top >= 0 and left >= 0, "the volume is larger than the canvas"
    seen = resize(picture[top : top + height, left : left + width], expected.shape)

    def correlation(other: np.ndarray) -> float:
        return float(np.corrcoef(seen.ravel(), other.ravel())[0, 1])

    assert correlation(expected) > 0.9
    for turned in (expected[::-1], expected[:, ::-1], expected[::-1, ::-1]):
        assert correlation(turned) < 0.8


def test_a_rendering_is_applied_and_remembered(explorer, viewer, settle):
    box = explorer.view.rendering
    for name, rendering in RENDERINGS.items():
        box.setCurrentText(name)
        box.textActivated.emit(name)
        assert explorer.shown.layer.rendering == rendering
        viewer.layers.clear()
        explorer.model.step_seed(1)
        settle(explorer)
        assert explorer.shown.layer.rendering == rendering


def test_slices_are_shown_from_the_panel_and_napari_s_own_button_is_followed(viewer, explorer):
    box, buttons = explorer.view.rendering, viewer.window._qt_viewer.viewerButtons
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_End)
    assert (viewer.dims.ndisplay, viewer.dims.order) == (2, (0, 1, 2))
    click(explorer.view.views["coronal"])
    assert (viewer.dims.ndisplay, viewer.dims.order) == (2, (1, 0, 2))
    click(explorer.view.views["sagittal"])
    assert (viewer.dims.ndisplay, viewer.dims.order) == (2, (2, 0, 1))
    assert viewer.canvas.overlays.cowgan_left_letter.text == "A"
    buttons.ndisplayButton.click()
    assert box.currentText() == "MIP"
    buttons.ndisplayButton.click()
    assert box.currentText() == "Slices"
    QTest.keyClick(box, Qt.Key.Key_Home)
    assert viewer.dims.ndisplay == 3
    assert viewer.canvas.overlays.cowgan_left_letter.text == "A"


def test_compared_volumes_share_all_display_settings(viewer, explorer, settle, qtbot):
    explorer.shown.layer.contrast_limits = (0.2, 0.4)
    explorer.shown.layer.gamma = 0.7
    explorer.compare.keep("A")
    explorer.model.set_seed(8)
    explorer.compare.keep("B")
    explorer.compare.side_by_side.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=20_000)
    for change in ({}, {"rendering": "attenuated_mip"}, {"contrast_limits": (0.1, 0.9)}):
        for name, value in change.items():
            setattr(explorer.shown.layer, name, value)
        for name in LOOK:
            values = [getattr(layer, name) for layer in viewer.layers]
            assert values[0] == values[1] == values[2], name


def test_a_moved_layer_keeps_its_position(lone_explorer, settle):
    lone_explorer.shown.layer.translate = (1, 2, 3)
    lone_explorer.model.step_seed(1)
    settle(lone_explorer)
    assert tuple(lone_explorer.shown.layer.translate) == (1, 2, 3)


def test_another_voxel_size_changes_the_layer(viewer, asymmetric_volume):
    shown = VolumeLayer(viewer)
    shown.show(asymmetric_volume)
    shown.show(
        Volume(asymmetric_volume.data, default_affine(SHAPE, (3.0, 1.0, 1.0)), {"synthetic": True})
    )
    assert tuple(abs(shown.layer.scale)) == (3, 1, 1)


def test_the_canvas_says_synthetic_only_while_the_volume_is_shown(viewer, explorer, settle):
    overlay = viewer.canvas.overlays.text
    assert "Synthetic" in overlay.text
    assert overlay.visible
    viewer.layers.clear()
    assert not overlay.visible
    explorer.model.step_seed(1)
    settle(explorer)
    assert "seed 1" in overlay.text
    assert overlay.visible


def test_an_isosurface_is_closed_where_the_slab_cuts_a_vessel(viewer, qtbot):
    """A vessel runs from face to face; seen along its axis, its cross-section is closed."""
    shape = (16, 32, 32)
    vessel = np.zeros(shape, np.float32)
    vessel[:, 10:22, 10:22] = 1
    shown = VolumeLayer(viewer)
    shown.show(Volume(vessel, default_affine(shape), {"synthetic": True}))
    shown.layer.rendering, shown.layer.iso_threshold = "iso", 0.4
    look_from(viewer, "axial")
    QTest.qWait(100)
    picture = viewer.screenshot(flash=False)[..., :3].max(axis=-1)
    height, width = picture.shape
    middle = picture[height // 2 - 10 : height // 2 + 10, width // 2 - 10 : width // 2 + 10]
    assert middle.mean() > 200, "the section is black"
