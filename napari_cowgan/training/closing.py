"""Asking before a window or a panel closes on a run that goes on."""

from collections.abc import Callable
from typing import Any, TypeVar

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QMessageBox, QWidget

Close = Callable[[], object]
Widget = TypeVar("Widget", bound=QWidget)


class CloseGuard(QObject):
    """Holds up the closing of a panel and its window until a question has been answered.

    Parameters
    ----------
    panel : QWidget
        What must not go away without a question.
    may_close : callable
        Called with what closes in the end; returns whether it may be closed at once. If
        not, it sees to it that a person decides.
    """

    def __init__(self, panel: QWidget, may_close: Callable[[Close], bool]) -> None:
        super().__init__(panel)
        self._panel = panel
        self._may_close = may_close
        self._attached = False

    def attach(self) -> None:
        """Guard the dock and the window that the panel is in; harmless if it does already."""
        # The one that napari derives from Qt's.
        dock: Any = _ancestor(self._panel, QDockWidget)
        window = _ancestor(self._panel, QMainWindow)
        if dock is None or window is None or self._attached:
            return
        self._attached = True
        window.installEventFilter(self)
        # napari's dock is not closed but taken away, and tells nobody before.
        take_away: Close = dock.destroyOnClose

        def take_away_if_wanted() -> None:
            if self._may_close(take_away):
                take_away()

        dock.destroyOnClose = take_away_if_wanted

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the window close only if it may."""
        if (
            event.type() == QEvent.Type.Close
            and isinstance(watched, QMainWindow)
            and not self._may_close(watched.close)
        ):
            event.ignore()
            return True
        return False


def ask_about_run(
    parent: QWidget, run: str, can_be_left: bool, stop: Close, leave: Close
) -> QMessageBox:
    """Ask what becomes of a run that goes on, and do it; Cancel does nothing.

    Parameters
    ----------
    parent : QWidget
        What the question lies above.
    run : str
        Name of the run.
    can_be_left : bool
        Whether it can go on without napari.
    stop, leave : callable
        What each answer does.
    """
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("CoW-GAN")
    box.setText(f"The run “{run}” is still at work.")
    stopping = box.addButton("Stop and save", QMessageBox.ButtonRole.AcceptRole)
    leaving = None
    if can_be_left:
        leaving = box.addButton("Leave running", QMessageBox.ButtonRole.DestructiveRole)
        told = "A run that is left running can be watched and stopped here the next time."
    else:
        told = "It trains in this process, so it cannot go on without it."
    box.setInformativeText(told)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(stopping)
    box.setEscapeButton(cancel)

    def answer(button: object) -> None:
        if button is stopping:
            stop()
        elif button is leaving:
            leave()

    box.buttonClicked.connect(answer)
    box.open()
    return box


def _ancestor(widget: QWidget, kind: type[Widget]) -> Widget | None:
    around = widget.parentWidget()
    while around is not None and not isinstance(around, kind):
        around = around.parentWidget()
    return around
