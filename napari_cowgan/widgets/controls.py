"""Small widgets that the control groups share."""

# superqt is only partly typed.
# mypy: allow-untyped-calls

import re
import time
from itertools import count

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QLocale, QObject, QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QImage, QKeyEvent, QKeySequence, QPixmap
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible, QElidingLabel, QLabeledDoubleSlider
from superqt.utils import signals_blocked

from cowgan.text import markup, one_line
from napari_cowgan.widgets.icons import IconButton
from napari_cowgan.widgets.settings import recall_flag, remember

SWATCH = QSize(12, 12)
_PAUSE_S = 1.0
_CATCH = 0.02
"""Share of a slider's range within which the mouse catches the neutral value."""
_UNBOUNDED = 2**24 - 1
# napari's themes paint a checked button in the highlight colour; a header is no button.
_HEADER_STYLE = """
QPushButton, QPushButton:checked, QPushButton:hover, QPushButton:pressed {
    background: transparent; border: none; border-top: 1px solid rgba(128, 128, 128, 90);
    border-radius: 0; text-align: left; font-weight: bold; padding: 6px 2px 4px 2px;
}
QPushButton:hover, QPushButton:focus { background: rgba(128, 128, 128, 50); }
"""
_UNDO_KEYS = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
_gestures = count()


class Section(QCollapsible):
    """A collapsible group of controls that remembers whether it is open."""

    def __init__(self, title: str, content: QWidget, expanded: bool = True) -> None:
        # As text, the arrow takes the theme's colour; superqt's icons are always black. PySide6
        # counts an icon without a picture as none, so it has to be an invisible one.
        invisible = QPixmap(1, 1)
        invisible.fill(Qt.GlobalColor.transparent)
        super().__init__(title, expandedIcon=QIcon(invisible), collapsedIcon=QIcon(invisible))
        self._title = title
        self.toggleButton().setStyleSheet(_HEADER_STYLE)
        self.setDuration(0)
        self.layout().setContentsMargins(0, 0, 0, 0)
        # superqt bounds the height, which cuts off text that wraps or grows.
        self.layout().setAlignment(Qt.AlignmentFlag(0))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.content().layout().setContentsMargins(4, 2, 4, 8)
        self.content().layout().addWidget(content)
        self.toggled.connect(self._on_toggled)
        if recall_flag(self._key, expanded):
            self.expand(animate=False)
        self._on_toggled(self.isExpanded())

    @property
    def _key(self) -> str:
        return f"section/{self._title}"

    def _on_toggled(self, expanded: bool) -> None:
        remember(self._key, expanded)
        # Keys must not lead to what is folded away.
        self.content().setVisible(expanded)
        if expanded:
            self.content().setMaximumHeight(_UNBOUNDED)
        self.setText(f"{'▾' if expanded else '▸'}  {self._title}")


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


class Slider(QLabeledDoubleSlider):
    """A horizontal slider with a value that can be typed.

    It begins at its neutral value, which the mouse catches nearby and a double click brings back.

    Signals
    -------
    moved : float, object
        A person changed the value; the second argument is equal for all changes of one
        gesture: a drag, or key presses and wheel turns without a pause.
    """

    moved = Signal(float, object)

    def __init__(self, minimum: float, maximum: float, neutral: float, tooltip: str) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.neutral = neutral
        self._catch = _CATCH * (maximum - minimum)
        self._dragging = False
        self.setRange(minimum, maximum)
        self.setDecimals(2)
        # superqt's proxy methods are annotated for whole numbers but take any.
        self.setSingleStep((maximum - minimum) / 100)  # type: ignore[arg-type]
        self.setPageStep((maximum - minimum) / 10)  # type: ignore[arg-type]
        self.setToolTip(tooltip)
        self.setValue(neutral)
        self._handle = self.findChild(QSlider)
        self._handle.installEventFilter(self)
        WheelGuard(self, self._handle)
        # superqt reads the typed text with float(), so a comma must not pass.
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
        """Show a value without telling anyone."""
        with signals_blocked(self):
            self.setValue(value)

    def reset(self) -> None:
        """Bring the neutral value back."""
        self.setValue(self.neutral)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let keys move the slider, which superqt's does not, and a double click reset it."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self._dragging = True
            self._clicked = None
            self._begin()
        elif event.type() == QEvent.Type.MouseButtonRelease:
            self._dragging = False
        elif event.type() == QEvent.Type.MouseButtonDblClick:
            # The first of the two clicks may have moved the slider: one undo takes both back.
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
        """Return the value that a key asks for, None if the key asks for none."""
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
        if self._dragging and 0 < abs(value - self.neutral) < self._catch:
            self.setValue(self.neutral)
            return
        now = time.monotonic()
        if not self.isSliderDown() and now - self._last_move > _PAUSE_S:
            self._begin()
        self._last_move = now
        if self._dragging:
            self._clicked = self._gesture
        # What counts is what can be read beside the slider.
        self.moved.emit(round(float(value), self.decimals()), self._gesture)


