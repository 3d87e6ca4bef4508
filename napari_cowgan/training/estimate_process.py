"""Estimates of a run's memory and time in a subprocess, because they keep Python busy.

Run as ``python -m napari_cowgan.training.estimate_process``: reads a question as JSON from
standard input and writes the answer to standard output.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from cowgan.anatomy.label_schemes import scheme_named
from cowgan.documents import parse_json
from cowgan.errors import Cancelled, CowganError
from cowgan.progress import Progress
from cowgan.segmentation.fitting_needs import FittingTime, estimate_fitting, measure_fitting
from cowgan.segmentation.segmentation_config import SegmentationConfig
from cowgan.training.config import TrainingConfig
from cowgan.training.memory import estimate
from cowgan.training.tensor_memory import MemoryEstimate
from cowgan.training.timing import StepTime, measure_step_time
from napari_cowgan.training.workers import NICENESS

_POLL_S = 0.2
_REFUSED = 2


@dataclass(frozen=True)
class PlannedRun:
    """A run whose needs are to be estimated.

    Parameters
    ----------
    config : TrainingConfig or SegmentationConfig
        Its settings.
    device : str
        "auto", "cpu", "cuda", "cuda:1".
    scheme : str or None
        Name of the scheme that a segmentation network learns; None for a generator.
    """

    config: TrainingConfig | SegmentationConfig
    device: str
    scheme: str | None = None


@dataclass(frozen=True)
class _Question:
    what: Literal["memory", "time"]
    config: dict[str, Any]
    device: str
    scheme: str | None

    @classmethod
    def on(cls, what: Literal["memory", "time"], run: PlannedRun) -> Self:
        return cls(what, run.config.to_dict(), run.device, run.scheme)

    def answer(self) -> MemoryEstimate | StepTime | FittingTime:
        memory, scheme = self.what == "memory", scheme_named(self.scheme)
        if scheme is None:
            config = TrainingConfig.from_dict(self.config)
            return (estimate if memory else measure_step_time)(config, self.device)
        settings = SegmentationConfig.from_dict(self.config)
        return (estimate_fitting if memory else measure_fitting)(settings, scheme, self.device)


def memory_apart(run: PlannedRun, progress: Progress) -> MemoryEstimate:
    """Return the result of `cowgan.training.memory.estimate`, or of `estimate_fitting`.

    Raises
    ------
    CowganError
        The memory cannot be estimated.
    Cancelled
        The estimate was cancelled.
    """
    return parse_json(_ask(_Question.on("memory", run), progress), MemoryEstimate, "The answer")


def step_time_apart(run: PlannedRun, progress: Progress) -> StepTime | FittingTime:
    """Return the result of `measure_step_time`, or of `measure_fitting`, at a run's priority.

    Raises
    ------
    CowganError, Cancelled
        As for `memory_apart`.
    """
    answer = _ask(_Question.on("time", run), progress)
    if run.scheme is None:
        return parse_json(answer, StepTime, "The answer")
    return parse_json(answer, FittingTime, "The answer")


def _ask(question: _Question, progress: Progress) -> str:
    with subprocess.Popen(
        [sys.executable, "-X", "utf8", "-m", __name__],
        encoding="utf-8",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        message: str | None = json.dumps(asdict(question))
        while True:
            try:
                answer, output = process.communicate(message, _POLL_S)
            except subprocess.TimeoutExpired:
                message = None  # Already sent.
                if progress.cancelled:
                    process.kill()
                    raise Cancelled from None
            else:
                break
    if process.returncode == _REFUSED:
        raise CowganError(answer)
    if process.returncode:
        raise CowganError(f"The {question.what} that this needs could not be estimated.", output)
    return answer


def _answer() -> int:
    if hasattr(os, "nice"):
        os.nice(NICENESS)  # As `ProcessWorker` does.
    question = parse_json(sys.stdin.read(), _Question, "The question")
    try:
        json.dump(asdict(question.answer()), sys.stdout)
    except CowganError as error:
        sys.stdout.write(error.sentence)
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(_answer())
