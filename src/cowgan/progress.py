"""One small protocol by which long work reports and can be stopped."""

from typing import Protocol

from cowgan.errors import Cancelled


class Progress(Protocol):
    """Receives the state of a running job; shown as a bar by the CLI and the GUI."""

    def report(self, done: int, total: int, message: str = "") -> None:
        """Tell that `done` of `total` units are finished."""

    @property
    def cancelled(self) -> bool:
        """Whether the user cancelled the job."""


class Silent:
    """A `Progress` that shows nothing and never cancels."""

    cancelled = False

    def report(self, done: int, total: int, message: str = "") -> None:
        """Show nothing."""


def advance(progress: Progress, done: int, total: int, message: str = "") -> None:
    """Report to `progress`, then raise `Cancelled` if the user asked to stop."""
    progress.report(done, total, message)
    if progress.cancelled:
        raise Cancelled
