"""Each control changes the latent state as labelled, and shows the current state."""

from dataclasses import replace

import numpy as np
import pytest
from gui_events import CTRL_ALT, click
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QAction, QShortcut
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLineEdit,
    QScrollArea,
    QWidget,
)

from cowgan.latent import load_directions
from cowgan.randomness import MAX_SEED
from cowgan.synthesis import BlockMix, LatentState
from napari_cowgan.explorer.direction_row import BlockRangeDialog
from napari_cowgan.explorer.panel import LatentExplorer
from napari_cowgan.viewer.display import display_array
from napari_cowgan.widgets.controls import Section
from napari_cowgan.widgets.sliders import Slider


@pytest.fixture
def explorer(lone_explorer: LatentExplorer) -> LatentExplorer:
    return lone_explorer


def shown_matches_state(explorer) -> bool:
    expected = explorer.model.synthesizer.render(explorer.model.latent)
    return np.allclose(explorer.shown.layer.data, display_array(expected), atol=1e-5)


def test_seed_buttons_step_roll_and_lock(explorer, settle):
    for section in explorer.findChildren(Section):
        section.expand(animate=False)
    group, model = explorer.seed, explorer.model
    click(group.next)
    assert model.latent.seed == 1
    click(group.previous)
    click(group.previous)
    assert model.latent.seed == MAX_SEED
    assert group.seed.value() == MAX_SEED
    click(group.next)
    assert model.latent.seed == 0
    click(group.dice)
    assert model.latent.seed not in (0, 1)
    rolled = model.latent.seed
    click(group.lock)
    for button in (group.next, group.previous, group.dice):
        assert not button.isEnabled()
    QTest.keyClick(explorer, Qt.Key.Key_N, CTRL_ALT)
    assert model.latent.seed == rolled
    click(group.lock)
    settle(explorer)
    assert shown_matches_state(explorer)


def test_shortcuts_work_from_the_canvas_and_leave_the_rest_of_napari_alone(viewer, docked_explorer):
    layers, ndisplay = list(viewer.layers), viewer.dims.ndisplay
    canvas = viewer.window._qt_window.centralWidget()
    QTest.keyClick(canvas, Qt.Key.Key_N, CTRL_ALT)
    QTest.keyClick(canvas, Qt.Key.Key_N, CTRL_ALT)
    assert docked_explorer.model.latent.seed == 2
    QTest.keyClick(canvas, Qt.Key.Key_B, CTRL_ALT)
    assert docked_explorer.model.latent.seed == 1
    QTest.keyClick(canvas, Qt.Key.Key_Z, CTRL_ALT)
    assert docked_explorer.model.latent.seed == 2
    QTest.keyClick(canvas, Qt.Key.Key_Y, CTRL_ALT)
    assert docked_explorer.model.latent.seed == 1
    QTest.keyClick(canvas, Qt.Key.Key_R, CTRL_ALT)
    assert docked_explorer.model.latent.seed != 1
    assert (list(viewer.layers), viewer.dims.ndisplay) == (layers, ndisplay)


def test_no_shortcut_is_taken_by_napari(viewer, docked_explorer):
    window = viewer.window._qt_window
    taken = {
        sequence.toString()
        for action in window.findChildren(QAction)
        for sequence in action.shortcuts()
    }
    own = {shortcut.key().toString() for shortcut in docked_explorer.findChildren(QShortcut)}
    assert len(own) == 9
    assert not (own - {"Ctrl+Z", "Ctrl+Shift+Z"}) & taken


def test_truncation_psi_and_cutoff(explorer, settle):
    group, model = explorer.truncation, explorer.model
    group.psi.slider.setValue(0.5)
    assert model.latent.psi == pytest.approx(0.5)
    index = group.cutoff.findData(2)
    group.cutoff.setCurrentIndex(index)
    group.cutoff.activated.emit(index)
    assert model.latent.cutoff == 2
    settle(explorer)
    assert shown_matches_state(explorer)
    group.psi.reset()
    assert model.latent.psi == 1


def test_truncation_towards_the_nearest_typical_style_is_chosen_by_keyboard(
    explorer, settle, qtbot
):
    group, model = explorer.truncation, explorer.model
    group.psi.slider.setValue(0.3)
    settle(explorer)
    average = explorer.shown.layer.data
    group.centre.setFocus()
    QTest.keyClick(group.centre, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: model.latent.centre == "nearest", timeout=20_000)
    settle(explorer)
    assert shown_matches_state(explorer)
    assert not np.array_equal(explorer.shown.layer.data, average)
    model.undo_stack.undo()
    assert group.centre.currentData() == model.latent.centre == "mean"


