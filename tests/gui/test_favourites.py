"""Favourites are stored, renamed and reordered, and survive a damaged file."""

import json

import pytest
from gui_menus import close_panel
from qtpy.QtCore import QModelIndex, Qt
from qtpy.QtGui import QIcon
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLineEdit, QListView, QListWidget

from cowgan.errors import CowganError
from cowgan.synthesis import LatentState
from napari_cowgan.explorer import ExplorerPanel
from napari_cowgan.explorer.favourites import Favourite, favourites_path, read_favourites
from napari_cowgan.explorer.panel import LatentExplorer
from napari_cowgan.widgets.docked import find_panel

NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def explorer(lone_explorer: LatentExplorer) -> LatentExplorer:
    return lone_explorer


@pytest.fixture
def strip(explorer) -> QListWidget:
    """Return a strip of seeds 0, 1 and 2."""
    for seed in range(3):
        explorer.model.set_seed(seed)
        explorer.favourites.add.click()
    return explorer.favourites.strip


def stored(explorer) -> list[str]:
    return [f.name for f in read_favourites(explorer.model.checkpoint)]


def click(strip: QListWidget, index: int, modifier: Qt.KeyboardModifier = NONE) -> None:
    where = strip.visualItemRect(strip.item(index)).center()
    QTest.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, modifier, where)


def test_a_name_is_typed_in_place_and_return_keeps_the_shown_volume(explorer, strip, qtbot):
    explorer.model.set_seed(50)
    strip.setCurrentRow(1)
    strip.setFocus()
    QTest.keyClick(strip, Qt.Key.Key_F2)
    editor = strip.findChild(QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, "Fetal PCA")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: stored(explorer) == ["Seed 0", "Fetal PCA", "Seed 2"])
    assert explorer.model.latent.seed == 50


def test_a_new_thumbnail_does_not_interrupt_typing(explorer, strip, qtbot):
    item = strip.item(1)
    qtbot.waitUntil(lambda: not item.icon().isNull(), timeout=60_000)
    strip.setCurrentRow(1)
    strip.setFocus()
    QTest.keyClick(strip, Qt.Key.Key_F2)
    editor = strip.findChild(QLineEdit)
    item.setIcon(QIcon())
    editor.selectAll()
    QTest.keyClicks(editor, "Fetal PCA")
    explorer.favourites._thumbnails.changed.emit()
    assert editor.text() == "Fetal PCA"
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: stored(explorer) == ["Seed 0", "Fetal PCA", "Seed 2"])
    assert not item.icon().isNull()


def test_deleting_letters_of_a_name_deletes_no_favourite(explorer, strip):
    strip.setCurrentRow(1)
    strip.setFocus()
    QTest.keyClick(strip, Qt.Key.Key_F2)
    editor = strip.findChild(QLineEdit)
    for _ in range(20):
        QTest.keyClick(editor, Qt.Key.Key_Backspace)
        QTest.keyClick(editor, Qt.Key.Key_Delete)
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    assert stored(explorer) == ["Seed 0", "Seed 1", "Seed 2"]


def test_keys_select_apply_and_remove(explorer, strip):
    strip.setCurrentRow(0)
    strip.setFocus()
    QTest.keyClick(strip, Qt.Key.Key_Right)
    QTest.keyClick(strip, Qt.Key.Key_Return)
    assert explorer.model.latent.seed == 1
    QTest.keyClick(strip, Qt.Key.Key_Delete)
    assert stored(explorer) == ["Seed 0", "Seed 2"]
    QTest.keyClick(strip, Qt.Key.Key_Z, CTRL)
    assert stored(explorer) == ["Seed 0", "Seed 1", "Seed 2"]
    QTest.keyClick(strip, Qt.Key.Key_Z, CTRL)
    assert explorer.model.latent.seed == 2


def test_a_new_order_is_kept(explorer, strip):
    # Static movement makes a drag in icon mode move rows rather than only icons.
    assert strip.movement() == QListView.Movement.Static
    assert strip.dragEnabled()
    assert strip.model().moveRows(QModelIndex(), 2, 1, QModelIndex(), 0)
    assert [f.state.seed for f in explorer.favourites.favourites()] == [2, 0, 1]
    assert stored(explorer) == ["Seed 2", "Seed 0", "Seed 1"]


def test_several_are_removed_at_once(explorer, strip):
    strip.selectAll()
    explorer.favourites.remove.click()
    assert stored(explorer) == []
    assert not strip.isVisible()
    assert not explorer.favourites.remove.isEnabled()


def test_a_ctrl_click_selects_without_leaving_the_shown_volume(explorer, strip):
    explorer.model.set_seed(50)
    click(strip, 1, CTRL)
    assert strip.item(1).isSelected()
    assert explorer.model.latent.seed == 50


def test_a_damaged_file_is_reported_and_set_aside(viewer, docked_explorer, open_explorer, problem):
    docked_explorer.favourites.add.click()
    path = favourites_path(docked_explorer.model.checkpoint)
    for content in ("{", '[{"name": "x"}]', "[1]"):
        path.write_text(content, encoding="utf-8")
        close_panel(find_panel(viewer, ExplorerPanel))
        again = open_explorer(viewer)
        assert "set aside" in problem(again)
        assert path.with_suffix(".damaged.json").read_text(encoding="utf-8") == content
        assert again.favourites.favourites() == []
        again.favourites.add.click()
        assert len(json.loads(path.read_text(encoding="utf-8"))) == 1


def test_a_favourite_restores_everything(explorer):
    explorer.truncation.psi.slider.setValue(0.4)
    explorer.directions.rows[2].slider.setValue(-1)
    explorer.mixing.blocks[1].click()
    wanted = explorer.model.latent
    explorer.favourites.add.click()
    explorer.reset.click()
    assert explorer.model.latent == LatentState()
    click(explorer.favourites.strip, 0)
    assert explorer.model.latent == wanted
    assert explorer.directions.rows[2].slider.value() == -1


def test_a_folder_that_cannot_be_written_is_reported(explorer, data_folder, problem):
    (data_folder / "favourites").write_text("in the way", encoding="utf-8")
    explorer.favourites.add.click()
    assert "could not be written" in problem(explorer)
    assert len(explorer.favourites.favourites()) == 1


@pytest.mark.parametrize("entry", [{}, {"name": "x", "state": 3}, {"name": "x", "state": {}}, 7])
def test_a_damaged_entry_is_one_error(entry):
    with pytest.raises(CowganError):
        Favourite.from_dict(entry)
