"""A field for a seed."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QFocusEvent, QKeyEvent
from qtpy.QtWidgets import QLineEdit, QSizePolicy

from cowgan.errors import CowganError
from cowgan.randomness import MAX_SEED, parse_seed
from napari_cowgan.widgets.controls import hint
from napari_cowgan.widgets.guards import UndoGuard


class SeedBox(QLineEdit):
    """A field for an unsigned 64-bit seed.

    Return, or leaving the field, accepts the typed text; the arrow keys count up and down. Invalid
    text is explained in `problem`, and the seed stays unchanged.

    Signals
    -------
    valueChanged : object
        The seed changed.

    Attributes
    ----------
    problem : QLabel
        One sentence about invalid text, hidden otherwise; to be placed below the field.
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
        """Return the last valid seed."""
        return self._value

    def setValue(self, seed: int) -> None:
        """Show a seed, and emit `valueChanged` if it differs."""
        changed = seed != self._value
        self.show_value(seed)
        if changed:
            self.valueChanged.emit(seed)

    def show_value(self, seed: int) -> None:
        """Show a seed without emitting signals."""
        self._value = seed
        self.problem.hide()
        self._show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Accept the text with Return and count with the arrow keys."""
        if event.key() == Qt.Key.Key_Up:
            self._step(1)
        elif event.key() == Qt.Key.Key_Down:
            self._step(-1)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._accept()
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Accept the text when the focus leaves the field."""
        self._accept()
        super().focusOutEvent(event)

    def _step(self, by: int) -> None:
        self._accept()
        self.setValue((self._value + by) % (MAX_SEED + 1))

    def _accept(self) -> None:
        if self.text() == str(self._value):
            return
        seed = self._check(self.text())
        if seed is None:
            self._show()
        else:
            self.setValue(seed)

    def _check(self, typed: str) -> int | None:
        """Return the typed seed; if it is invalid, say so and return None."""
        sentence, seed = "", None
        if typed.strip():
            try:
                seed = parse_seed(typed)
            except CowganError as error:
                sentence = f"{error.sentence} The seed stays {self._value}."
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))
        return seed

    def _show(self) -> None:
        self.setText(str(self._value))
        self.setCursorPosition(0)
