"""Estimated memory and time of a new run, found in the background before it starts."""

from collections.abc import Callable
from dataclasses import replace

from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from cowgan.progress import Progress
from cowgan.segmentation.fitting_needs import FittingTime
from cowgan.segmentation.segmentation_config import SegmentationConfig
from cowgan.training.config import TrainingConfig
from cowgan.training.tensor_memory import MemoryEstimate
from cowgan.training.timing import StepTime
from napari_cowgan.training.estimate_process import PlannedRun, memory_apart, step_time_apart
from napari_cowgan.widgets.controls import hint, row, text_button
from napari_cowgan.widgets.jobs import Job
from napari_cowgan.widgets.problems import sentence

_MEASURING = "Measuring how long a step takes…"
_NOT_MEASURED = "How long a step takes has not been measured."
_BUSY = "Time cannot be measured reliably while a run is in progress."

_WITHOUT_EFFECT = {
    "steps": 1,
    "save_every": 1,
    "sample_every": 1,
    "metrics_every": 0,
    "validate_every": 0,
    "seed": 0,
}
"""Settings that change neither memory nor the time of a step."""

_Estimate = MemoryEstimate | StepTime | FittingTime
_Estimator = Callable[[PlannedRun, Progress], _Estimate]


class Needs(QWidget):
    """Shows the memory and time that a run would need.

    Memory is calculated. If it suffices, a few steps are then run to measure their time. Results
    are kept, so that nothing is estimated twice.
    """

    def __init__(self) -> None:
        super().__init__()
        self.memory = hint("")
        self.time = hint("")
        self.button = text_button(
            "Measure", "Time a few steps of this run on this computer, with made-up volumes"
        )
        self.button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._run_active = False
        self._run: PlannedRun | None = None
        self._question: PlannedRun | None = None
        self._memories: dict[PlannedRun, MemoryEstimate] = {}
        self._times: dict[PlannedRun, StepTime | FittingTime] = {}
        self._cancelled: set[PlannedRun] = set()
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
        self.show_message("")

    def show_message(self, message: str) -> None:
        """Show a sentence in place of an estimate, such as why a run could not start."""
        self.end()
        self._run = self._question = None
        self._show_memory(message)

    def estimate(self, run: PlannedRun) -> None:
        """Estimate what a run needs, and show it."""
        question = _relevant(run)
        self._run = run
        if question == self._question and self._job is not None:
            return
        self.end()
        self._question = question
        if question in self._memories:
            self._continue()
        else:
            self._show_memory("")
            self._start(memory_apart)

    def set_run_active(self, active: bool) -> None:
        """Take note of whether a run keeps the computer busy."""
        changed, self._run_active = active != self._run_active, active
        if changed and self.isVisible() and self._question in self._memories:
            self.end()
            self._continue()

    def stop_measuring(self) -> None:
        """Stop measuring until the user asks for it again."""
        if self._measuring and self._question is not None:
            self._cancelled.add(self._question)
            self.end()
            self._continue()

    def end(self) -> None:
        """Cancel the job; touches no widget, so it may be called after Qt deleted them."""
        if self._job is not None:
            self._job.cancel()
        self._job, self._measuring = None, False

    def _start(self, estimator: _Estimator) -> None:
        question = self._question
        assert question is not None

        def work(progress: Progress) -> tuple[PlannedRun, _Estimate]:
            return question, estimator(question, progress)

        self._job = Job(work)
        # Bound methods, so that they are called in the thread of the window.
        self._job.succeeded.connect(self._on_result)
        self._job.failed.connect(self._on_failure)
        self._job.start()

    def _on_result(self, answer: tuple[PlannedRun, _Estimate]) -> None:
        question, result = answer
        if isinstance(result, MemoryEstimate):
            self._memories[question] = result
        else:
            self._times[question] = result
        if question == self._question:
            self._job, self._measuring = None, False
            self._continue()

    def _on_failure(self, error: BaseException) -> None:
        if self.sender() is self._job:
            measuring = self._measuring
            self.end()
            if measuring:
                self._show_time(sentence(error), "Measure")
            else:
                self._show_memory(sentence(error))

    def _continue(self) -> None:
        """Show what is known, and start the next estimate."""
        assert self._question is not None and self._run is not None
        memory = self._memories[self._question]
        self._show_memory(_memory_text(memory, self._run))
        time = self._times.get(self._question)
        if time is not None:
            self._show_time(_time_text(time, self._run.config), "")
        elif memory.fits and self._run_active:
            self._show_time(_BUSY, "Measure")
        elif memory.fits and self._question in self._cancelled:
            self._show_time(_NOT_MEASURED, "Measure")
        elif memory.fits:
            self._measure()

    def _measure(self) -> None:
        self._show_time(_MEASURING, "Cancel")
        self._measuring = True
        self._start(step_time_apart)

    def _on_button(self) -> None:
        if self._measuring:
            self.stop_measuring()
        elif self._question is not None:
            self._measure()

    def _show_memory(self, text: str) -> None:
        self.memory.setText(text)
        self.memory.setVisible(bool(text))
        self._show_time("", "")

    def _show_time(self, text: str, button: str) -> None:
        self.time.setText(text)
        self.time.setVisible(bool(text))
        self.button.setText(button)
        self.button.setVisible(bool(button))


def _relevant(run: PlannedRun) -> PlannedRun:
    """Return a run without the settings that have no effect on its needs."""
    config = run.config
    unset = {name: value for name, value in _WITHOUT_EFFECT.items() if hasattr(config, name)}
    return replace(run, config=config.with_changes(**unset))


def _time_text(time: StepTime | FittingTime, config: TrainingConfig | SegmentationConfig) -> str:
    if isinstance(time, StepTime):
        assert isinstance(config, TrainingConfig)
        return time.summary(config)
    assert isinstance(config, SegmentationConfig)
    return time.summary(config)


def _memory_text(memory: MemoryEstimate, run: PlannedRun) -> str:
    text = f"Needs about {_gigabytes(memory.bytes)} of memory"
    if memory.available_bytes:
        text += f"; {_gigabytes(memory.available_bytes)} are free"
    if not memory.fits:
        smaller = (
            "lower the batch, and raise the passes per step instead"
            if run.scheme is None
            else "choose a smaller network"
        )
        text += f". That is too much: {smaller}"
    return f"{text}."


def _gigabytes(number: int) -> str:
    return f"{number / 1e9:.1f} GB"
