"""Background workers that train a run, in a subprocess or a thread."""

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Protocol

from cowgan.errors import Cancelled, CowganError
from cowgan.files import open_regular, open_to_append
from cowgan.progress import Progress

LOG = "train.log"
NICENESS = 10
_TAIL = 4000


class RunTask(Protocol):
    """What a worker does: a run to be started or continued."""

    @property
    def folder(self) -> Path:
        """Folder of the run."""

    def prepare(self) -> list[str]:
        """Write what the process needs, and return its arguments for ``cowgan``."""

    def train(self, progress: Progress) -> None:
        """Train in this process."""


class Worker(Protocol):
    """Trains one run."""

    started: float
    """Start time in seconds since 1970."""

    @property
    def survives_napari(self) -> bool:
        """Whether it can continue after napari is closed."""

    @property
    def ended(self) -> bool:
        """Whether it has ended."""

    def last_message(self) -> str:
        """Return why it ended, in one sentence, in case the run's status does not say."""


class ProcessWorker:
    """Trains with ``cowgan`` in a subprocess, which outlives napari unless it is stopped.

    Parameters
    ----------
    task : RunTask
        The run to train.

    Raises
    ------
    CowganError
        The run's folder holds another run or cannot be written, or no process can be started.
    """

    survives_napari = True

    def __init__(self, task: RunTask) -> None:
        self._log = task.folder / LOG
        self.started = time.time()
        try:
            command = [sys.executable, "-m", "cowgan.cli", *task.prepare()]
            with open_to_append(self._log) as log:
                self._process = _start(command, log.fileno())
        except OSError as error:
            raise CowganError(
                f"No run can be started in {task.folder}: {error.strerror or error}.", repr(error)
            ) from error

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def last_message(self) -> str:
        """Return the last line that the process printed, or that it was killed."""
        status = self._process.returncode
        if status < 0:
            name = signal.Signals(-status).name
            return (
                f"The training process was killed ({name}), as happens when memory runs out; "
                "the run can be resumed from its last saved state."
            )
        lines = tail(self._log.parent).strip().splitlines()
        return lines[-1] if lines and status == 2 else "The training process ended unexpectedly."


class ThreadWorker:
    """Trains in a thread of this process.

    Parameters
    ----------
    task : RunTask
        The run to train.
    """

    survives_napari = False

    def __init__(self, task: RunTask) -> None:
        self._task = task
        self._message = ""
        self.cancelled = False
        self.started = time.time()
        self._thread = threading.Thread(target=self._run, name="cowgan-training", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether the thread has ended."""
        return not self._thread.is_alive()

    def report(self, done: int, total: int, message: str = "") -> None:
        """Ignore progress, which the run's status reports in more detail (part of `Progress`)."""

    def cancel(self) -> None:
        """Save the state and end the training after the current step."""
        self.cancelled = True

    def stop(self, timeout_s: float = 30.0) -> None:
        """Cancel, and wait until the thread has ended."""
        self.cancel()
        self._thread.join(timeout_s)

    def last_message(self) -> str:
        """Return the sentence of the error that ended the training."""
        return self._message

    def _run(self) -> None:
        try:
            self._task.train(self)
        except Cancelled:
            pass
        except CowganError as error:
            self._message = error.sentence
        except Exception:  # noqa: BLE001 - every failure must reach the user
            self._message = "Something unexpected went wrong while training."
            with open_to_append(self._task.folder / LOG) as log:
                log.write(traceback.format_exc().encode())


def tail(folder: Path) -> str:
    """Return the end of the output of a run's process; empty if there is none."""
    try:
        with open_regular(folder / LOG) as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - _TAIL))
            return log.read(_TAIL).decode("utf-8", "replace")
    except (OSError, CowganError):
        return ""


def _start(command: list[str], log: int) -> "subprocess.Popen[bytes]":
    """Start a process of low priority that does not end with napari."""
    if sys.platform == "win32":
        flags = (
            subprocess.CREATE_NEW_PROCESS_GROUP
            | subprocess.CREATE_NO_WINDOW
            | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        )
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, creationflags=flags
        )
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )
    os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
    return process
