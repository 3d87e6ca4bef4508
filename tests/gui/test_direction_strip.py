"""Thumbnails along a direction."""

import pytest
from gui_events import click
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_cowgan.explorer.direction_row import DirectionRow
from napari_cowgan.explorer.direction_strip import STEPS


@pytest.fixture
def opened(lone_explorer, wait_for_pictures) -> DirectionRow:
    """Return the first row, whose strip shows its thumbnails."""
    row = lone_explorer.directions.rows[0]
    click(row.strip_button)
    wait_for_pictures(row)
    return row


@pytest.fixture
def wait_for_pictures(qtbot):
    def wait(row: DirectionRow) -> None:
        qtbot.waitUntil(lambda: all(each.has_picture for each in row.strip.buttons), timeout=60_000)

    return wait


def test_a_click_on_a_thumbnail_moves_the_slider_and_can_be_undone(opened, lone_explorer):
    model = lone_explorer.model
    click(opened.strip.buttons[STEPS.index(2)])
    assert opened.slider.value() == 2
    assert model.find_edit(opened.direction).sigmas == 2
    # Its own slider changes nothing of what the thumbnails show.
    assert all(each.has_picture for each in opened.strip.buttons)
    click(opened.strip.buttons[STEPS.index(-3)])
    model.undo_stack.undo()
    assert model.find_edit(opened.direction).sigmas == 2
    model.undo_stack.undo()
    assert model.latent.edits == ()


def test_thumbnails_are_chosen_by_keyboard_and_have_names(opened):
    button = opened.strip.buttons[STEPS.index(-1)]
    assert button.accessibleName() == f"{opened.direction.name}: -1 sigma"
    button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert opened.slider.value() == -1


def test_thumbnails_follow_the_volume_at_hand(opened, lone_explorer, wait_for_pictures):
    lone_explorer.model.set_seed(3)
    assert not any(each.has_picture for each in opened.strip.buttons)
    wait_for_pictures(opened)


def test_one_strip_is_open_at_a_time_and_stays_with_its_direction(opened, lone_explorer):
    group = lone_explorer.directions
    click(group.rows[1].strip_button)
    assert opened.strip is None
    assert not opened.strip_button.isChecked()
    group.rename(group.rows[1].direction, "Mine")
    assert [row.strip is not None for row in group.rows[:2]] == [False, True]
    assert group.rows[1].strip.buttons[0].accessibleName() == "Mine: -3 sigma"
    click(group.rows[1].strip_button)
    assert all(row.strip is None for row in group.rows)
