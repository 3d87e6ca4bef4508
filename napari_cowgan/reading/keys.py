"""Key bindings of the reading window, and the filter that blocks all other keys."""

from collections.abc import Callable
from enum import StrEnum

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QAbstractButton, QApplication

from cowgan.turing.design.trials import Design


class Action(StrEnum):
    """Actions of a reader; each can be triggered by a key or with the mouse."""

    GO_ON = "go on"
    FIRST = "first answer"
    SECOND = "second answer"
    LEVEL_1 = "level 1"
    LEVEL_2 = "level 2"
    LEVEL_3 = "level 3"
    LEVEL_4 = "level 4"
    LEVEL_5 = "level 5"
    PAUSE = "pause"
    MIP = "projection"
    RESET_WINDOW = "reset window"
    UP = "slice up"
    DOWN = "slice down"
    FAR_UP = "five slices up"
    FAR_DOWN = "five slices down"
    UNDO_MARK = "undo mark"
    FULL_SCREEN = "full screen"
    HELP = "help"


LEVELS = (Action.LEVEL_1, Action.LEVEL_2, Action.LEVEL_3, Action.LEVEL_4, Action.LEVEL_5)
_REPEATABLE = {Action.UP, Action.DOWN, Action.FAR_UP, Action.FAR_DOWN}

_Key = Qt.Key
_COMMON = {
    _Key.Key_Return: Action.GO_ON,
    _Key.Key_Enter: Action.GO_ON,
    _Key.Key_Space: Action.GO_ON,
    _Key.Key_1: Action.LEVEL_1,
    _Key.Key_2: Action.LEVEL_2,
    _Key.Key_3: Action.LEVEL_3,
    _Key.Key_4: Action.LEVEL_4,
    _Key.Key_5: Action.LEVEL_5,
    _Key.Key_P: Action.PAUSE,
    _Key.Key_M: Action.MIP,
    _Key.Key_W: Action.RESET_WINDOW,
    _Key.Key_Up: Action.UP,
    _Key.Key_Down: Action.DOWN,
    _Key.Key_PageUp: Action.FAR_UP,
    _Key.Key_PageDown: Action.FAR_DOWN,
    _Key.Key_Backspace: Action.UNDO_MARK,
    _Key.Key_F11: Action.FULL_SCREEN,
    _Key.Key_F1: Action.HELP,
}
_ANSWERS: dict[Design, dict[Qt.Key, Action]] = {
    "rating": {_Key.Key_R: Action.FIRST, _Key.Key_G: Action.SECOND},
    "2afc": {_Key.Key_Left: Action.FIRST, _Key.Key_Right: Action.SECOND},
}
_NAVIGATION = {_Key.Key_Tab, _Key.Key_Backtab}
# Some keyboards have digits on shifted keys; number pads set a modifier of their own.
_HARMLESS = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
_KEY_EVENTS = {
    QEvent.Type.KeyPress,
    QEvent.Type.KeyRelease,
    QEvent.Type.ShortcutOverride,
    QEvent.Type.Shortcut,
}


class KeyGate(QObject):
    """Handles all key events of the application, and blocks keys that have no action.

    napari and Qt bind many keys to functions that a reader must not use. Tab moves between
    buttons, and the space bar presses the focused one.

    Parameters
    ----------
    act : callable
        Called with each action.
    parent : QObject
        Qt parent.
    """

    def __init__(self, act: Callable[[Action], None], parent: QObject) -> None:
        super().__init__(parent)
        self._act = act
        self.design: Design = "rating"
        QApplication.instance().installEventFilter(self)

    def close(self) -> None:
        """Stop filtering keys."""
        QApplication.instance().removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Carry out actions, and block all other keys."""
        if event.type() not in _KEY_EVENTS or QApplication.activeModalWidget() is not None:
            # File names are typed in dialogs.
            return False
        if not isinstance(event, QKeyEvent):
            return True
        plain = not event.modifiers() & ~_HARMLESS
        if plain and (event.key() in _NAVIGATION or self._presses_button(event)):
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            # Accepting the event keeps Qt from triggering shortcuts.
            event.accept()
        elif plain and event.type() == QEvent.Type.KeyPress:
            action = self._action(event)
            if action is not None:
                self._act(action)
        return True

    def _presses_button(self, event: QKeyEvent) -> bool:
        return event.key() == _Key.Key_Space and isinstance(
            QApplication.focusWidget(), QAbstractButton
        )

    def _action(self, event: QKeyEvent) -> Action | None:
        key = Qt.Key(event.key())
        action = (_COMMON | _ANSWERS[self.design]).get(key)
        if event.isAutoRepeat() and action not in _REPEATABLE:
            return None
        return action
