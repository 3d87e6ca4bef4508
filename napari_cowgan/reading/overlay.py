"""Transparent overlay on a canvas that handles the mouse and draws annotations."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QFont, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from qtpy.QtWidgets import QWidget

from napari_cowgan.reading.style import ACCENT, FAINT_ON_IMAGE, ON_IMAGE

_CLICK_PX = 4
_NOTCH = 120
_MARK_RADIUS_PX = 14
_NUMBER_RADIUS_PX = 9
_EDGE_PX = 10
_SHADE = QColor(0, 0, 0, 180)


class Drag(Enum):
    """Kinds of drags, by mouse button and modifier keys."""

    MAIN = "left button"
    ZOOM = "right button"
    PAN = "middle button, or left with Shift"
    WINDOW = "left with Ctrl"


@dataclass(frozen=True)
class Annotations:
    """Annotations of an image.

    Parameters
    ----------
    letters : tuple of str
        Sides of the patient at the left, right, top and bottom of the screen.
    caption : str
        Text at the bottom left, such as the slice number.
    title : str
        Text at the top left.
    marks : sequence of (int, float, float, bool)
        Number, distance in px right of and below the centre, and whether it is on another
        slice.
    """

    letters: tuple[str, str, str, str] = ("", "", "", "")
    caption: str = ""
    title: str = ""
    marks: Sequence[tuple[int, float, float, bool]] = ()


class Overlay(QWidget):
    """Covers a canvas, so that napari receives no mouse events.

    Signals
    -------
    dragged : Drag, float, float
        Kind of drag, and motion in px to the right and down.
    clicked : float, float
        Position of a click in px right of and below the centre.
    turned : int, float, float, bool
        Wheel notches, position, and whether Ctrl was held.

    Attributes
    ----------
    writing : Annotations
        Current annotations.
    """

    dragged = Signal(object, float, float)
    clicked = Signal(float, float)
    turned = Signal(int, float, float, bool)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.annotations = Annotations()
        self._drag: Drag | None = None
        self._pressed = self._last = QPointF()
        self._moved = False
        self._wheel = 0

    def annotate(self, annotations: Annotations) -> None:
        """Replace the annotations."""
        if annotations != self.annotations:
            self.annotations = annotations
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start a drag or a click."""
        if self._drag is None:
            self._drag = _drag(event)
            self._pressed = self._last = event.position()
            self._moved = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Continue a drag."""
        if self._drag is None:
            return
        position = event.position()
        if not self._moved and (position - self._pressed).manhattanLength() <= _CLICK_PX:
            return
        self._moved = True
        by = position - self._last
        self._last = position
        self.dragged.emit(self._drag, by.x(), by.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag, or click."""
        drag, self._drag = self._drag, None
        if drag is Drag.MAIN and not self._moved:
            self.clicked.emit(*self._from_centre(event.position()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Count notches; a touchpad sends fractions of them."""
        delta = event.angleDelta()
        self._wheel += delta.y() or delta.x()
        notches = int(self._wheel / _NOTCH)
        self._wheel -= notches * _NOTCH
        if notches:
            held = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self.turned.emit(notches, *self._from_centre(event.position()), held)
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw letters, captions and marks."""
        annotations = self.annotations
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(_EDGE_PX, _EDGE_PX, -_EDGE_PX, -_EDGE_PX)
        align = Qt.AlignmentFlag
        middle = align.AlignVCenter
        sides = (
            align.AlignLeft | middle,
            align.AlignRight | middle,
            align.AlignHCenter | align.AlignTop,
            align.AlignHCenter | align.AlignBottom,
        )
        self._set_font(painter, 20, QFont.Weight.DemiBold)
        for letter, side in zip(annotations.letters, sides, strict=True):
            _text(painter, box, side, letter)
        self._set_font(painter, 15, QFont.Weight.Normal)
        _text(painter, box, align.AlignLeft | align.AlignBottom, annotations.caption)
        self._set_font(painter, 18, QFont.Weight.DemiBold)
        _text(painter, box, align.AlignLeft | align.AlignTop, annotations.title)
        self._set_font(painter, 13, QFont.Weight.Bold)
        for number, right, down, far in annotations.marks:
            self._paint_mark(painter, number, right, down, far)

    def _paint_mark(
        self, painter: QPainter, number: int, right: float, down: float, far: bool
    ) -> None:
        at = QPointF(self.width() / 2 + right, self.height() / 2 + down)
        colour = QColor(FAINT_ON_IMAGE if far else ACCENT)
        style = Qt.PenStyle.DotLine if far else Qt.PenStyle.SolidLine
        beside = at + QPointF(_MARK_RADIUS_PX + 7, -_MARK_RADIUS_PX)
        painter.setPen(QPen(_SHADE, 4))
        painter.drawEllipse(at, _MARK_RADIUS_PX, _MARK_RADIUS_PX)
        painter.setPen(QPen(colour, 2, style))
        painter.drawEllipse(at, _MARK_RADIUS_PX, _MARK_RADIUS_PX)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_SHADE)
        painter.drawEllipse(beside, _NUMBER_RADIUS_PX, _NUMBER_RADIUS_PX)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(colour)
        box = QRectF(0, 0, 2 * _NUMBER_RADIUS_PX, 2 * _NUMBER_RADIUS_PX)
        box.moveCenter(beside)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(number))

    def _set_font(self, painter: QPainter, px: int, weight: QFont.Weight) -> None:
        font = QFont(self.font())
        font.setPixelSize(px)
        font.setWeight(weight)
        painter.setFont(font)

    def _from_centre(self, position: QPointF) -> tuple[float, float]:
        return position.x() - self.width() / 2, position.y() - self.height() / 2


def _drag(event: QMouseEvent) -> Drag | None:
    button, keys = event.button(), event.modifiers()
    if button == Qt.MouseButton.RightButton:
        return Drag.ZOOM
    if button == Qt.MouseButton.MiddleButton:
        return Drag.PAN
    if button != Qt.MouseButton.LeftButton:
        return None
    if keys & Qt.KeyboardModifier.ShiftModifier:
        return Drag.PAN
    if keys & Qt.KeyboardModifier.ControlModifier:
        return Drag.WINDOW
    return Drag.MAIN


def _text(painter: QPainter, box: QRectF, side: Qt.AlignmentFlag, text: str) -> None:
    """Draw text with a dark outline, which is legible on any image."""
    if not text:
        return
    painter.setPen(_SHADE)
    for right, down in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(box.translated(right, down), side, text)
    painter.setPen(QColor(ON_IMAGE))
    painter.drawText(box, side, text)
