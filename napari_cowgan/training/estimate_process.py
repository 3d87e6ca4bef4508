"""Estimates of a run's memory and time in a subprocess, because they keep Python busy.

Run as ``python -m napari_cowgan.training.estimate_process``: reads a question as JSON from
standard input and writes the answer to standard output.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cowgan.documents import parse_json
from cowgan.errors import Cancelled, CowganError
from cowgan.progress import Progress
from cowgan.training.config import TrainingConfig
from cowgan.training.memory import MemoryEstimate, estimate
from cowgan.training.timing import StepTime, measure_step_time
from napari_cowgan.training.workers import NICENESS

_POLL_S = 0.2
_REFUSED = 2


@dataclass(frozen=True)
class _Question:
    what: Literal["memory", "time"]
    config: dict[str, Any]
    device: str


def memory_apart(config: TrainingConfig, device: str, progress: Progress) -> MemoryEstimate:
    """Return the result of `cowgan.training.memory.estimate`.

    Raises
    ------
    CowganError
        The memory cannot be estimated.
    Cancelled
        The estimate was cancelled.
    """
    answer = _ask(_Question("memory", config.to_dict(), device), progress)
    return parse_json(answer, MemoryEstimate, "The answer")


def step_time_apart(config: TrainingConfig, device: str, progress: Progress) -> StepTime:
    """Return the result of `cowgan.training.timing.measure_step_time`, at a run's priority.

    Raises
    ------
    CowganError, Cancelled
        As for `memory_apart`.
    """
    answer = _ask(_Question("time", config.to_dict(), device), progress)
    return parse_json(answer, StepTime, "The answer")


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
    config = TrainingConfig.from_dict(question.config)
    find = estimate if question.what == "memory" else measure_step_time
    try:
        json.dump(asdict(find(config, question.device)), sys.stdout)
    except CowganError as error:
        sys.stdout.write(error.sentence)
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(_answer())
