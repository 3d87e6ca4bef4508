"""The three planes show the layers of the viewer, through one point."""

import gc
from collections.abc import Iterator

import numpy as np
import pytest
from gui_events import click
from gui_menus import close_panel
from napari.qt import QtViewer
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from cowgan.volume import Volume, default_affine
from napari_cowgan.viewer.display import volume_to_layer
from napari_cowgan.viewer.orientation_letters import edge_letters
from napari_cowgan.viewer.slice_canvas import SliceCanvas
from napari_cowgan.viewer.three_planes import ThreePlanes, show_three_planes
from napari_cowgan.widgets.docked import find_panel

SHAPE = (12, 20, 28)


@pytest.fixture
def planes(viewer, qtbot) -> Iterator[ThreePlanes]:
    """Return the panel on a volume in which every voxel differs."""
    rng = np.random.default_rng(0)
    volume = Volume(rng.random(SHAPE), default_affine(SHAPE, (2, 1, 1)))
    data, options, _ = volume_to_layer(volume, "noise")
    viewer.add_image(data, **options)
    panel = show_three_planes(viewer)
    qtbot.waitUntil(lambda: all(p.width() > 100 for p in panel.planes.values()))
    qtbot.wait(300)
    yield panel
    viewer.window.remove_dock_widget(panel)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def click_on(plane: SliceCanvas, right: int, down: int) -> None:
    canvas = plane.canvas.canvas.native
    QTest.mouseClick(
        canvas, Qt.MouseButton.LeftButton, pos=canvas.rect().center() + QPoint(right, down)
    )


def shown(plane: SliceCanvas) -> np.ndarray:
    (layer,) = plane.model.layers
    return np.asarray(layer._data_view)


def test_the_planes_meet_at_a_click_and_close_with_the_viewer(viewer, planes, qtbot):
    layer = viewer.layers["noise"]
    axial, coronal, sagittal = planes.planes.values()
    assert ["".join(edge_letters(plane.model).values()) for plane in planes.planes.values()] == [
        "RLAP",
        "RLSI",
        "APSI",
    ]
    before = planes.point
    click_on(axial, 30, -20)
    z, y, x = planes.point
    assert (z, y < before[1], x > before[2]) == (before[0], True, True)
    canvas = axial.canvas.canvas.native
    at = canvas.mapFromGlobal(axial.cross_hair.mapToGlobal(axial.cross_hair.centre()))
    middle = canvas.rect().center()
    # napari snaps to voxel centres.
    half_a_voxel = axial.model.scene.camera.zoom / 2 + 1
    assert (at.x() - middle.x(), at.y() - middle.y()) == pytest.approx((30, -20), abs=half_a_voxel)
    index = np.round(layer.world_to_data(planes.point)).astype(int)
    for axis, plane in enumerate((axial, coronal, sagittal)):
        np.testing.assert_array_equal(shown(plane), layer.data.take(index[axis], axis))
    assert coronal.model.canvas.overlays.cowgan_plane.text == f"Coronal {index[1] + 1} of 28"
    viewer.dims.ndisplay = 2
    viewer.dims.set_point((0, 1, 2), (4, 5, 6))
    assert planes.point == (4, 5, 6)
    click_on(coronal, -25, 10)
    assert viewer.dims.point == planes.point
    assert planes.point[1] == 5


def test_the_planes_follow_data_and_display_of_the_layers(viewer, planes):
    layer = viewer.layers["noise"]
    layer.data = 1 - layer.data
    layer.contrast_limits = (0.2, 0.3)
    index = np.round(layer.world_to_data(planes.point)).astype(int)
    for axis, plane in enumerate(planes.planes.values()):
        np.testing.assert_array_equal(shown(plane), layer.data.take(index[axis], axis))
        assert plane.model.layers[0].contrast_limits == [0.2, 0.3]
    layer.visible = False
    assert not any(plane.model.layers[0].visible for plane in planes.planes.values())
    viewer.layers.clear()
    assert not any(plane.model.layers for plane in planes.planes.values())
    click_on(planes.planes["axial"], 10, 10)
    viewer.dims.ndisplay = 2
    viewer.add_image(layer.data, scale=layer.scale, translate=layer.translate)
    assert [len(plane.model.layers) for plane in planes.planes.values()] == [1, 1, 1]


def test_the_explorer_opens_the_planes_and_closing_them_closes_the_canvases(
    viewer, explorer, settle, qtbot
):
    click(explorer.view.three_planes)
    panel = find_panel(viewer, ThreePlanes)
    assert panel is not None
    explorer.model.set_seed(3)
    settle(explorer)
    for plane in panel.planes.values():
        (copy,) = plane.model.layers
        np.testing.assert_array_equal(copy.data, explorer.shown.layer.data)
    assert panel.caption.text().startswith("Synthetic, seed 3")
    close_panel(panel)
    del panel, plane, copy
    qtbot.waitUntil(lambda: find_panel(viewer, ThreePlanes) is None)
    explorer.model.set_seed(4)
    settle(explorer)
    gc.collect()
    assert len(QtViewer._instances) == 1


def test_labels_keep_their_colours_in_all_planes(viewer, planes, qtbot):
    labels = viewer.add_labels(np.ones(SHAPE, np.uint8), name="arteries")
    qtbot.waitUntil(lambda: all(len(p.model.layers) == 2 for p in planes.planes.values()))
    for red in ((1.0, 0.0, 0.0, 1.0), (0.5, 0.0, 0.0, 1.0)):
        labels.colormap = DirectLabelColormap(color_dict={None: (0, 0, 0, 0), 1: red})
        for plane in planes.planes.values():
            np.testing.assert_allclose(plane.model.layers["arteries"].get_color(1), red)