class SliderRow(QWidget):
    """A slider under its name, with a button that resets it."""

    def __init__(self, name: str, slider: Slider, extra: QWidget | None = None) -> None:
        super().__init__()
        self.slider = slider
        self.label = QElidingLabel(name)
        self.label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.label.setToolTip(name)
        self.label.installEventFilter(self)
        self._reset = icon_button(
            "reset", "Back to where it changes nothing (or double-click the slider)"
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
        """Bring the slider back to its neutral value."""
        self.slider.reset()

    def show_value(self, value: float) -> None:
        """Show a value without telling anyone."""
        self.slider.show_value(value)
        self._mark()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Reset on a double click on the name."""
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.reset()
            return True
        return super().eventFilter(watched, event)

    def _mark(self) -> None:
        self._reset.setEnabled(abs(self.slider.value() - self.slider.neutral) > 1e-9)


class ThumbnailButton(QToolButton):
    """A button that shows a small MIP above a caption."""

    def __init__(self, size: int, tooltip: str) -> None:
        super().__init__()
        self._size = size
        self.setIconSize(QSize(size, size))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setToolTip(tooltip)
        self.setAutoRaise(True)
        self.clear()

    def clear(self) -> None:
        """Show an empty picture."""
        pixmap = QPixmap(self._size, self._size)
        pixmap.fill(Qt.GlobalColor.black)
        self.setIcon(QIcon(pixmap))

    def show_pixmap(self, pixmap: QPixmap | None) -> None:
        """Show a picture, or an empty one for None."""
        if pixmap is None:
            self.clear()
        else:
            self.setIcon(QIcon(pixmap))


def icon_button(icon: str, tooltip: str, checkable: bool = False) -> IconButton:
    """Return a small flat button that shows an icon."""
    button = IconButton(icon)
    button.setToolTip(tooltip)
    button.setAccessibleName(tooltip)
    button.setCheckable(checkable)
    return button


def text_button(text: str, tooltip: str) -> QPushButton:
    """Return a push button with a text."""
    button = QPushButton(text)
    button.setToolTip(tooltip)
    return button


def hint(text: str) -> QLabel:
    """Return a wrapped, small line of explanation."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setStyleSheet("font-size: 11px;")
    return label


def breakable(text: str) -> str:
    """Return a text in which long paths may wrap, so that they do not widen the panel."""
    return re.sub(r"([/\\_.-])", "\\1\u200b", text)


def row(*items: QWidget | int) -> QHBoxLayout:
    """Return a horizontal layout of widgets; a number is a stretch."""
    layout = QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    for item in items:
        if isinstance(item, int):
            layout.addStretch(item)
        else:
            layout.addWidget(item)
    return layout


def scrolling(content: QWidget) -> QScrollArea:
    """Return an area without a frame that scrolls a widget up and down.

    The widget is as wide as there is room, so it must not need more.
    """
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def plain_tooltip(text: str) -> str:
    """Return a tooltip that shows text from a file, which Qt might otherwise read as HTML."""
    return f"<qt>{markup(one_line(text))}</qt>"


def swatch(colour: str) -> QIcon:
    """Return an icon that is one colour."""
    pixmap = QPixmap(SWATCH)
    pixmap.fill(QColor(colour))
    return QIcon(pixmap)


def pixmap_of(grey: NDArray[np.uint8]) -> QPixmap:
    """Return a pixmap of a uint8 array (height, width)."""
    height, width = grey.shape
    image = QImage(grey.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image.copy())
