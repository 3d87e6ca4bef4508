"""Ctrl+Z restores everything that the user can lose."""

import pytest
from gui_events import click
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QInputDialog, QLineEdit, QMenu, QWidget

from cowgan.latent import load_directions
from cowgan.synthesis import LatentState
from napari_cowgan.explorer.favourites import read_favourites
from napari_cowgan.explorer.panel import LatentExplorer
from napari_cowgan.widgets.controls import Section

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def explorer(lone_explorer: LatentExplorer) -> LatentExplorer:
    return lone_explorer


def press_undo(widget: QWidget) -> None:
    widget.setFocus()
    QTest.keyClick(widget, Qt.Key.Key_Z, CTRL)


def retype(line: QLineEdit, text: str, key: Qt.Key | None = Qt.Key.Key_Return) -> None:
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text)
    if key is not None:
        QTest.keyClick(line, key)


def choose(row, entry: str) -> None:
    """Choose an entry of a direction's menu."""
    (menu,) = row.findChildren(QMenu)
    next(action for action in menu.actions() if action.text() == entry).trigger()


def kept_directions(data_folder) -> list[str]:
    (path,) = data_folder.glob("directions/*")
    return [direction.name for direction in load_directions(path).directions]


def test_removed_renamed_and_moved_favourites_come_back(explorer):
    group, model = explorer.favourites, explorer.model
    for seed in range(3):
        model.set_seed(seed)
        click(group.add)
    before = group.favourites()
    group.strip.item(0).setSelected(True)
    group.strip.item(2).setSelected(True)
    click(group.remove)
    group.strip.item(0).setText("Wide")
    assert [f.name for f in group.favourites()] == ["Wide"]
    press_undo(group.strip)
    assert [f.name for f in group.favourites()] == ["Seed 1"]
    press_undo(group.strip)
    assert group.favourites() == before
    assert read_favourites(model.checkpoint) == before
    QTest.keyClick(group.strip, Qt.Key.Key_Z, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert [f.state.seed for f in read_favourites(model.checkpoint)] == [1]


def test_a_removed_direction_comes_back_where_it_was_with_its_effect(explorer, data_folder):
    group, model = explorer.directions, explorer.model
    group.rows[1].slider.setValue(2)
    before, latent = list(model.directions), model.latent
    choose(group.rows[1], "Remove")
    assert before[1].name not in kept_directions(data_folder)
    assert model.latent.edits == ()
    press_undo(explorer.seed.seed)
    assert model.directions == before
    assert model.latent == latent
    assert group.rows[1].slider.value() == 2
    assert kept_directions(data_folder) == [direction.name for direction in before]


def test_a_renamed_direction_gets_its_name_back(explorer, data_folder, qtbot):
    row = explorer.directions.rows[0]
    name = row.direction.name
    choose(row, "Rename…")
    qtbot.waitUntil(lambda: bool(explorer.findChildren(QInputDialog)))
    (dialog,) = explorer.findChildren(QInputDialog)
    retype(dialog.findChild(QLineEdit), "Wider basilar artery")
    assert kept_directions(data_folder)[0] == "Wider basilar artery"
    press_undo(explorer.seed.seed)
    assert explorer.directions.rows[0].direction.name == name
    assert kept_directions(data_folder)[0] == name


def test_directions_that_are_found_after_a_removal_stay_when_it_is_undone(explorer):
    model = explorer.model
    before = list(model.directions)
    model.remove_direction(before[0])
    found = before[-1]
    model.remove_direction(found)
    model.undo_stack.clear()
    model.remove_direction(before[1])
    model.set_directions([*model.directions, found])
    model.undo_stack.undo()
    assert set(model.directions) == set(before) - {before[0]}


def test_a_replaced_volume_a_comes_back(explorer):
    group, model = explorer.compare, explorer.model
    group.keep("A")
    model.set_seed(5)
    group.keep("A")
    press_undo(explorer.seed.seed)
    assert group.slots["A"] == LatentState(0)
    assert model.latent.seed == 5


def test_a_typed_seed_is_undone_from_within_its_field(explorer):
    box = explorer.seed.seed
    retype(box, "42")
    assert explorer.model.latent.seed == 42
    QTest.keyClick(box, Qt.Key.Key_Z, CTRL)
    assert explorer.model.latent.seed == 0
    assert box.text() == "0"
    QTest.keyClick(box, Qt.Key.Key_Z, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert explorer.model.latent.seed == 42


def test_a_typed_slider_value_is_undone_from_within_its_field(explorer):
    row = explorer.directions.rows[0]
    line = row.slider.findChild(QLineEdit)
    retype(line, "1.25")
    assert row.slider.value() == 1.25
    press_undo(line)
    assert explorer.model.latent.edits == ()
    assert float(line.text()) == 0


def test_the_seed_fields_of_other_groups_are_undone_too(explorer):
    for section in explorer.findChildren(Section):
        section.expand(animate=False)
    click(explorer.noise.dice)
    for group in (explorer.mixing, explorer.noise):
        before = group.seed.value()
        retype(group.seed, "77")
        assert group.seed.value() == 77
        QTest.keyClick(group.seed, Qt.Key.Key_Z, CTRL)
        assert group.seed.value() == before


def test_undo_in_a_field_first_undoes_typing(explorer):
    explorer.model.set_seed(7)
    box = explorer.seed.seed
    retype(box, "421", key=None)
    QTest.keyClick(box, Qt.Key.Key_Z, CTRL)
    assert explorer.model.latent.seed == 7
    assert box.text() != "421"