def test_directions_move_reset_and_act_on_the_chosen_blocks(explorer, settle):
    row, model = explorer.directions.rows[0], explorer.model
    row.slider.setValue(2)
    assert model.find_edit(row.direction).sigmas == pytest.approx(2)
    settle(explorer)
    assert shown_matches_state(explorer)
    dialog = BlockRangeDialog(model, (0, 1), explorer)
    dialog.first.setCurrentIndex(3)
    assert dialog.blocks() == (3, 3)
    dialog.last.setCurrentIndex(1)
    assert dialog.blocks() == (1, 1)
    row.set_blocks(dialog.blocks())
    edit = model.find_edit(row.direction)
    assert (edit.first_block, edit.last_block, edit.sigmas) == (1, 1, pytest.approx(2))
    assert row.detail.text() == "block 1"
    QTest.mouseDClick(row.label, Qt.MouseButton.LeftButton)
    assert model.latent.edits == ()
    assert row.slider.minimum() == -3
    assert row.slider.maximum() == 3


def test_directions_can_be_renamed_removed_kept_saved_and_loaded(explorer, tmp_path):
    group, model = explorer.directions, explorer.model
    count = len(model.directions)
    group.rows[0].slider.setValue(1)
    group.rename(group.rows[0].direction, "Wider basilar artery")
    assert model.latent.edits[0].direction.name == "Wider basilar artery"
    assert "Wider basilar artery" in group.rows[0].label.text()
    group.keep_edit("My mixture")
    assert next(d.name for d in model.directions) == "My mixture"
    kept = list(tmp_path.glob("kept/directions/*"))
    assert [d.name for d in load_directions(kept[0]).directions] == [
        d.name for d in model.directions
    ]
    path = tmp_path / "mine.safetensors"
    group.save_file(path)
    group.rows[1].removed.emit(group.rows[1].direction)
    assert model.latent.edits == ()
    assert len(model.directions) == count
    group.open_file(path)
    assert [d.name for d in model.directions][:2] == ["My mixture", "Wider basilar artery"]


def test_mixing_takes_blocks_from_the_second_seed(explorer, settle):
    group, model = explorer.mixing, explorer.model
    group.seed.setValue(9)
    group.blocks[0].click()
    group.blocks[2].click()
    assert model.latent.mixing == (BlockMix(0, 9), BlockMix(2, 9))
    group.amount.slider.setValue(0.25)
    assert {mix.weight for mix in model.latent.mixing} == {0.25}
    settle(explorer)
    assert shown_matches_state(explorer)
    group.swap.click()
    assert model.latent.seed == 9
    assert {mix.seed for mix in model.latent.mixing} == {0}
    assert group.seed.value() == 0
    group.none.click()
    assert model.latent.mixing == ()


def test_mixing_every_block_fully_shows_the_second_volume(explorer, settle):
    explorer.mixing.seed.setValue(4)
    for box in explorer.mixing.blocks:
        box.click()
    settle(explorer)
    mixed = explorer.shown.layer.data.copy()
    # Noise follows the first seed, but the noise gains of an untrained model are zero.
    second = explorer.model.synthesizer.render(LatentState(4))
    np.testing.assert_allclose(mixed, display_array(second), atol=1e-5)


def test_noise_modes_and_strength(explorer):
    group, model = explorer.noise, explorer.model
    for mode, noise, seed in (("Off", False, None), ("Fixed", True, 0), ("Random", True, None)):
        group.mode.setCurrentText(mode)
        group.mode.textActivated.emit(mode)
        assert (model.latent.noise, model.latent.noise_seed) == (noise, seed)
        assert group.seed.isEnabled() == (mode == "Fixed")
    group.dice.click()
    assert group.mode.currentText() == "Fixed"
    group.strength.slider.setValue(0.5)
    assert model.latent.noise_strength == (0.5,) * model.n_blocks


def test_groups_are_ordered_by_use_with_the_device_last(explorer):
    titles = [section.text()[3:] for section in explorer.findChildren(Section)]
    assert titles[:4] == ["Seed", "Measurements", "Attributes", "Directions"]
    assert titles[-1] == "Advanced"
    assert not explorer.checkpoint.device.isVisible()
    advanced = explorer.findChildren(Section)[-1]
    click(advanced.toggleButton())
    assert explorer.checkpoint.device.isVisible()
    assert explorer.checkpoint.precision.isVisible()


def test_reset_gives_the_plain_volume_and_can_be_undone(explorer):
    explorer.truncation.psi.slider.setValue(0.2)
    explorer.mixing.blocks[0].click()
    changed = explorer.model.latent
    explorer.reset.click()
    assert explorer.model.latent == LatentState(0)
    explorer.undo.click()
    assert explorer.model.latent == changed
    assert explorer.truncation.psi.slider.value() == pytest.approx(0.2)
    assert explorer.mixing.blocks[0].isChecked()


