"""Progress reporting and cancellation of long jobs."""

from typing import Protocol

from cowgan.errors import Cancelled


class Progress(Protocol):
    """Receiver of the progress of a job, such as a progress bar."""

    def report(self, done: int, total: int, message: str = "") -> None:
        """Report that `done` of `total` units are complete."""

    @property
    def cancelled(self) -> bool:
        """Whether the user cancelled the job."""


class Silent:
    """A `Progress` that shows nothing and never cancels."""

    cancelled = False

    def report(self, done: int, total: int, message: str = "") -> None:
        """Show nothing."""


def advance(progress: Progress, done: int, total: int, message: str = "") -> None:
    """Report to `progress`, then raise `Cancelled` if the user cancelled."""
    progress.report(done, total, message)
    if progress.cancelled:
        raise Cancelled
