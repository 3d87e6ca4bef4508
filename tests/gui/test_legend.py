"""The legend lists the arteries of the selected label map, and hides or shows them."""

import numpy as np
import pytest
from gui_events import click
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QColor, QCursor, QEnterEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from cowgan.anatomy.arteries import Artery
from cowgan.volume import default_affine, write_labels
from napari_cowgan.viewer.artery_colours import COLOURS
from napari_cowgan.viewer.display import labels_to_layer
from napari_cowgan.viewer.legend import ArteryLegend, show_legend

SHAPE = (6, 20, 20)
PRESENT = {Artery.BA, Artery.R_ICA, Artery.L_MCA, Artery.ACOM}


@pytest.fixture
def labels() -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    for artery in PRESENT:
        labels[2:4, artery, 5:9] = artery
    return labels


@pytest.fixture
def legend(viewer, labels, tmp_path) -> ArteryLegend:
    """Return the legend that opens together with a file."""
    write_labels(labels, default_affine(SHAPE, (4, 4, 4)), tmp_path / "scan_arteries.nii.gz")
    viewer.open(tmp_path / "scan_arteries.nii.gz", plugin="napari-cowgan")
    (widget,) = viewer.window.dock_widgets.values()
    return widget


def shown(viewer) -> set[int]:
    layer = viewer.layers[-1]
    return {artery for artery in PRESENT if layer.get_color(artery)[3] > 0}


def select_with_mouse(legend: ArteryLegend, artery: Artery) -> None:
    name = legend.list.visualItemRect(legend._items[artery]).center()
    QTest.mouseClick(legend.list.viewport(), Qt.MouseButton.LeftButton, pos=name)


def toggle(legend: ArteryLegend, artery: Artery) -> None:
    select_with_mouse(legend, artery)
    QTest.keyClick(legend.list, Qt.Key.Key_Space)


def test_the_legend_names_all_arteries_in_their_colours_and_marks_absent_ones(legend):
    assert legend.list.columnWidth(1) >= legend.list.sizeHintForColumn(1)
    assert isinstance(legend, ArteryLegend)
    assert "arteries" in legend.title.text()
    assert legend.list.topLevelItemCount() == len(Artery)
    for artery, item in legend._items.items():
        there = artery in PRESENT
        assert item.text(0) == artery.abbreviation
        assert item.text(1) == (artery.full_name if there else "not in this map")
        assert item.isDisabled() != there
        if there:
            # Pixmaps may have a lower colour depth.
            drawn = item.icon(0).pixmap(14, 14).toImage().pixelColor(7, 7).getRgb()
            assert np.allclose(drawn, QColor(COLOURS[artery]).getRgb(), atol=4)


def test_arteries_are_hidden_and_shown_one_by_one_and_all_at_once(viewer, legend):
    assert shown(viewer) == PRESENT
    toggle(legend, Artery.R_ICA)
    assert shown(viewer) == PRESENT - {Artery.R_ICA}
    click(legend.none)
    assert shown(viewer) == set()
    toggle(legend, Artery.ACOM)
    assert shown(viewer) == {Artery.ACOM}
    click(legend.all)
    assert shown(viewer) == PRESENT
    # An artery that the user paints must not be invisible.
    assert viewer.layers[-1].get_color(Artery.THIRD_A2)[3] == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
@pytest.mark.parametrize("ndisplay", [2, 3])
def test_the_view_moves_to_an_artery(viewer, legend, ndisplay, order):
    viewer.dims.ndisplay = ndisplay
    viewer.dims.order = order
    viewer.scene.camera.zoom = 20
    select_with_mouse(legend, Artery.L_MCA)
    QTest.keyClick(legend.list, Qt.Key.Key_Return)
    layer = viewer.layers[-1]
    at = layer.world_to_data(viewer.dims.point)
    assert layer.data[tuple(np.round(at).astype(int))] == Artery.L_MCA
    QTest.qWait(50)
    picture = viewer.screenshot(canvas_only=True, flash=False)
    row, column = np.array(picture.shape[:2]) // 2
    seen = picture[row - 2 : row + 2, column - 2 : column + 2, :3].mean(axis=(0, 1))
    wanted = np.array(QColor(COLOURS[Artery.L_MCA]).getRgb()[:3], float)
    likeness = seen @ wanted / (np.linalg.norm(seen) * np.linalg.norm(wanted))
    assert likeness > 0.97, f"{seen} in the middle of the view"