def test_favourites_are_kept_for_the_model(explorer, qtbot, settle, small_model):
    group, model = explorer.favourites, explorer.model
    assert group.strip.isHidden()
    assert not group.remove.isEnabled()
    group.add.click()
    model.set_seed(3)
    group.add.click()
    group.strip.item(1).setText("Wide")
    kept = group.favourites()
    assert [(f.name, f.state.seed) for f in kept] == [("Seed 0", 0), ("Wide", 3)]
    qtbot.waitUntil(
        lambda: all(not group.strip.item(i).icon().isNull() for i in range(2)), timeout=20_000
    )
    rectangle = group.strip.visualItemRect(group.strip.item(0))
    QTest.mouseClick(group.strip.viewport(), Qt.MouseButton.LeftButton, pos=rectangle.center())
    assert model.latent.seed == 0
    # Open another model and return, as in the next session.
    explorer.open_checkpoint(small_model)
    qtbot.waitUntil(lambda: not explorer.checkpoint.job.running, timeout=20_000)
    settle(explorer)
    assert group.favourites() == kept
    group.strip.item(1).setSelected(True)
    group.strip.item(0).setSelected(False)
    QTest.keyClick(group.strip, Qt.Key.Key_Delete)
    assert [f.name for f in group.favourites()] == ["Seed 0"]


def test_a_and_b_can_be_shown_in_turn_and_side_by_side(viewer, docked_explorer, qtbot, settle):
    group, model = docked_explorer.compare, docked_explorer.model
    assert not group.side_by_side.isEnabled()
    group.keep("A")
    model.set_seed(8)
    group.keep("B")
    group.show_buttons["A"].click()
    assert model.latent.seed == 0
    group.show_buttons["B"].click()
    assert model.latent.seed == 8
    group.side_by_side.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=20_000)
    assert viewer.canvas.grid.enabled
    by_name = {layer.name: layer.data for layer in viewer.layers}
    for name, seed in (("A", 0), ("B", 8)):
        expected = model.synthesizer.render(replace(LatentState(), seed=seed))
        np.testing.assert_allclose(
            by_name[f"{name}: seed {seed}"], display_array(expected), atol=0.02
        )
    group.side_by_side.click()
    assert len(viewer.layers) == 1
    assert not viewer.canvas.grid.enabled


def test_the_difference_of_a_and_b_is_shown_in_two_colours(viewer, docked_explorer, qtbot):
    group, model = docked_explorer.compare, docked_explorer.model
    group.keep("A")
    model.set_seed(8)
    group.keep("B")
    group.side_by_side.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=20_000)
    assert all(layer.name_overlay.visible for layer in viewer.layers)
    group.difference.click()
    assert not group.side_by_side.isChecked()
    qtbot.waitUntil(lambda: "Brighter in B" in str(list(viewer.layers)), timeout=20_000)
    assert not viewer.canvas.grid.enabled
    a, b = (display_array(model.synthesizer.render(LatentState(seed))) for seed in (0, 8))
    by_name = {layer.name: layer for layer in viewer.layers}
    for name, expected in (
        ("Brighter in A (seed 0): blue", np.maximum(a - b, 0)),
        ("Brighter in B (seed 8): orange", np.maximum(b - a, 0)),
    ):
        np.testing.assert_allclose(by_name[name].data, expected, atol=0.02)
        assert by_name[name].name_overlay.visible
        assert by_name[name].metadata["cowgan"]["synthetic"]
    assert not docked_explorer.shown.layer.visible
    model.undo_stack.undo()
    qtbot.waitUntil(lambda: len(viewer.layers) == 1)
    assert not group.difference.isChecked()
    assert docked_explorer.shown.layer.visible
    assert not docked_explorer.shown.layer.name_overlay.visible


def test_every_control_has_a_tooltip(explorer):
    own = [
        widget
        for kind in (QAbstractButton, QComboBox, Slider)
        for widget in explorer.findChildren(kind)
        if not _inside_foreign_widget(widget)
    ]
    assert len(own) > 40
    missing = [
        f"{type(widget).__name__} {getattr(widget, 'text', str)()}"
        for widget in own
        if not widget.toolTip()
    ]
    assert missing == []


def _inside_foreign_widget(widget: QWidget) -> bool:
    """Return whether a widget is a section header or part of a scroll bar or field."""
    parent = widget.parent()
    return isinstance(parent, Section | QLineEdit) or widget.objectName().startswith("qt_")


def test_the_panel_fits_a_dock_of_300_pixels(docked_explorer, qtbot):
    for section in docked_explorer.findChildren(Section):
        section.expand(animate=False)
    assert docked_explorer.height() == docked_explorer.parentWidget().height()
    scroll = docked_explorer.findChild(QScrollArea)
    margins = docked_explorer.layout().contentsMargins()

    def fits() -> None:
        needed = scroll.widget().minimumSizeHint().width() + scroll.verticalScrollBar().width()
        assert needed + margins.left() + margins.right() <= 300

    # On a busy computer, new widgets are styled a little later.
    qtbot.waitUntil(fits, timeout=5000)
    assert docked_explorer.minimumSizeHint().width() <= 300
    dock = docked_explorer.parent()
    while not hasattr(dock, "setFloating"):
        dock = dock.parent()
    dock.setFloating(True)
    dock.resize(312, 900)
    QTest.qWait(100)
    for button in docked_explorer.findChildren(QAbstractButton):
        if button.isVisible() and button.text():
            assert button.width() >= button.minimumSizeHint().width(), button.text()
            right = button.mapTo(docked_explorer, QPoint(button.width(), 0)).x()
            assert right <= docked_explorer.width(), button.text()
    dock.setFloating(False)
