"""How much memory and time a new run needs, found out in the background before it starts."""

from collections.abc import Callable
from typing import NamedTuple

from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from cowgan.progress import Progress
from cowgan.training.config import TrainingConfig, with_changes
from cowgan.training.memory import MemoryEstimate
from cowgan.training.timing import StepTime
from napari_cowgan.training.estimate_process import memory_apart, step_time_apart
from napari_cowgan.widgets.controls import hint, row, text_button
from napari_cowgan.widgets.jobs import Job
from napari_cowgan.widgets.problems import sentence

_MEASURING = "Measuring how long a step takes…"
_NOT_MEASURED = "How long a step takes has not been measured."
_BUSY = "A run is at work; beside it, time cannot be measured well."

_Find = Callable[[TrainingConfig, str, Progress], MemoryEstimate | StepTime]


class _Asked(NamedTuple):
    """What decides the memory of a run and the time of a step."""

    config: TrainingConfig
    device: str


class Needs(QWidget):
    """Tells what a run would need.

    Memory is calculated. Then, if it is enough, a few steps are done to see how long they
    take. What has been found out once is not asked for again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.memory = hint("")
        self.time = hint("")
        self.button = text_button(
            "Measure",
            "Do a few steps of this run, on made-up volumes, to see how long they take on"
            " this computer",
        )
        self.button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._run_at_work = False
        self._config: TrainingConfig | None = None
        self._asked: _Asked | None = None
        self._memories: dict[_Asked, MemoryEstimate] = {}
        self._times: dict[_Asked, StepTime] = {}
        self._stopped: set[_Asked] = set()
        self._job: Job | None = None
        self._measuring = False
        times = row(self.time, self.button)
        times.setStretch(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.memory)
        layout.addLayout(times)
        self.button.clicked.connect(self._on_button)
        self.say("")

    def say(self, told: str) -> None:
        """Tell nothing but a sentence, such as why a run could not start."""
        self.end()
        self._config = self._asked = None
        self._show(told)

    def ask(self, config: TrainingConfig, device: str) -> None:
        """Find out what a run needs, and tell it."""
        asked = _Asked(_deciding(config), device)
        self._config = config
        if asked == self._asked and self._job is not None:
            return
        self.end()
        self._asked = asked
        if asked in self._memories:
            self._go_on()
        else:
            self._show("")
            self._start(memory_apart)

    def set_run_at_work(self, at_work: bool) -> None:
        """Take note of whether a run keeps the computer busy."""
        changed, self._run_at_work = at_work != self._run_at_work, at_work
        if changed and self.isVisible() and self._asked in self._memories:
            self.end()
            self._go_on()

    def stop_measuring(self) -> None:
        """Measure no more until a person asks for it."""
        if self._measuring and self._asked is not None:
            self._stopped.add(self._asked)
            self.end()
            self._go_on()

    def end(self) -> None:
        """Let go of what is being found out; touches no widget, so it may be called last."""
        if self._job is not None:
            self._job.cancel()
        self._job, self._measuring = None, False

    def _start(self, find: _Find) -> None:
        asked = self._asked
        assert asked is not None

        def work(progress: Progress) -> tuple[_Asked, MemoryEstimate | StepTime]:
            return asked, find(*asked, progress)

        self._job = Job(work)
        # Bound methods, so that they are called in the thread of the window.
        self._job.succeeded.connect(self._on_found)
        self._job.failed.connect(self._on_failure)
        self._job.start()

    def _on_found(self, answer: tuple[_Asked, MemoryEstimate | StepTime]) -> None:
        asked, found = answer
        if isinstance(found, StepTime):
            self._times[asked] = found
        else:
            self._memories[asked] = found
        if asked == self._asked:
            self._job, self._measuring = None, False
            self._go_on()

    def _on_failure(self, error: BaseException) -> None:
        if self.sender() is self._job:
            measuring = self._measuring
            self.end()
            if measuring:
                self._show_time(sentence(error), "Measure")
            else:
                self._show(sentence(error))

    def _go_on(self) -> None:
        """Tell what is known, and find out what comes next."""
        assert self._asked is not None and self._config is not None
        needed = self._memories[self._asked]
        self._show(_memory_told(needed))
        taken = self._times.get(self._asked)
        if taken is not None:
            self._show_time(taken.told(self._config), "")
        elif needed.fits and self._run_at_work:
            self._show_time(_BUSY, "Measure")
        elif needed.fits and self._asked in self._stopped:
            self._show_time(_NOT_MEASURED, "Measure")
        elif needed.fits:
            self._measure()

    def _measure(self) -> None:
        self._show_time(_MEASURING, "Cancel")
        self._measuring = True
        self._start(step_time_apart)

    def _on_button(self) -> None:
        if self._measuring:
            self.stop_measuring()
        elif self._asked is not None:
            self._measure()

    def _show(self, told: str) -> None:
        self.memory.setText(told)
        self.memory.setVisible(bool(told))
        self._show_time("", "")

    def _show_time(self, told: str, button: str) -> None:
        self.time.setText(told)
        self.time.setVisible(bool(told))
        self.button.setText(button)
        self.button.setVisible(bool(button))


def _deciding(config: TrainingConfig) -> TrainingConfig:
    """Return settings without those that change neither memory nor the time of a step."""
    return with_changes(config, steps=1, save_every=1, sample_every=1, metrics_every=0, seed=0)


def _memory_told(needed: MemoryEstimate) -> str:
    told = f"Needs about {_gigabytes(needed.bytes)} of memory"
    if needed.available_bytes:
        told += f"; {_gigabytes(needed.available_bytes)} are free"
    if not needed.fits:
        told += ". That is too much: lower the batch, and raise the passes per step instead"
    return f"{told}."


def _gigabytes(number: int) -> str:
    return f"{number / 1e9:.1f} GB"
