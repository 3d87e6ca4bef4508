"""nnU-Net v2 in a process of another interpreter, and what it reports.

`cowgan.segmentation.nnunet_runner` is the other side.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from cowgan.documents import parse_json
from cowgan.errors import CowganError
from cowgan.progress import Progress, advance
from cowgan.segmentation.child_process import ChildProcess, foreign_environment

RUNNER = Path(__file__).with_name("nnunet_runner.py")

_MOST_PROCESSES = 8


@dataclass(frozen=True)
class NnunetVersions:
    """What an interpreter has.

    Parameters
    ----------
    python, nnunetv2, torch : str
        Versions; empty for a package that is missing.
    gpus : int
        Number of GPUs that torch can use through CUDA.
    mps : bool
        Whether torch can use the GPU of an Apple computer.
    """

    python: str
    nnunetv2: str
    torch: str
    gpus: int = 0
    mps: bool = False


@dataclass(frozen=True)
class NnunetEpoch:
    """An epoch of training.

    Parameters
    ----------
    number : int
        From 1.
    train_loss, validation_loss : float or None
        Means over its iterations; None if they are not finite.
    dice : tuple of float or None
        Pseudo-Dice of each class: of all validation patches together. None for a class that is in
        none.
    seconds : float
        How long it took.
    """

    number: int
    train_loss: float | None
    validation_loss: float | None
    dice: tuple[float | None, ...]
    seconds: float


@dataclass(frozen=True)
class NnunetReport:
    """A line that the runner prints.

    Parameters
    ----------
    kind : str
        What it is about. After "problem" the process ends; "end" is the last line of a task.
    done, total, message
        As for `cowgan.progress.Progress.report`; the message of a problem says what went wrong.
    detail : str
        For a log.
    versions : NnunetVersions or None
        Of "versions".
    epoch : NnunetEpoch or None
        Of "epoch".
    """

    kind: Literal["versions", "progress", "epoch", "ready", "result", "problem", "end"]
    done: int = 0
    total: int = 0
    message: str = ""
    detail: str = ""
    versions: NnunetVersions | None = None
    epoch: NnunetEpoch | None = None


class NnunetProcess:
    """A running task; see `nnunet_process`."""

    def __init__(self, child: ChildProcess, progress: Progress) -> None:
        self._child, self._progress = child, progress

    def reports(self) -> Iterator[NnunetReport]:
        """Yield what it reports, without "progress", "problem" and "end".

        Raises
        ------
        CowganError
            It failed, or ended before its task was done.
        Cancelled
            The user cancelled.
        """
        ended = False
        for line in self._child.lines(self._progress):
            report = _report(line)
            if report is None:
                continue
            match report.kind:
                case "progress":
                    advance(self._progress, report.done, report.total, report.message)
                case "problem":
                    raise CowganError(f"nnU-Net failed: {report.message}.", report.detail)
                case "end":
                    ended = True
                case _:
                    yield report
        if not ended:
            raise CowganError(
                "nnU-Net ended before it was done, without saying why.", self._child.last_lines()
            )

    def ask(self, **task: str) -> None:
        """Give it the next task."""
        self._child.send(json.dumps(task))


@contextmanager
def nnunet_process(
    python: Path,
    log: BinaryIO,
    progress: Progress,
    task: Mapping[str, Any],
    folders: Mapping[str, Path] | None = None,
    device: str = "cpu",
) -> Iterator[NnunetProcess]:
    """Start nnU-Net with a task; at the end of the context, all its processes end.

    Parameters
    ----------
    python : Path
        Interpreter that has nnU-Net.
    log : binary file
        Receives what nnU-Net prints; open for reading and writing.
    progress : Progress
        Receives progress, and ends the task if the user cancels.
    task : mapping
        "action", the name of a function of `cowgan.segmentation.nnunet_runner`, and its arguments.
    folders : mapping of str to Path, optional
        Values of ``nnUNet_raw``, ``nnUNet_preprocessed`` and ``nnUNet_results``.
    device : str
        Of `task`; of several GPUs, nnU-Net sees the one that is named here.

    Raises
    ------
    CowganError
        The interpreter cannot be started.
    """
    command = [str(python), "-X", "utf8", str(RUNNER)]
    environment = _environment(folders or {}, device)
    with ChildProcess(command, log, "nnU-Net", environment) as child:
        child.send(json.dumps(task))
        yield NnunetProcess(child, progress)


def _environment(folders: Mapping[str, Path], device: str) -> dict[str, str]:
    """Return the environment of nnU-Net; numbers of processes that the user set are kept."""
    cores = os.cpu_count() or 1
    defaults = {
        "nnUNet_def_n_proc": str(min(_MOST_PROCESSES, cores)),
        # Needs a compiler, which few computers have.
        "nnUNet_compile": "false",
    }
    if device == "cpu":
        # The network itself uses the other cores.
        defaults["nnUNet_n_proc_DA"] = str(min(2, cores - 1))
    own, chosen = foreign_environment(), {}
    if index := device.partition(":")[2]:
        # nnU-Net always uses the first one that it sees.
        visible = own.get("CUDA_VISIBLE_DEVICES", "")
        chosen["CUDA_VISIBLE_DEVICES"] = visible.split(",")[int(index)] if visible else index
    return {
        **defaults,
        **own,
        **chosen,
        **{name: str(path) for name, path in folders.items()},
    }


def _report(line: str) -> NnunetReport | None:
    """Return what a line of output reports, or None for a line that something else printed."""
    try:
        return parse_json(line, NnunetReport, "A line of nnU-Net", other_versions=True)
    except CowganError:
        return None
