"""The Segmentation panel: what a user does with scans, arteries and the brush."""

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from gui_events import CTRL_ALT, click, drop
from gui_menus import choose, close_panel
from napari.layers import Image, Labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QFileDialog,
    QLineEdit,
)
from segmentation_cases import LEFT, RIGHT, tubes
from tube_networks import tube_scan, write_tube_network

from cowgan.anatomy.arteries import LABEL_SCHEME, Artery
from cowgan.anatomy.label_colours import label_colours
from cowgan.anatomy.label_schemes import TERRITORIES, TOPCOW_2024
from cowgan.files import sha256_of
from cowgan.measure.overlap import dice
from cowgan.segmentation.labelled_cases import read_folders
from cowgan.segmentation.training_set import add_case
from cowgan.simulate import make_anatomy
from cowgan.volume import (
    Volume,
    affine_with_axes,
    default_affine,
    read_labels,
    sidecar_path,
    write_labels,
    write_nifti,
)
from cowgan.volume.orientation import restore_axes
from cowgan.volume.sidecar import open_sidecar
from napari_cowgan.explorer import show_explorer
from napari_cowgan.segmentation.artery_table import ArteryTable
from napari_cowgan.segmentation.panel import SegmentationPanel
from napari_cowgan.viewer.display import layer_to_labels
from napari_cowgan.widgets.controls import Section
from napari_cowgan.widgets.docked import find_panel

LONGEST_MS = 120_000


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tube_network(tmp_path_factory.mktemp("networks") / "tubes.safetensors")


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "sub-01_angio.nii.gz"
    write_nifti(tube_scan(), path)
    return path


@pytest.fixture
def panel(viewer) -> SegmentationPanel:
    choose(viewer, "Plugins", "CoW-GAN", "Segmentation")
    return find_panel(viewer, SegmentationPanel)


@pytest.fixture
def finish(qtbot) -> Callable[[SegmentationPanel], None]:
    """Wait until nothing is segmented or measured."""

    def wait(panel: SegmentationPanel) -> None:
        qtbot.waitUntil(
            lambda: not panel.job.running and not panel.measuring.running, timeout=LONGEST_MS
        )

    return wait


@pytest.fixture
def segmented(panel, viewer, scan, network, finish) -> SegmentationPanel:
    """Return the panel after a scan was dropped, a network chosen and Segment pressed."""
    assert drop(panel, scan)
    assert drop(panel, network)
    click(panel.start)
    finish(panel)
    return panel


def told(panel: SegmentationPanel) -> str:
    return panel.message.text().replace("\u200b", "") if panel.message.isVisible() else ""


def labels_in(viewer) -> list[Labels]:
    return [layer for layer in viewer.layers if isinstance(layer, Labels)]


def rows(table: ArteryTable) -> dict[str, tuple[str, ...]]:
    """Return volume, length and radius by name, as the table shows them."""
    items = [table.topLevelItem(row) for row in range(table.topLevelItemCount())]
    return {item.text(1): tuple(item.text(column) for column in (2, 3, 4)) for item in items}


def place_of(table: ArteryTable, name: str, column: int) -> QPoint:
    (item,) = table.findItems(name, Qt.MatchFlag.MatchExactly, 1)
    index = table.indexFromItem(item, column)
    return table.visualRect(index).center()


def click_row(table: ArteryTable, name: str, column: int = 1) -> None:
    place = place_of(table, name, column)
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_a_large_scan_is_segmented_around_the_circle_or_as_a_whole(
    panel, network, finish, tmp_path
):
    scan = tube_scan()
    many = Volume(np.tile(scan.data, (4, 1, 7)), scan.affine)
    write_nifti(many, tmp_path / "head.nii.gz")
    assert drop(panel, tmp_path / "head.nii.gz")
    assert drop(panel, network)
    click(panel.start)
    finish(panel)
    assert "Only the surroundings of the Circle of Willis" in told(panel)
    part = np.count_nonzero(panel.layers.followed.data)
    panel.whole.click()
    click(panel.start)
    finish(panel)
    assert "labels far from it mean nothing" in told(panel)
    assert np.count_nonzero(panel.layers.followed.data) > 1.2 * part > 0


