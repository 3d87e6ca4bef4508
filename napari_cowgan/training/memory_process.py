"""Estimating what a run needs in a process of its own, as that keeps Python busy for seconds.

Run as ``python -m napari_cowgan.training.memory_process``: reads a question as JSON from
standard input and writes the answer to standard output.
"""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from cowgan.documents import parse_json
from cowgan.errors import Cancelled, CowganError
from cowgan.progress import Progress
from cowgan.training.config import TrainingConfig
from cowgan.training.memory import MemoryEstimate, estimate

_LOOK_EVERY_S = 0.2


@dataclass(frozen=True)
class _Question:
    config: dict[str, Any]
    device: str


def estimate_apart(config: TrainingConfig, device: str, progress: Progress) -> MemoryEstimate:
    """Return what `cowgan.training.memory.estimate` finds.

    Raises
    ------
    CowganError
        Nothing can be found.
    Cancelled
        Nobody wants to know any more.
    """
    with subprocess.Popen(
        [sys.executable, "-m", __name__],
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        question: str | None = json.dumps(asdict(_Question(config.to_dict(), device)))
        while True:
            try:
                answer, said = process.communicate(question, _LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                question = None  # It has been asked.
                if progress.cancelled:
                    process.kill()
                    raise Cancelled from None
            else:
                break
    if process.returncode:
        raise CowganError("How much memory this needs could not be worked out.", said)
    return parse_json(answer, MemoryEstimate, "The answer")


def _answer() -> None:
    question = parse_json(sys.stdin.read(), _Question, "The question")
    found = estimate(TrainingConfig.from_dict(question.config), question.device)
    json.dump(asdict(found), sys.stdout)


if __name__ == "__main__":
    _answer()