def test_an_absent_artery_does_not_move_the_view(viewer, legend):
    before = viewer.scene.camera.center, viewer.dims.point
    legend.go_to(Artery.THIRD_A2)
    assert (viewer.scene.camera.center, viewer.dims.point) == before


def test_a_painted_artery_is_listed_once_the_pointer_enters_the_legend(viewer, legend):
    viewer.layers[-1].data[0, 0, 0] = Artery.THIRD_A2
    assert legend._items[Artery.THIRD_A2].isDisabled()
    middle = QPointF(legend.rect().center())
    QApplication.sendEvent(legend, QEnterEvent(middle, middle, middle))
    assert not legend._items[Artery.THIRD_A2].isDisabled()


def test_the_legend_follows_the_selected_map_and_its_removal(viewer, legend):
    other = np.zeros(SHAPE, np.uint8)
    other[1, 1, 1] = Artery.L_ACA
    click(legend.none)
    data, options, _ = labels_to_layer(other, default_affine(SHAPE), "other")
    layer = viewer.add_labels(data, **options)
    assert legend.title.text() == "other"
    assert not legend._items[Artery.L_ACA].isDisabled()
    viewer.add_image(np.zeros((4, 4, 4)))
    viewer.layers.selection.active = viewer.layers[0]
    assert legend._items[Artery.L_ACA].isDisabled()
    assert legend._items[Artery.BA].checkState(0) == Qt.CheckState.Unchecked
    viewer.layers.remove(viewer.layers[0])
    assert legend.title.text() == "other"
    viewer.layers.remove(layer)
    assert legend.title.text().startswith("Open a label map")
    assert not legend.all.isEnabled()
    viewer.add_labels(np.ones((4, 4, 4), np.uint8))
    assert legend.title.text().startswith("Open a label map")


def test_closing_the_legend_leaves_nothing_behind(viewer, legend, qtbot):
    destroyed = []
    legend.destroyed.connect(lambda: destroyed.append(True))
    viewer.window.remove_dock_widget(legend)
    qtbot.waitUntil(lambda: bool(destroyed), timeout=5000)
    viewer.add_image(np.zeros((4, 4, 4)))
    viewer.layers.clear()
    assert isinstance(show_legend(viewer), ArteryLegend)


def test_the_legend_fits_a_dock_of_300_pixels(viewer, legend):
    assert legend.minimumSizeHint().width() <= 300
    for widget in (legend.list, legend.all, legend.none):
        assert widget.toolTip()
    legend.resize(300, 500)
    QTest.qWait(50)
    assert legend.list.columnWidth(0) < 140


@pytest.mark.parametrize("ndisplay", [2, 3])
def test_arteries_appear_under_a_pointer_that_rests(viewer, labels, tmp_path, qtbot, ndisplay):
    notification_manager.records.clear()
    write_labels(labels, default_affine(SHAPE, (4, 4, 4)), tmp_path / "scan_arteries.nii.gz")
    viewer.add_image(np.zeros(SHAPE), units="mm")
    viewer.dims.ndisplay = ndisplay
    canvas = viewer.window._qt_viewer.canvas.native
    # Near its left edge: the legend, which opens on the right, makes the canvas narrower.
    QCursor.setPos(canvas.mapToGlobal(QPoint(60, canvas.height() // 2)))
    qtbot.waitUntil(lambda: viewer.mouse_over_canvas, timeout=5000)
    viewer.open(tmp_path / "scan_arteries.nii.gz", plugin="napari-cowgan")
    qtbot.waitUntil(lambda: viewer.mouse_over_canvas, timeout=5000)
    assert len(viewer.layers) == 2
    assert [notice.message for notice in notification_manager.records] == []


def test_the_sample_shows_its_arteries_in_3d(viewer, qtbot):
    viewer.open_sample("napari-cowgan", "phantom_with_labels")
    qtbot.waitUntil(lambda: viewer.dims.ndisplay == 3, timeout=5000)
    qtbot.wait(300)
    assert [layer.visible for layer in viewer.layers] == [True, True]
    assert viewer.layers.selection.active is viewer.layers[1]
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    coloured = (picture.max(axis=-1) - picture.min(axis=-1)) > 60
    assert coloured.mean() > 0.01
