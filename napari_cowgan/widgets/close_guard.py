"""Closing of a panel, delayed until the user has decided."""

from collections.abc import Callable
from typing import Any, TypeVar

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

Close = Callable[[], object]
Widget = TypeVar("Widget", bound=QWidget)


class CloseGuard(QObject):
    """Delays closing a panel and its window until the user has decided.

    Parameters
    ----------
    panel : QWidget
        The guarded panel.
    may_close : callable
        Called with a function that closes the panel or window; returns whether to close it at
        once. If not, it calls that function later.
    """

    def __init__(self, panel: QWidget, may_close: Callable[[Close], bool]) -> None:
        super().__init__(panel)
        self._panel = panel
        self._may_close = may_close
        self._attached = False

    def attach(self) -> None:
        """Guard the dock and the window that hold the panel; does nothing the second time."""
        # napari's own subclass.
        dock: Any = _ancestor(self._panel, QDockWidget)
        window = _ancestor(self._panel, QMainWindow)
        if dock is None or window is None or self._attached:
            return
        self._attached = True
        window.installEventFilter(self)
        # napari removes its dock without a close event.
        remove: Close = dock.destroyOnClose

        def remove_if_allowed() -> None:
            if self._may_close(remove):
                remove()

        dock.destroyOnClose = remove_if_allowed

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Block closing the window unless it is allowed."""
        if (
            event.type() == QEvent.Type.Close
            and isinstance(watched, QMainWindow)
            and not self._may_close(watched.close)
        ):
            event.ignore()
            return True
        return False


def _ancestor(widget: QWidget, kind: type[Widget]) -> Widget | None:
    around = widget.parentWidget()
    while around is not None and not isinstance(around, kind):
        around = around.parentWidget()
    return around
