"""The run that the training panel watches and controls."""

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from cowgan.errors import CowganError
from cowgan.training.remote_control import Command, RunStatus, request
from napari_cowgan.training.monitor import Monitor
from napari_cowgan.training.run_watcher import RunUpdate, RunWatcher, outcome
from napari_cowgan.training.runs import RunKind, RunSummary, summarise
from napari_cowgan.training.sample_layer import SampleLayer
from napari_cowgan.training.workers import ThreadWorker, Worker, tail
from napari_cowgan.widgets.jobs import stop_at_exit
from napari_cowgan.widgets.problems import show_problem

if TYPE_CHECKING:
    import napari


class WatchedRun(QObject):
    """Follows one run at a time, and shows it in a monitor and in the viewer.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer that shows samples.
    parent : QWidget
        Parent of problem messages.

    Attributes
    ----------
    ended_run : RunSummary or None
        The run that was followed last, once it has ended.

    Signals
    -------
    changed
        Another run is followed.
    status_changed : Path, RunStatus
        New status of the run in a folder.
    ended : Path
        The run in a folder has ended.
    """

    changed = Signal()
    status_changed = Signal(object, object)
    ended = Signal(object)

    def __init__(self, viewer: "napari.Viewer", parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.monitor = Monitor(viewer)
        self.samples = SampleLayer(viewer)
        self.watcher: RunWatcher | None = None
        self.ended_run: RunSummary | None = None
        self.monitor.command_requested.connect(self.send)

    @property
    def worker(self) -> Worker | None:
        """The worker by which this panel trains the run; None if it does not, or it has ended."""
        return None if self.watcher is None else self.watcher.worker

    def follow(self, folder: Path, kind: RunKind, worker: Worker | None = None) -> None:
        """Follow a run, and its worker if this panel trains it."""
        self.end_following()
        self.ended_run = None
        self.monitor.begin(folder, kind)
        if isinstance(worker, ThreadWorker):
            stop_at_exit(worker)
        self.watcher = RunWatcher(folder, worker)
        self.watcher.updated.connect(self._on_update)
        self.watcher.ended.connect(self._on_end)
        self.watcher.start()
        self.changed.emit()

    def send(self, command: Command) -> None:
        """Send a command to the run that the monitor shows."""
        if self.monitor.folder is not None:
            try:
                request(self.monitor.folder, command)
            except CowganError as error:
                show_problem(self._parent, error)

    def end_following(self) -> None:
        """Stop following; the run itself continues."""
        if self.watcher is not None:
            self.watcher.stop()
            self.watcher = None

    def end(self) -> None:
        """Stop following and cancel a thread; touches no widget, so Qt may have deleted them."""
        worker = self.worker
        self.end_following()
        if isinstance(worker, ThreadWorker):
            worker.cancel()

    def _on_update(self, watcher: RunWatcher, update: RunUpdate) -> None:
        if watcher is not self.watcher:
            return
        self.monitor.update_run(update)
        if update.status is not None:
            self.status_changed.emit(watcher.folder, update.status)
        if update.sheet is not None:
            self.samples.show(watcher.folder.name, update.sheet)

    def _on_end(self, watcher: RunWatcher, update: RunUpdate) -> None:
        if watcher is not self.watcher:
            return
        failed, sentence = outcome(watcher.folder, update.status, watcher.worker)
        if update.status is None:
            self.monitor.show_status(RunStatus("failed", 0))
        self.monitor.show_outcome(sentence)
        self.ended_run = summarise(watcher.folder)
        if self.ended_run is not None:
            self.monitor.offer_next()
        self.end_following()
        if failed and watcher.worker is not None:
            show_problem(self._parent, CowganError(sentence, tail(watcher.folder)))
        self.ended.emit(watcher.folder)
