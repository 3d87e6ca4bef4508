"""Background jobs that the GUI starts, shows and cancels."""

import atexit
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol
from weakref import WeakSet

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QSizePolicy, QWidget

from cowgan.errors import Cancelled

_REPORT_INTERVAL_S = 0.1


class Stoppable(Protocol):
    """A worker with its own thread."""

    def stop(self) -> None:
        """End the thread."""


_working: WeakSet[Stoppable] = WeakSet()


def stop_at_exit(worker: Stoppable) -> None:
    """Register a worker to be stopped before Python shuts down.

    A thread that is still inside torch when the interpreter is torn down aborts the process.
    """
    _working.add(worker)


@atexit.register
def _stop_all() -> None:
    for worker in list(_working):
        worker.stop()


_unfinished: set["Job"] = set()
"""Keeps jobs alive until the GUI thread knows of their end: none may be deleted in its own."""


class Job(QObject):
    """A function that runs in a thread, with progress and cancellation.

    Signals arrive in the thread that created the job, so receivers may touch widgets.

    Parameters
    ----------
    work : callable
        Called in the thread with this job, which is a `Progress`; must not touch a widget or
        emit its signals, since the widget may be deleted meanwhile.
    """

    progressed = Signal(int, int, str)
    found = Signal(object)
    succeeded = Signal(object)
    failed = Signal(object)
    stopped = Signal()
    finished = Signal()

    def __init__(self, work: Callable[["Job"], Any]) -> None:
        super().__init__()
        self._work = work
        self._cancel = threading.Event()
        self._last_report = 0.0
        self._thread = threading.Thread(target=self._run, name="cowgan-job", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        stop_at_exit(self)
        _unfinished.add(self)
        self.finished.connect(self._forget)
        self._thread.start()

    def cancel(self) -> None:
        """Request the work to stop at its next report."""
        self._cancel.set()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Cancel and wait for the thread."""
        self.cancel()
        self._thread.join(timeout_s)

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called (part of the `Progress` protocol)."""
        return self._cancel.is_set()

    def report(self, done: int, total: int, message: str = "") -> None:
        """Report progress to the GUI, at most ten times a second."""
        now = time.monotonic()
        if done >= total or now - self._last_report >= _REPORT_INTERVAL_S:
            self._last_report = now
            self._emit(self.progressed, done, total, message)

    def deliver(self, part: Any) -> None:
        """Pass a partial result to the GUI."""
        self._emit(self.found, part)

    def _forget(self) -> None:
        _unfinished.discard(self)

    def _run(self) -> None:
        try:
            result = self._work(self)
        except Cancelled:
            self._emit(self.stopped)
        except Exception as error:  # noqa: BLE001 - every failure must reach the user
            self._emit(self.failed, error)
        else:
            self._emit(self.succeeded, result)
        self._emit(self.finished)

    def _emit(self, signal: Any, *values: Any) -> None:
        try:
            signal.emit(*values)
        except RuntimeError:
            # The window was closed and Qt has deleted the receiver.
            self._cancel.set()


class JobBar(QWidget):
    """A progress bar with a Cancel button, visible only while a job runs.

    Signals
    -------
    running_changed : bool
        A job has started or ended.
    """

    running_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._job: Job | None = None
        self._bar = QProgressBar()
        self._bar.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._cancel = QPushButton("Cancel")
        self._cancel.setToolTip("Cancel this job; finished parts are kept")
        self._cancel.clicked.connect(self.cancel)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._bar, 1)
        layout.addWidget(self._cancel)
        self.hide()

    @property
    def running(self) -> bool:
        """Whether a job is running."""
        return self._job is not None

    def run(
        self,
        title: str,
        work: Callable[[Job], Any],
        on_success: Callable[[Any], None],
        on_failure: Callable[[BaseException], None],
        on_stop: Callable[[], None] = lambda: None,
        on_part: Callable[[Any], None] = lambda _: None,
    ) -> None:
        """Run `work` in a thread and show its progress; cancel a job that is still running."""
        self.stop()
        self._job = job = Job(work)
        self._title = title
        self._on_success, self._on_failure = on_success, on_failure
        self._on_stop, self._on_part = on_stop, on_part
        self._bar.setRange(0, 0)
        self._bar.setFormat(title)
        self._cancel.setText("Cancel")
        self._cancel.setEnabled(True)
        # Bound methods, so that Qt disconnects them when this widget is deleted.
        job.progressed.connect(self._show)
        job.found.connect(self._take)
        job.succeeded.connect(self._succeed)
        job.failed.connect(self._fail)
        job.stopped.connect(self._stop)
        job.finished.connect(self._finish)
        self.destroyed.connect(job.cancel)
        self.show()
        self.running_changed.emit(True)
        job.start()

    def stop(self) -> None:
        """Cancel the job and discard its result."""
        if self._job is not None:
            self._job.cancel()
            self._clear()

    def cancel(self) -> None:
        """Request the job to stop, which it then says."""
        if self._job is not None:
            self._job.cancel()
            self._cancel.setText("Cancelling…")
            self._cancel.setEnabled(False)

    def end(self) -> None:
        """Cancel the job and wait for it; touches no widget, so it is safe during deletion."""
        if self._job is not None:
            self._job.stop()

    def _clear(self) -> None:
        # The callbacks reference the panel and its model, which must not live as long as this.
        del self._on_success, self._on_failure, self._on_stop, self._on_part
        self._job = None
        self.hide()
        self.running_changed.emit(False)

    def _from_current_job(self) -> bool:
        """Return whether a signal comes from the current job, not from one it replaced."""
        return self._job is not None and self.sender() is self._job

    def _show(self, done: int, total: int, message: str) -> None:
        if self._from_current_job():
            # Nothing moves while the total is unknown: painting would take time from the work.
            self._bar.setRange(0, total or 1)
            self._bar.setValue(done)
            self._bar.setFormat(f"{self._title} %v of %m".lstrip() if total else self._title)
            self._bar.setToolTip(message)

    def _take(self, part: Any) -> None:
        if self._from_current_job():
            self._on_part(part)

    def _succeed(self, result: Any) -> None:
        if self._from_current_job():
            self._on_success(result)

    def _fail(self, error: BaseException) -> None:
        if self._from_current_job():
            self._on_failure(error)

    def _stop(self) -> None:
        if self._from_current_job():
            self._on_stop()

    def _finish(self) -> None:
        if self._from_current_job():
            self._clear()
