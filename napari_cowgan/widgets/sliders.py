"""Sliders with a neutral value."""

# superqt is only partly typed.
# mypy: allow-untyped-calls

import time
from itertools import count

from qtpy.QtCore import QEvent, QLocale, QObject, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QSlider, QVBoxLayout, QWidget
from superqt import QElidingLabel, QLabeledDoubleSlider
from superqt.utils import signals_blocked

from napari_cowgan.widgets.controls import icon_button
from napari_cowgan.widgets.guards import UndoGuard, WheelGuard

_PAUSE_S = 1.0
_SNAP = 0.02
"""Share of a slider's range within which the mouse snaps to the neutral value."""
_gestures = count()


class Slider(QLabeledDoubleSlider):
    """A horizontal slider with an editable value.

    It starts at its neutral value, to which the mouse snaps nearby and a double click returns.

    Signals
    -------
    moved : float, object
        The user changed the value; the second argument is equal for all changes of one
        gesture: a drag, or key presses and wheel turns without a pause.
    """

    moved = Signal(float, object)

    def __init__(self, minimum: float, maximum: float, neutral: float, tooltip: str) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.neutral = neutral
        self._snap = _SNAP * (maximum - minimum)
        self._dragging = False
        self.setRange(minimum, maximum)
        self.setDecimals(2)
        # superqt's proxy methods are annotated for integers but take any number.
        self.setSingleStep((maximum - minimum) / 100)  # type: ignore[arg-type]
        self.setPageStep((maximum - minimum) / 10)  # type: ignore[arg-type]
        self.setToolTip(tooltip)
        self.setValue(neutral)
        self._handle = self.findChild(QSlider)
        self._handle.installEventFilter(self)
        WheelGuard(self, self._handle)
        # superqt parses the text with float(), so a decimal comma must not pass.
        line = self.findChild(QLineEdit)
        line.validator().setLocale(QLocale.c())
        UndoGuard(line)
        self._handle.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocusProxy(self._handle)
        self._gesture = next(_gestures)
        self._clicked: int | None = None
        self._last_move = 0.0
        self.sliderReleased.connect(self._begin)
        self.valueChanged.connect(self._on_value)

    def show_value(self, value: float) -> None:
        """Show a value without emitting signals; the range widens to hold it."""
        with signals_blocked(self):
            self.setRange(min(self.minimum(), value), max(self.maximum(), value))
            self.setValue(value)

    def reset(self) -> None:
        """Return to the neutral value."""
        self.setValue(self.neutral)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let keys move the slider, which superqt lacks, and a double click reset it."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self._dragging = True
            self._clicked = None
            self._begin()
        elif event.type() == QEvent.Type.MouseButtonRelease:
            self._dragging = False
        elif event.type() == QEvent.Type.MouseButtonDblClick:
            # The first of the two clicks may have moved the slider: one undo reverts both.
            self._gesture = next(_gestures) if self._clicked is None else self._clicked
            self._last_move = time.monotonic()
            self.reset()
            self._begin()
            return True
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            target = self._key_target(event.key())
            if target is not None:
                self.setValue(min(max(target, self.minimum()), self.maximum()))
                return True
        return super().eventFilter(watched, event)

    def _key_target(self, key: int) -> float | None:
        """Return the value to which a key moves the slider; None for other keys."""
        step, page = self.singleStep(), self.pageStep()
        targets = {
            Qt.Key.Key_Right: self.value() + step,
            Qt.Key.Key_Up: self.value() + step,
            Qt.Key.Key_Left: self.value() - step,
            Qt.Key.Key_Down: self.value() - step,
            Qt.Key.Key_PageUp: self.value() + page,
            Qt.Key.Key_PageDown: self.value() - page,
            Qt.Key.Key_Home: self.minimum(),
            Qt.Key.Key_End: self.maximum(),
        }
        return next((value for known, value in targets.items() if known == key), None)

    def _begin(self) -> None:
        self._gesture = next(_gestures)

    def _on_value(self, value: float) -> None:
        if self._dragging and 0 < abs(value - self.neutral) < self._snap:
            self.setValue(self.neutral)
            return
        now = time.monotonic()
        if not self.isSliderDown() and now - self._last_move > _PAUSE_S:
            self._begin()
        self._last_move = now
        if self._dragging:
            self._clicked = self._gesture
        # Emit the value as displayed.
        self.moved.emit(round(float(value), self.decimals()), self._gesture)


class SliderRow(QWidget):
    """A slider below its name, with a reset button."""

    def __init__(self, name: str, slider: Slider, extra: QWidget | None = None) -> None:
        super().__init__()
        self.slider = slider
        self.label = QElidingLabel(name)
        self.label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.label.setToolTip(name)
        self.label.installEventFilter(self)
        self._reset = icon_button(
            "reset", "Reset to the value that changes nothing (or double-click the slider)"
        )
        self._reset.clicked.connect(self.reset)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(2)
        head.addWidget(self.label, 1)
        if extra is not None:
            head.addWidget(extra)
        head.addWidget(self._reset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(slider)
        slider.valueChanged.connect(self._mark)
        self._mark()

    def reset(self) -> None:
        """Return the slider to its neutral value."""
        self.slider.reset()

    def show_value(self, value: float) -> None:
        """Show a value without emitting signals."""
        self.slider.show_value(value)
        self._mark()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Reset the slider on a double click on its name."""
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.reset()
            return True
        return super().eventFilter(watched, event)

    def _mark(self) -> None:
        self._reset.setEnabled(abs(self.slider.value() - self.slider.neutral) > 1e-9)
