"""Question before a panel or its window closes while a run is active."""

from qtpy.QtCore import QObject, Qt, QTimer, Signal
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_cowgan.training.watched_run import WatchedRun
from napari_cowgan.widgets.close_guard import Close, CloseGuard


class RunCloseGuard(QObject):
    """Asks what to do with a run that a panel is training before the panel or its window closes.

    Parameters
    ----------
    panel : QWidget
        The training panel.
    watched : WatchedRun
        The run that it may be training.

    Signals
    -------
    closing
        The panel is about to close.
    """

    closing = Signal()

    def __init__(self, panel: QWidget, watched: WatchedRun) -> None:
        super().__init__(panel)
        self._panel = panel
        self._watched = watched
        self._closing = False
        self._close_after_end: Close | None = None
        self.question: QMessageBox | None = None
        self._guard = CloseGuard(panel, self._may_close)
        watched.ended.connect(self._on_end)

    def attach(self) -> None:
        """Guard the dock and the window that hold the panel."""
        self._guard.attach()

    def _may_close(self, close: Close) -> bool:
        worker = self._watched.worker
        if worker is None or self._closing:
            return True
        if self.question is not None:
            return False

        def stop() -> None:
            self._close_after_end = close
            self._watched.send("stop")

        def leave() -> None:
            self._close(close)

        assert self._watched.watcher is not None
        name = self._watched.watcher.folder.name
        self.question = ask_about_run(self._panel, name, worker.survives_napari, stop, leave)
        self.question.finished.connect(self._on_answered)
        return False

    def _on_answered(self) -> None:
        self.question = None

    def _on_end(self) -> None:
        if self._close_after_end is not None:
            self._close(self._close_after_end)

    def _close(self, close: Close) -> None:
        self._closing, self._close_after_end = True, None
        self.closing.emit()
        # Not while a signal of a widget that is about to be deleted is being handled.
        QTimer.singleShot(0, close)


def ask_about_run(
    parent: QWidget, run: str, can_be_left: bool, stop: Close, leave: Close
) -> QMessageBox:
    """Ask whether to stop an active run or to leave it running; Cancel does nothing.

    Parameters
    ----------
    parent : QWidget
        Parent of the question.
    run : str
        Name of the run.
    can_be_left : bool
        Whether the run can continue without napari.
    stop, leave : callable
        Called for each answer.
    """
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("CoW-GAN")
    box.setText(f"The run “{run}” is still training.")
    stopping = box.addButton("Stop and save", QMessageBox.ButtonRole.AcceptRole)
    leaving = None
    if can_be_left:
        leaving = box.addButton("Leave running", QMessageBox.ButtonRole.DestructiveRole)
        text = "A run that is left running can be watched and stopped here next time."
    else:
        text = "It trains inside napari, so it cannot continue without it."
    box.setInformativeText(text)
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
