"""Real mouse, wheel, key and drop events."""

from pathlib import Path

from qtpy.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QApplication, QSlider, QWidget

CTRL_ALT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
_LEFT, _NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def click(button: QAbstractButton) -> None:
    QTest.mouseClick(button, _LEFT, pos=QPoint(8, button.height() // 2))


def click_at(widget: QWidget, right: int, down: int) -> None:
    """Click at an offset in pixels from the middle of a widget."""
    QTest.mouseClick(widget, _LEFT, pos=widget.rect().center() + QPoint(right, down))


def drag_across(
    widget: QWidget,
    right: int,
    down: int,
    button: Qt.MouseButton = _LEFT,
    keys: Qt.KeyboardModifier = _NONE,
    start: QPoint | None = None,
) -> None:
    """Drag from a place in a widget, by default its middle."""
    start = QPointF(widget.rect().center() if start is None else start)
    by = QPointF(right, down)
    for kind, at in (
        (QEvent.Type.MouseButtonPress, start),
        (QEvent.Type.MouseMove, start + by / 2),
        (QEvent.Type.MouseMove, start + by),
        (QEvent.Type.MouseButtonRelease, start + by),
    ):
        globally = QPointF(widget.mapToGlobal(at))
        QApplication.sendEvent(widget, QMouseEvent(kind, at, globally, button, button, keys))


def drag(slider: QSlider, steps: int, by: int) -> None:
    """Press the handle in the middle of a slider and drag it sideways."""
    middle = QPoint(slider.width() // 2, slider.height() // 2)
    QTest.mousePress(slider, _LEFT, pos=middle)
    for step in range(1, steps + 1):
        QTest.mouseMove(slider, middle + QPoint(by * step // steps, 0))
        QTest.qWait(10)
    QTest.mouseRelease(slider, _LEFT, pos=middle + QPoint(by, 0))


def wheel(widget: QWidget, angle: int = -120) -> None:
    """Turn the wheel over a widget; like Qt, offer the event to its parents until one accepts."""
    while widget is not None:
        centre = widget.rect().center()
        event = QWheelEvent(
            QPointF(centre),
            QPointF(widget.mapToGlobal(centre)),
            QPoint(0, 0),
            QPoint(0, angle),
            Qt.MouseButton.NoButton,
            _NONE,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)
        if event.isAccepted():
            return
        widget = widget.parentWidget()


def drop(widget: QWidget, *paths: Path) -> bool:
    """Drop files on a widget; return whether it accepted them."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    how = (Qt.DropAction.CopyAction, data, _LEFT)
    entered = QDragEnterEvent(QPoint(10, 10), *how, _NONE)
    QApplication.sendEvent(widget, entered)
    if not entered.isAccepted():
        return False
    dropped = QDropEvent(QPointF(10, 10), *how, _NONE)
    QApplication.sendEvent(widget, dropped)
    return dropped.isAccepted()
