"""An evaluation in a subprocess, because it keeps Python busy for minutes.

Run as ``python -m napari_cowgan.evaluation.evaluation_process``: reads a task as a line of JSON
from standard input, writes reports as lines of JSON to standard output, and cancels its work when
the input ends, as it does when napari is closed or killed.
"""

import json
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from cowgan.documents import parse_json
from cowgan.errors import Cancelled, CowganError
from cowgan.evaluation.evaluation_request import EvaluationRequest
from cowgan.progress import Progress

NICENESS = 10


@dataclass(frozen=True)
class EvaluationTask:
    """What the process does.

    Parameters
    ----------
    request : EvaluationRequest
        What is evaluated.
    out : Path
        Folder for the report.
    jobs : int
        Number of its own processes.
    published : tuple of str
        Extractors of the measures of the paper, whose weights are downloaded if they are missing.
    """

    request: EvaluationRequest
    out: Path
    jobs: int
    published: tuple[str, ...] = ()

    def as_line(self) -> str:
        """Return the line of JSON that the process reads."""
        return json.dumps(asdict(self), default=str) + "\n"


@dataclass(frozen=True)
class StageReport:
    """What the process tells.

    Parameters
    ----------
    stage : str
        The part of the work that is being done.
    done, total : int
        Its progress; both 0 if unknown.
    problem, detail : str
        Why the process ended, as in `CowganError`; empty unless it failed.
    """

    stage: str
    done: int = 0
    total: int = 0
    problem: str = ""
    detail: str = ""


class _Reporter:
    """Reports the progress of one stage."""

    def __init__(self, to: TextIO, stage: str, stopped: threading.Event) -> None:
        self._to, self._stage, self._stopped = to, stage, stopped

    @property
    def cancelled(self) -> bool:
        return self._stopped.is_set()

    def report(self, done: int, total: int, message: str = "") -> None:
        """Write a report."""
        _tell(self._to, StageReport(self._stage, done, total))


def _tell(to: TextIO, report: StageReport) -> None:
    print(json.dumps(asdict(report)), file=to, flush=True)


def _work(task: EvaluationTask, to: TextIO, stopped: threading.Event) -> None:
    from cowgan.evaluation.evaluation_files import write_evaluation
    from cowgan.features.extractors import open_extractor, weights_file
    from cowgan.features.store import default_cache
    from cowgan.features.weights_files import default_folder, fetch

    @contextmanager
    def stage(title: str) -> Iterator[Progress]:
        if stopped.is_set():
            raise Cancelled
        _tell(to, StageReport(title))
        yield _Reporter(to, title, stopped)

    for name in task.published:
        weights = weights_file(name)
        if not (default_folder() / weights.name).is_file():
            with stage(f"Downloading {weights.name}") as progress:
                fetch(weights, default_folder(), progress)
    published = [open_extractor(name) for name in task.published]
    found, additions = task.request.carry_out(stage, default_cache(), task.jobs, published)
    with stage("Writing the report"):
        write_evaluation(found, task.out, additions, task.request)


def _main() -> None:
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    task = parse_json(sys.stdin.readline(), EvaluationTask, "The task")
    # Reports have the output for themselves, whatever libraries print.
    to = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    stopped = threading.Event()

    def wait_for_end() -> None:
        # Not by sys.stdin, whose lock would be missed when Python shuts down.
        while os.read(sys.stdin.fileno(), 1):
            pass
        stopped.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    try:
        _work(task, to, stopped)
    except Cancelled:
        pass
    except CowganError as error:
        _tell(to, StageReport("", problem=error.sentence, detail=error.detail))
    except Exception:  # noqa: BLE001 - every failure must reach the user
        problem = "Something unexpected went wrong in the evaluation."
        _tell(to, StageReport("", problem=problem, detail=traceback.format_exc()))


if __name__ == "__main__":
    _main()