def test_an_empty_panel_says_what_to_do_and_offers_nothing_else(panel):
    assert "press Segment" in told(panel)
    assert not panel.start.isEnabled() and not panel.follow.isEnabled()
    assert not panel.result.isVisible() and not panel.job.isVisible()


def test_a_dropped_scan_is_segmented_named_coloured_and_measured(segmented, viewer):
    (layer,) = labels_in(viewer)
    assert layer.name == "Territories of sub-01_angio"
    truth = tubes(100)[1]
    labels, affine, provenance = layer_to_labels(*layer.as_layer_data_tuple()[:2])
    assert dice(labels == LEFT, truth == LEFT) > 0.9
    assert np.allclose(affine, tube_scan().affine)
    assert provenance["labels"] == TERRITORIES.name
    assert provenance["segmentation"]["models"][0]["name"] == "tubes"
    assert provenance["sources"][-1]["file"] == "sub-01_angio.nii.gz"
    colour = bytes.fromhex(label_colours(TERRITORIES)[LEFT][1:])
    assert np.allclose(layer.get_color(LEFT)[:3], np.array(list(colour)) / 255, atol=1e-3)

    shown = rows(segmented.table)
    assert list(shown) == ["other vessel", "posterior", "anterior", "left", "right"]
    volume_mm3 = np.count_nonzero(labels == LEFT) * 0.6**3
    assert float(shown["left"][0]) == pytest.approx(volume_mm3, abs=0.5)
    assert shown["posterior"] == ("–", "–", "–")
    assert "No artery of the posterior and anterior territory found." in segmented.circle.text()
    assert told(segmented) == "Its largest side is 19.2 mm, small for a head."


def test_layers_that_were_moved_in_napari_keep_their_place(panel, viewer, network, finish):
    volume = tube_scan()
    layer = Image(volume.data.transpose(0, 2, 1)[:, :, ::-1], scale=(-0.6,) * 3, name="foreign")
    layer.affine = np.diag([1, 1, 1, 1.0])
    viewer.add_layer(layer)
    panel.network.choose_file(network)
    click(panel.start)
    finish(panel)
    (found,) = labels_in(viewer)
    # Both lie at the same place in the patient, wherever napari shows them.
    labels, affine, _ = layer_to_labels(*found.as_layer_data_tuple()[:2])
    assert dice(labels == LEFT, tubes(100)[1] == LEFT) > 0.9
    assert np.allclose(affine, default_affine(volume.shape, (0.6, 0.6, 0.6)))


def test_an_image_of_unknown_side_is_refused_in_a_sentence(panel, viewer, network, finish):
    viewer.add_image(tube_scan().data, name="foreign")
    panel.network.choose_file(network)
    click(panel.start)
    finish(panel)
    assert "does not state which side is the patient's left" in told(panel)
    assert not labels_in(viewer)


def test_a_file_that_is_no_network_is_refused_in_a_sentence(panel, viewer, scan, tmp_path, finish):
    assert drop(panel, scan)
    panel.network.choose_file(tmp_path / "nothing.safetensors")
    click(panel.start)
    finish(panel)
    assert "nothing.safetensors" in told(panel)
    assert panel.start.isEnabled()


def test_without_monai_the_panel_says_how_to_install_it(viewer, scan, network, monkeypatch, qtbot):
    monkeypatch.setattr("napari_cowgan.segmentation.panel.monai_is_installed", lambda: False)
    choose(viewer, "Plugins", "CoW-GAN", "Segmentation")
    panel = find_panel(viewer, SegmentationPanel)
    qtbot.waitUntil(lambda: 'pip install "napari-cowgan[segment]"' in told(panel))
    assert drop(panel, scan)
    panel.network.choose_file(network)
    assert not panel.start.isEnabled()


