"""Writing the journal of a reading in the background, and trying again when the disk refuses."""

from pathlib import Path

from qtpy.QtCore import QObject, Signal

from cowgan.errors import CowganError
from cowgan.turing.reading.package import Package
from napari_cowgan.widgets.jobs import Job


class JournalWriter(QObject):
    """An open journal, and why it cannot be written.

    Signals
    -------
    refused
        Answers cannot be written; see `problem`.
    copy_refused : CowganError
        Only the copy cannot be written. The journal is complete; the copy catches up later.
    recovered
        What could not be written has been written.

    Parameters
    ----------
    package : Package
        The package whose journal it is.
    copy : Path or None
        A second journal.

    Attributes
    ----------
    journal : Journal
        The open journal.
    problem : CowganError or None
        Why answers cannot be written.

    Raises
    ------
    CowganError
        The journal cannot be opened, or belongs to another package.
    """

    refused = Signal()
    copy_refused = Signal(object)
    recovered = Signal()
    _failed = Signal(object)

    def __init__(self, package: Package, copy: Path | None) -> None:
        super().__init__()
        self.problem: CowganError | None = None
        self._retrying: Job | None = None
        # The journal reports from a thread of its own.
        self._failed.connect(self._on_failure)
        self.journal = package.journal(copy, self._failed.emit)

    @property
    def retrying(self) -> bool:
        """Whether another attempt is under way."""
        return self._retrying is not None

    def retry(self) -> None:
        """Try again to write what is left."""
        if self._retrying is None:
            self._retrying = job = Job(lambda progress: self.journal.flush())
            job.succeeded.connect(self._on_retried)
            job.failed.connect(self._on_retry_failed)
            job.start()

    def flush(self) -> None:
        """Write what is left.

        Raises
        ------
        CowganError
            The journal cannot be written; this is the `problem` from then on.
        """
        try:
            self.journal.flush()
        except CowganError as error:
            self.problem = error
            raise

    def abandon(self) -> None:
        """Close the journal without writing what is left."""
        try:
            self.journal.close()
        except CowganError:
            self.problem = None

    def _on_failure(self, problem: CowganError) -> None:
        if problem is self.journal.copy_problem:
            self.copy_refused.emit(problem)
            return
        self.problem = problem
        self.refused.emit()

    def _on_retried(self) -> None:
        self._retrying = self.problem = None
        self.recovered.emit()

    def _on_retry_failed(self, error: BaseException) -> None:
        self._retrying = None
        self._on_failure(error)  # type: ignore[arg-type]
