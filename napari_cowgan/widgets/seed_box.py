"""A field for a seed."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QFocusEvent, QKeyEvent
from qtpy.QtWidgets import QLineEdit, QSizePolicy

from cowgan.errors import CowganError
from cowgan.randomness import MAX_SEED, parse_seed
from napari_cowgan.widgets.controls import hint
from napari_cowgan.widgets.guards import UndoGuard


class SeedBox(QLineEdit):
    """A field for an unsigned 64-bit seed, which takes no other number for it.

    Return, or leaving the field, takes what was typed; the arrow keys count. What is not a seed
    is told in `problem`, and the seed stays as it was.

    Signals
    -------
    valueChanged : object
        A person changed the seed.

    Attributes
    ----------
    problem : QLabel
        One sentence about what was typed, hidden while there is nothing to tell. Whoever shows
        the field places it below.
    """

    valueChanged = Signal(object)

    def __init__(self, tooltip: str) -> None:
        super().__init__("0")
        self._value = 0
        self.problem = hint("")
        self.problem.hide()
        self.setToolTip(tooltip)
        self.setAccessibleName(tooltip)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(90)
        self.textEdited.connect(self._check)
        UndoGuard(self)

    def value(self) -> int:
        """Return the seed that was taken last."""
        return self._value

    def setValue(self, seed: int) -> None:
        """Take a seed, and tell it if it is another one."""
        changed = seed != self._value
        self.show_value(seed)
        if changed:
            self.valueChanged.emit(seed)

    def show_value(self, seed: int) -> None:
        """Show a seed without telling anyone."""
        self._value = seed
        self.problem.hide()
        self._show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the seed with Return and count with the arrows."""
        if event.key() == Qt.Key.Key_Up:
            self._step(1)
        elif event.key() == Qt.Key.Key_Down:
            self._step(-1)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take()
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the seed when a person goes on to something else."""
        self._take()
        super().focusOutEvent(event)

    def _step(self, by: int) -> None:
        self._take()
        self.setValue((self._value + by) % (MAX_SEED + 1))

    def _take(self) -> None:
        if self.text() == str(self._value):
            return
        seed = self._check(self.text())
        if seed is None:
            self._show()
        else:
            self.setValue(seed)

    def _check(self, typed: str) -> int | None:
        """Return the seed that is typed; what is none is told."""
        sentence, seed = "", None
        if typed.strip():
            try:
                seed = parse_seed(typed)
            except CowganError as error:
                sentence = f"{error.sentence} It stays {self._value}."
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))
        return seed

    def _show(self) -> None:
        self.setText(str(self._value))
        self.setCursorPosition(0)
