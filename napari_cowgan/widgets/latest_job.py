"""Background work that starts once requests pause, and of which only the last counts."""

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_cowgan.widgets.jobs import Job


class LatestJob(QObject):
    """Runs what was requested last in a thread, after a pause without other requests.

    Parameters
    ----------
    parent : QObject
        Its owner.
    pause_ms : int
        Time without requests after which the work starts.

    Signals
    -------
    started
        The work has started.
    part : object
        A partial result, delivered by the work.
    found : object
        Its result.
    failed : Exception
        It failed.
    """

    started = Signal()
    part = Signal(object)
    found = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject, pause_ms: int) -> None:
        super().__init__(parent)
        self._prepare: Callable[[], Callable[[Job], Any] | None] | None = None
        self._job: Job | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(pause_ms)
        self._pause.timeout.connect(self._start)

    @property
    def running(self) -> bool:
        """Whether work is under way or about to start."""
        return self._job is not None or self._pause.isActive()

    def request(self, prepare: Callable[[], Callable[[Job], Any] | None]) -> None:
        """Cancel earlier work, and start other work unless another request follows soon.

        Parameters
        ----------
        prepare : callable
            Called after the pause; returns the work, as for `napari_cowgan.widgets.jobs.Job`, or
            None if there is nothing to do.
        """
        self.stop()
        self._prepare = prepare
        self._pause.start()

    def stop(self) -> None:
        """Cancel the work and discard its result."""
        self._pause.stop()
        self._prepare = None
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def end(self) -> None:
        """Cancel the work and wait for it; touches no widget, so it is safe during deletion."""
        if self._job is not None:
            self._job.stop()

    def _start(self) -> None:
        work = None if self._prepare is None else self._prepare()
        self._prepare = None
        if work is None:
            return
        self._job = Job(work)
        # Bound methods, so that Qt disconnects them when this object is deleted.
        self._job.found.connect(self._deliver)
        self._job.succeeded.connect(self._succeed)
        self._job.failed.connect(self._fail)
        self.started.emit()
        self._job.start()

    def _deliver(self, part: Any) -> None:
        if self._job is not None and self.sender() is self._job:
            self.part.emit(part)

    def _succeed(self, result: Any) -> None:
        if self._job is not None and self.sender() is self._job:
            self._job = None
            self.found.emit(result)

    def _fail(self, error: BaseException) -> None:
        if self._job is not None and self.sender() is self._job:
            self._job = None
            self.failed.emit(error)
