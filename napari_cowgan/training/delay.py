"""Timers that wait until the user pauses."""

from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer


def delayed(parent: QObject, milliseconds: int, call: Callable[[], None]) -> QTimer:
    """Return a timer that calls a function a while after it was last started."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(call)
    return timer
