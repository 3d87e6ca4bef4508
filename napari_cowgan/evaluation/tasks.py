"""Background work of the evaluation panel; touches no widget."""

import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

from cowgan.documents import parse_json
from cowgan.errors import Cancelled, CowganError
from cowgan.evaluation.evaluate import Sets
from cowgan.evaluation.evaluation_files import HTML_FILE, existing_report
from cowgan.evaluation.stored_evaluation import StoredEvaluation, read_evaluation
from cowgan.progress import Progress
from cowgan.volume import Volume
from cowgan.volume.volume_set import VolumeSet
from napari_cowgan.evaluation import evaluation_process
from napari_cowgan.evaluation.evaluation_process import EvaluationTask, StageReport
from napari_cowgan.widgets.remembered import is_there

_POLL_S = 0.1
_PATIENCE_S = 15.0
"""Time that a cancelled process has to finish the volumes that it works on."""


@dataclass(frozen=True)
class Pair:
    """A generated volume and the training volume that it is shown beside, by name."""

    generated: str
    training: str


@dataclass(frozen=True)
class ShownPair:
    """The volumes of a pair."""

    pair: Pair
    generated: Volume
    training: Volume


class OpenedEvaluation:
    """An evaluation that was read from its folder, with its volumes at hand.

    Parameters
    ----------
    folder : Path
        Folder of the report.

    Raises
    ------
    CowganError
        As for `cowgan.evaluation.stored_evaluation.read_evaluation`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.content: StoredEvaluation = read_evaluation(folder)

    @property
    def page(self) -> Path:
        """The report for the browser."""
        return self.folder / HTML_FILE

    def read(self, pair: Pair, progress: Progress) -> ShownPair:
        """Read or generate the volumes of a pair.

        Raises
        ------
        CowganError
            They are not where they were, or cannot be read.
        """
        generated = _volume(self._sets.generated, pair.generated)
        if progress.cancelled:
            raise Cancelled
        return ShownPair(pair, generated, _volume(self._sets.training, pair.training))

    @cached_property
    def _sets(self) -> Sets:
        if self.content.request is None:
            raise CowganError("The evaluation does not say where its volumes are.")
        return self.content.request.open_sets()


def free_folder(real: Path) -> Path:
    """Return a folder beside the real volumes that is not there yet."""
    number = 1
    while is_there(folder := real.parent / f"evaluation-{number}"):
        number += 1
    return folder


def evaluate(
    task: EvaluationTask, begin: Callable[[str], None], progress: Progress
) -> OpenedEvaluation:
    """Evaluate in a subprocess.

    Parameters
    ----------
    task : EvaluationTask
        What to do.
    begin : callable
        Called with the name of each part of the work.
    progress : Progress
        Reports the progress of the present part.

    Raises
    ------
    CowganError
        The folder for the report holds one already, the volumes cannot be compared, or the process
        ended.
    Cancelled
        The user cancelled; features that were found are kept.
    """
    if existing_report(task.out) is not None:
        raise CowganError(
            f"{task.out} holds an evaluation already; choose another folder for the report."
        )
    progress.report(0, 0)
    stage = ""
    for report in _run(task, progress):
        if report.problem:
            raise CowganError(report.problem, report.detail)
        if report.stage != stage:
            stage = report.stage
            begin(stage)
        progress.report(report.done, report.total)
    return OpenedEvaluation(task.out)


def _run(task: EvaluationTask, progress: Progress) -> Iterator[StageReport]:
    """Run the process and yield what it reports."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-X", "utf8", "-m", evaluation_process.__name__],
            encoding="utf-8",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(task.as_line())
            process.stdin.flush()
            for line in _lines(process.stdout, progress):
                yield parse_json(line, StageReport, "What the evaluation reports")
            if process.wait():
                errors.seek(0)
                raise CowganError(
                    "The evaluation ended unexpectedly, perhaps for want of memory.",
                    errors.read().decode("utf-8", "replace"),
                )
        finally:
            _end(process)


def _lines(output: IO[str], progress: Progress) -> Iterator[str]:
    """Yield lines as they come, and raise `Cancelled` soon after the user cancels."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in output:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        if progress.cancelled:
            raise Cancelled
        try:
            line = lines.get(timeout=_POLL_S)
        except queue.Empty:
            continue
        if line is None:
            return
        yield line


def _end(process: "subprocess.Popen[str]") -> None:
    """Ask the process to end, and end it if it takes too long."""
    assert process.stdin is not None
    try:
        process.stdin.close()
        process.wait(_PATIENCE_S)
    except (OSError, subprocess.TimeoutExpired):
        process.kill()
        process.wait()


def _volume(volumes: VolumeSet, name: str) -> Volume:
    if name not in volumes.names:
        raise CowganError(f"{name} is no longer in {volumes.title}.")
    return volumes.volume(volumes.names.index(name))
