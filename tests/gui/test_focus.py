"""The keyboard focus of a panel that is busy for a while."""

import pytest
from qtpy.QtWidgets import QApplication, QDialog, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_cowgan.widgets.focus import FocusKeeper


@pytest.fixture
def window(qtbot) -> QWidget:
    """Return a window with a panel of three buttons, and a line beside it."""
    window = QWidget()
    window.line = QLineEdit()
    window.panel = QWidget()
    window.buttons = [QPushButton(name) for name in "abc"]
    column = QVBoxLayout(window.panel)
    for button in window.buttons:
        column.addWidget(button)
    layout = QVBoxLayout(window)
    layout.addWidget(window.panel)
    layout.addWidget(window.line)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


def lose_focus() -> None:
    """Leave the focus nowhere, as Qt does when the last control is disabled."""
    QApplication.focusWidget().clearFocus()


def test_the_control_that_had_the_focus_gets_it_back(window):
    _, second, _ = window.buttons
    keeper = FocusKeeper(window.panel)
    second.setFocus()
    keeper.keep()
    lose_focus()
    keeper.restore()
    assert QApplication.focusWidget() is second


@pytest.mark.parametrize("how", ["setDisabled", "setHidden"])
def test_the_next_one_gets_it_if_that_is_out_of_reach(window, how):
    first, second, third = window.buttons
    keeper = FocusKeeper(window.panel)
    first.setFocus()
    keeper.keep()
    lose_focus()
    for button in (first, second):
        getattr(button, how)(True)
    keeper.restore()
    assert QApplication.focusWidget() is third


def test_the_focus_is_not_taken_from_where_the_user_put_it(window):
    keeper = FocusKeeper(window.panel)
    window.buttons[0].setFocus()
    keeper.keep()
    window.line.setFocus()
    keeper.restore()
    assert QApplication.focusWidget() is window.line


def test_a_focus_outside_the_panel_is_none_of_its_business(window):
    keeper = FocusKeeper(window.panel)
    window.line.setFocus()
    keeper.keep()
    lose_focus()
    keeper.restore()
    assert QApplication.focusWidget() is None


def test_a_dialog_in_front_makes_no_difference(window, qtbot):
    _, second, third = window.buttons
    keeper = FocusKeeper(window.panel)
    second.setFocus()
    dialog = QDialog(window)
    dialog.open()
    qtbot.waitUntil(dialog.isActiveWindow)
    keeper.keep()
    window.panel.setEnabled(False)
    dialog.close()
    window.panel.setEnabled(True)
    second.setEnabled(False)
    keeper.restore()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    assert QApplication.focusWidget() is third