def test_arteries_are_hidden_alone_and_together(segmented, viewer):
    (layer,) = labels_in(viewer)
    table = segmented.table
    box = place_of(table, "left", 0)
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=box)
    assert layer.get_color(LEFT)[3] == 0 and layer.get_color(RIGHT)[3] == 1
    assert str(layer.mode) == "pan_zoom", "a tick picks up no brush"
    click_row(table, "left")
    click(segmented.only)
    assert layer.get_color(LEFT)[3] == 1 and layer.get_color(RIGHT)[3] == 0
    click(segmented.all)
    assert layer.get_color(RIGHT)[3] == 1
    assert table.hidden == set()
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Down)
    QTest.keyClick(table, Qt.Key.Key_Space)
    assert layer.get_color(RIGHT)[3] == 0


def test_the_brush_paints_the_artery_that_was_clicked_and_undo_takes_it_back(
    segmented, viewer, finish
):
    (layer,) = labels_in(viewer)
    viewer.layers.selection.active = next(one for one in viewer.layers if isinstance(one, Image))
    before = np.array(layer.data)
    click_row(segmented.table, "anterior")
    assert viewer.layers.selection.active is layer
    assert (str(layer.mode), layer.selected_label) == ("paint", 3)
    assert segmented.brush.isVisible() and "anterior" in segmented.brush.text.text()
    layer.paint((4, 16, 16), 3)
    finish(segmented)
    assert float(rows(segmented.table)["anterior"][0]) > 1
    assert segmented.layers.edited and segmented.layers.unsaved == [layer]
    assert layer.metadata["cowgan"]["provenance"]["edited_by_hand"]

    canvas = viewer.window._qt_viewer.canvas.native
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    finish(segmented)
    assert np.array_equal(layer.data, before)
    assert rows(segmented.table)["anterior"] == ("–", "–", "–")
    assert not segmented.layers.edited and not segmented.layers.unsaved
    assert not layer.metadata["cowgan"]["provenance"]["edited_by_hand"]
    click(segmented.brush.stop)
    assert str(layer.mode) == "pan_zoom" and not segmented.brush.isVisible()


def test_enter_picks_up_the_brush_and_the_panel_offers_slices_in_3d(segmented, viewer):
    (layer,) = labels_in(viewer)
    viewer.dims.ndisplay = 3
    click_row(segmented.table, "left")
    segmented.layers.stop_painting()
    QTest.keyClick(segmented.table, Qt.Key.Key_Down)
    assert str(layer.mode) == "pan_zoom", "moving through the list paints nothing"
    QTest.keyClick(segmented.table, Qt.Key.Key_Return)
    assert (str(layer.mode), layer.selected_label) == ("paint", RIGHT)
    assert "needs slices" in segmented.brush.text.text()
    click(segmented.brush.slices)
    assert viewer.dims.ndisplay == 2
    assert not segmented.brush.slices.isVisible()


def test_segmenting_again_replaces_a_result_but_no_corrections(segmented, viewer, finish):
    (layer,) = labels_in(viewer)
    click(segmented.start)
    finish(segmented)
    assert labels_in(viewer) == [layer]
    layer.paint((4, 16, 16), 3)
    corrected = np.array(layer.data)
    click(segmented.start)
    finish(segmented)
    assert len(labels_in(viewer)) == 2
    assert np.array_equal(layer.data, corrected)
    assert "corrections stay" in told(segmented)


def test_a_label_map_from_a_file_is_described_too(panel, viewer, tmp_path, finish):
    labels = make_anatomy(5, "absent L-PCom").labels
    provenance = {"labels": LABEL_SCHEME}
    write_labels(labels, default_affine(labels.shape), tmp_path / "map.nii.gz", provenance)
    viewer.open(tmp_path / "map.nii.gz", plugin="napari-cowgan")
    finish(panel)
    assert panel.result.isVisible()
    assert panel.circle.text() == "Anterior circle complete; left PCom absent."
    assert list(rows(panel.table)) == [artery.abbreviation for artery in Artery]
    assert rows(panel.table)["L-PCom"] == ("–", "–", "–")


