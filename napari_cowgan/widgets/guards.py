"""Event filters that keep fields from taking the wheel and the undo keys."""

from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import QLineEdit, QWidget

_UNDO_KEYS = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


class WheelGuard(QObject):
    """Keeps fields from changing when the wheel scrolls the panel over them."""

    def __init__(self, *fields: QWidget) -> None:
        super().__init__(fields[0])
        for field in fields:
            field.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Pass the wheel on to what lies around the field."""
        if event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return False


class UndoGuard(QObject):
    """Leaves undo and redo to the panel, unless a line holds a text that has not been taken yet."""

    def __init__(self, line: QLineEdit) -> None:
        super().__init__(line)
        self._typing = False
        line.textEdited.connect(self._on_edited)
        line.editingFinished.connect(self._on_finished)
        line.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Do not let the line claim the keys, as it does even when it has nothing to undo."""
        if event.type() == QEvent.Type.FocusOut:
            self._typing = False
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and not self._typing
            and any(map(event.matches, _UNDO_KEYS))
        ):
            event.ignore()
            return True
        return False

    def _on_edited(self) -> None:
        self._typing = True

    def _on_finished(self) -> None:
        self._typing = False
