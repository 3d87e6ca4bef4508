"""Inspection of what the user has chosen, in the background."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from qtpy.QtCore import QObject, QTimer

from cowgan.progress import Progress
from napari_cowgan.training.delay import delayed
from napari_cowgan.widgets.jobs import Job
from napari_cowgan.widgets.problems import sentence

_INSPECT_AFTER_MS = 300
_INSPECTING = "Inspecting the folder…"

Chosen = TypeVar("Chosen")


class WithSentence(Protocol):
    """Something that was found, with a description for the user."""

    @property
    def sentence(self) -> str:
        """The description."""


Found = TypeVar("Found", bound=WithSentence)


class Inspection(QObject, Generic[Chosen, Found]):
    """Inspects a choice a moment after it was last changed, and shows what was found.

    Parameters
    ----------
    parent : QObject
        Parent of the timer.
    chosen : callable
        Returns the choice; None if there is none yet. Choices can be compared.
    inspect : callable
        Called with a choice in a thread.
    show : callable
        Called with what was found, or None, and a sentence.
    prompt : str
        The sentence if there is no choice yet.
    """

    def __init__(
        self,
        parent: QObject,
        chosen: Callable[[], Chosen | None],
        inspect: Callable[[Chosen], Found],
        show: Callable[[Found | None, str], None],
        prompt: str,
    ) -> None:
        super().__init__(parent)
        self._chosen, self._inspect, self._show, self._prompt = chosen, inspect, show, prompt
        self._job: Job | None = None
        self._timer: QTimer = delayed(self, _INSPECT_AFTER_MS, self._start)

    def restart(self) -> None:
        """Inspect the choice again."""
        chosen = self._chosen()
        self._show(None, self._prompt if chosen is None else _INSPECTING)
        if chosen is not None:
            self._timer.start()

    def _start(self) -> None:
        chosen = self._chosen()
        if chosen is None:
            return

        def work(progress: Progress) -> tuple[Chosen, Found | None, str]:
            try:
                found = self._inspect(chosen)
            except Exception as error:  # noqa: BLE001 - every failure must reach the user
                return chosen, None, sentence(error)
            return chosen, found, found.sentence

        self._job = Job(work)
        self._job.succeeded.connect(self._on_inspected)
        self._job.start()

    def _on_inspected(self, answer: tuple[Chosen, Found | None, str]) -> None:
        chosen, found, text = answer
        if chosen == self._chosen():
            self._show(found, text)