def test_a_double_click_centres_the_view_on_an_artery(segmented, viewer):
    (layer,) = labels_in(viewer)
    place = place_of(segmented.table, "right", 1)
    QTest.mouseClick(segmented.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(segmented.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    at = layer.world_to_data(viewer.dims.point)
    assert RIGHT in layer.data[round(at[0])]


def test_cancel_leaves_everything_as_it_was(panel, viewer, scan, network, qtbot, monkeypatch):
    started = []

    def endless(read, path, shelf, whole_scan, progress):
        from cowgan.progress import advance

        started.append(path)
        while True:
            advance(progress, 0, 1)

    monkeypatch.setattr("napari_cowgan.segmentation.panel.segment", endless)
    assert drop(panel, scan)
    panel.network.choose_file(network)
    click(panel.start)
    qtbot.waitUntil(lambda: bool(started))
    assert not panel.start.isEnabled()
    click(panel.job.findChild(QAbstractButton))
    qtbot.waitUntil(lambda: not panel.job.running)
    assert told(panel) == "Cancelled."
    assert not labels_in(viewer) and panel.start.isEnabled()


def test_the_network_is_remembered(viewer, panel, network):
    panel.network.choose_file(network)
    close_panel(panel)
    choose(viewer, "Plugins", "CoW-GAN", "Segmentation")
    assert find_panel(viewer, SegmentationPanel).network.path == network


def test_the_panel_fits_300_pixels_and_every_control_has_a_tooltip(segmented):
    assert segmented.minimumSizeHint().width() <= 300
    kinds = (QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox)
    controls = [one for kind in kinds for one in segmented.findChildren(kind)]
    whole = [*segmented.findChildren(QLineEdit), *segmented.findChildren(Section)]
    bare = [one for one in controls if not one.toolTip() and one.parent() not in whole]
    assert not [one for one in bare if not one.objectName().startswith("qt_")]


def test_a_closed_panel_leaves_no_trace_in_the_viewer(segmented, viewer, qtbot):
    (layer,) = labels_in(viewer)
    close_panel(segmented)
    layer.paint((4, 16, 16), 3)
    viewer.layers.remove(layer)
    assert find_panel(viewer, SegmentationPanel) is None


# Saving


@pytest.fixture
def turned_scan(tmp_path: Path) -> Path:
    """Return a scan that is stored in axes of its own."""
    volume = tube_scan()
    axes = affine_with_axes(volume.affine, volume.shape, "PIR")
    stored = restore_axes(volume.data.transpose(1, 2, 0), axes)
    nib.save(nib.Nifti1Image(stored, axes), tmp_path / "sub-02_angio.nii")
    return tmp_path / "sub-02_angio.nii"


@pytest.fixture
def save_as(qtbot) -> Callable[[SegmentationPanel, Path], None]:
    """Click Save, choose a path in the dialog, and wait until the file is written."""

    def save(panel: SegmentationPanel, path: Path) -> None:
        click(panel.saving.save)
        qtbot.waitUntil(lambda: bool(panel.findChildren(QFileDialog)))
        (dialog,) = panel.findChildren(QFileDialog)
        dialog.setDirectory(str(path.parent))
        assert Path(dialog.selectedFiles()[0]).name == f"{panel.saving.name.text()}_dseg.nii.gz"
        dialog.selectFile(str(path))
        dialog.accept()
        qtbot.waitUntil(lambda: said(panel) == f"Saved {path}")

    return save


def said(panel: SegmentationPanel) -> str:
    return panel.saving.outcome.text().replace("\u200b", "")


def wait_for_set(panel: SegmentationPanel, qtbot) -> str:
    qtbot.waitUntil(lambda: not panel.saving.looking.running and not panel.saving.job.running)
    return panel.saving.content.text().replace("\u200b", "")


def test_a_label_map_is_saved_with_the_axes_of_the_scan_and_its_history(
    panel, viewer, turned_scan, network, finish, save_as, tmp_path
):
    assert drop(panel, turned_scan)
    assert drop(panel, network)
    click(panel.start)
    finish(panel)
    (layer,) = labels_in(viewer)
    layer.paint((4, 16, 16), 3)
    finish(panel)
    assert panel.saving.name.text() == "sub-02_angio"
    target = tmp_path / "sub-02_angio_dseg.nii.gz"
    save_as(panel, target)
    assert panel.layers.unsaved == []

    scan, saved = nib.load(turned_scan), nib.load(target)
    assert nib.aff2axcodes(saved.affine) == ("P", "I", "R")
    assert np.allclose(saved.affine, scan.affine, atol=1e-5)
    assert saved.shape == scan.shape
    assert np.array_equal(
        read_labels(target)[0], layer_to_labels(*layer.as_layer_data_tuple()[:2])[0]
    )
    provenance = open_sidecar(sidecar_path(target)).provenance
    assert provenance["labels"] == "territories"
    assert provenance["edited_by_hand"] is True
    assert provenance["segmentation"]["models"] == [{"name": "tubes", "sha256": sha256_of(network)}]
    assert provenance["sources"][-1]["file"] == "sub-02_angio.nii"


def test_a_saved_label_map_can_be_corrected_later(segmented, viewer, save_as, finish, tmp_path):
    save_as(segmented, tmp_path / "one_dseg.nii.gz")
    viewer.layers.clear()
    assert not segmented.result.isVisible()
    viewer.open(tmp_path / "one_dseg.nii.gz", plugin="napari-cowgan")
    finish(segmented)
    (layer,) = labels_in(viewer)
    assert segmented.saving.name.text() == "sub-01_angio"
    click_row(segmented.table, "right")
    layer.paint((4, 16, 16), RIGHT)
    save_as(segmented, tmp_path / "two_dseg.nii.gz")
    assert open_sidecar(tmp_path / "two_dseg.json").provenance["edited_by_hand"] is True
    labels, _ = read_labels(tmp_path / "two_dseg.nii.gz")
    assert labels[4, 15, 16] == RIGHT, "napari's axes are z, y and x from left to right"


def test_corrected_cases_become_a_training_set(segmented, viewer, finish, qtbot, tmp_path):
    saving = segmented.saving
    assert not saving.add.isEnabled()
    assert drop(saving.folder, tmp_path / "set")
    assert wait_for_set(segmented, qtbot) == "The set has no cases."
    click(saving.add)
    assert wait_for_set(segmented, qtbot) == "The set has 1 case with labels of territories."
    assert said(segmented) == f"Added sub-01_angio in {tmp_path / 'set'}"
    (layer,) = labels_in(viewer)
    layer.paint((4, 16, 16), 3)
    finish(segmented)
    click(saving.add)
    assert "has a case sub-01_angio already" in saving.question.text()
    (cancel, replace) = sorted(saving.question.buttons(), key=lambda one: one.text() != "Cancel")
    assert "Cancel" in cancel.text()
    click(replace)
    assert wait_for_set(segmented, qtbot) == "The set has 1 case with labels of territories."
    assert said(segmented).startswith("Replaced sub-01_angio")
    saving.name.setText("another")
    click(saving.add)
    assert "2 cases" in wait_for_set(segmented, qtbot)
    cases = read_folders(tmp_path / "set" / "images", tmp_path / "set" / "labels", TERRITORIES)
    assert [case.name for case in cases.cases] == ["another", "sub-01_angio"]
    assert all(3 in case.present for case in cases.cases)


def test_a_training_set_of_another_scheme_is_refused(segmented, qtbot, tmp_path):
    labels = make_anatomy(5, "complete").labels
    scan = Volume(labels.astype(np.float32), default_affine(labels.shape))
    add_case(tmp_path, "one", scan, labels, TOPCOW_2024, scan.affine, {"labels": LABEL_SCHEME})
    segmented.saving.folder.set_path(tmp_path)
    assert wait_for_set(segmented, qtbot) == "The set has 1 case with labels of TopCoW 2024."
    click(segmented.saving.add)
    wait_for_set(segmented, qtbot)
    assert "has labels of TopCoW 2024, and this label map those of territories" in said(segmented)


@pytest.mark.parametrize("closed", ["panel", "window"])
def test_unsaved_corrections_are_asked_about_before_anything_closes(
    segmented, viewer, finish, qtbot, closed
):
    (layer,) = labels_in(viewer)
    window = viewer.window._qt_window
    layer.paint((4, 16, 16), 3)
    finish(segmented)
    if closed == "panel":
        close_panel(segmented)
        assert segmented.isVisible()
    else:
        window.close()
    question = segmented.unsaved.question
    assert "not saved" in question.text() and layer.name in question.informativeText()
    assert window.isVisible()
    (save,) = [one for one in question.buttons() if one.text().replace("&", "") == "Save…"]
    click(save)
    qtbot.waitUntil(lambda: bool(segmented.findChildren(QFileDialog)))
    assert window.isVisible()
    for dialog in segmented.findChildren(QFileDialog):
        dialog.reject()
    layer.undo()
    assert segmented.layers.unsaved == []


# The latent explorer


@pytest.fixture
def following(panel, directions_kept, open_explorer, viewer, network, finish) -> SegmentationPanel:
    """Return a panel that follows an explorer opened after it, and has segmented its volume."""
    panel.network.choose_file(network)
    open_explorer(viewer)
    panel.to_front()
    click(panel.follow)
    finish(panel)
    return panel


def seed_of(layer: Labels) -> int:
    return layer.metadata["cowgan"]["provenance"]["state"]["seed"]


@pytest.fixture
def until_seed(qtbot) -> Callable[[Labels, int], None]:
    return lambda layer, seed: qtbot.waitUntil(lambda: seed_of(layer) == seed, timeout=LONGEST_MS)


def test_the_arteries_follow_the_explorer_until_they_are_corrected(
    following, viewer, finish, qtbot, until_seed
):
    explorer = show_explorer(viewer).explorer
    (layer,) = labels_in(viewer)
    assert layer.name == "Territories of Synthetic TOF MRA"
    assert seed_of(layer) == 0
    QTest.keyClick(explorer, Qt.Key.Key_N, CTRL_ALT)
    until_seed(layer, 1)
    finish(following)
    assert following.saving.name.text() == "seed_000001"
    shown = next(one for one in viewer.layers if isinstance(one, Image))
    assert layer.data.shape == shown.data.shape and np.allclose(layer.scale, shown.scale)

    layer.paint((4, 16, 16), 3)
    corrected = np.array(layer.data)
    QTest.keyClick(explorer, Qt.Key.Key_N, CTRL_ALT)
    qtbot.waitUntil(lambda: len(labels_in(viewer)) == 2, timeout=LONGEST_MS)
    until_seed(labels_in(viewer)[1], 2)
    assert np.array_equal(layer.data, corrected) and seed_of(layer) == 1
    click(following.follow)
    QTest.keyClick(explorer, Qt.Key.Key_N, CTRL_ALT)
    qtbot.waitUntil(lambda: explorer.showing_complete_volume, timeout=LONGEST_MS)
    assert not following.job.running
    assert seed_of(labels_in(viewer)[1]) == 2


def test_a_volume_of_the_explorer_is_segmented_once_it_is_complete(
    docked_explorer, panel, viewer, network, finish, qtbot
):
    panel.network.choose_file(network)
    qtbot.waitUntil(panel.isVisible)
    QTest.keyClick(docked_explorer, Qt.Key.Key_N, CTRL_ALT)
    assert not docked_explorer.showing_complete_volume
    click(panel.start)
    assert "Waiting for the explorer" in told(panel) and not panel.job.running
    qtbot.waitUntil(lambda: bool(labels_in(viewer)), timeout=LONGEST_MS)
    finish(panel)
    assert seed_of(labels_in(viewer)[0]) == 1
