"""Event filters that keep fields from taking the wheel and the undo keys."""

from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import QLineEdit, QWidget

_UNDO_KEYS = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


class WheelGuard(QObject):
    """An event filter that keeps the wheel from changing fields while it scrolls the panel."""

    def __init__(self, *fields: QWidget) -> None:
        super().__init__(fields[0])
        for field in fields:
            field.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Pass wheel events on to the surrounding panel."""
        if event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return False


class UndoGuard(QObject):
    """An event filter that leaves undo and redo to the panel unless a line is being edited."""

    def __init__(self, line: QLineEdit) -> None:
        super().__init__(line)
        self._typing = False
        line.textEdited.connect(self._on_edited)
        line.editingFinished.connect(self._on_finished)
        line.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the line from claiming the keys, which it does even with nothing to undo."""
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
