"""Progress bars and JSON output of commands."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cowgan.cli.output import say
from cowgan.text import one_line

if TYPE_CHECKING:
    from cowgan.checkpoint import Checkpoint

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class BarProgress:
    """A `cowgan.progress.Progress` that draws a bar."""

    def __init__(self, bar: Progress, title: str) -> None:
        self.cancelled = False
        self._bar = bar
        self._task = bar.add_task(title, total=None, message="")

    def report(self, done: int, total: int, message: str = "") -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=done, total=total, message=one_line(message))

    def interrupt(self, *_: object) -> None:
        """Cancel after the present step; a second signal stops immediately."""
        self.cancelled = True
        for one in _SIGNALS:
            signal.signal(one, signal.default_int_handler)


@contextmanager
def progress_bar(title: str) -> Iterator[BarProgress]:
    """Show a progress bar on standard error.

    SIGINT and SIGTERM cancel the job, which then ends cleanly.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[message]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        progress = BarProgress(bar, title)
        before = {one: signal.signal(one, progress.interrupt) for one in _SIGNALS}
        try:
            yield progress
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


def print_json(content: Any) -> None:
    """Print JSON on standard output."""
    typer.echo(json.dumps(content, indent=2))


def print_notes(checkpoint: "Checkpoint") -> None:
    """Print the notes on reading a checkpoint on standard error."""
    for note in checkpoint.notes:
        say(f"Note: {note}", err=True)
