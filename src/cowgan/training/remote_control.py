"""Remote control of a run by other processes: its status, its lock and commands to it."""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from cowgan.documents import read_json
from cowgan.errors import Cancelled, CowganError
from cowgan.files import atomic_path, read_bytes
from cowgan.locking import AlreadyHeld, HeldLock
from cowgan.progress import Progress

STATUS_FILE = "status.json"
LOCK_FILE = "run.lock"
REQUEST_FILE = "request.txt"

RunState = Literal[
    "starting",
    "training",
    "paused",
    "saving",
    "stopped",
    "finished",
    "failed",
    "interrupted",
]
Command = Literal["pause", "resume", "stop"]

ACTIVE: tuple[RunState, ...] = ("starting", "training", "paused", "saving")
"""States of a run that a process is training."""

_WRITE_EVERY_S = 0.5
_POLL_EVERY_S = 0.2
_PACE_DECAY = 0.9
_LOCK_TIMEOUT_S = 1.0


@dataclass(frozen=True)
class RunStatus:
    """Status of a run.

    Parameters
    ----------
    state : str
        One of `RunState`. "interrupted" is never written: it is read of a run whose process ended
        unexpectedly.
    pid : int
        Process that trains, or was the last to train.
    step, steps : int
        Completed steps, and the length of the run.
    images_seen : int
        Real volumes shown so far.
    images_per_s : float
        Speed of recent steps.
    eta_s : float or None
        Remaining time at that speed; None while it is unknown.
    peak_memory_mb : int
        Peak memory of the process on its device; 0 if unknown.
    device : str
        Device of training; empty while it starts.
    sentence : str
        Message about the state, if any.
    updated : float
        Time of writing, in seconds since 1970.
    """

    state: RunState
    pid: int
    step: int = 0
    steps: int = 0
    images_seen: int = 0
    images_per_s: float = 0.0
    eta_s: float | None = None
    peak_memory_mb: int = 0
    device: str = ""
    sentence: str = ""
    updated: float = 0.0

    @property
    def active(self) -> bool:
        """Whether a process is training the run."""
        return self.state in ACTIVE

    @property
    def pace(self) -> str:
        """Speed and memory in words; empty until they are known."""
        if not self.images_per_s:
            return ""
        memory = f", {self.peak_memory_mb / 1024:.1f} GB" if self.peak_memory_mb else ""
        return f"{self.images_per_s:.1f} images/s{memory}"


def is_running(folder: Path) -> bool:
    """Return whether a process, this one included, trains the run in a folder."""
    lock = Path(folder) / LOCK_FILE
    if not lock.exists():
        return False
    try:
        HeldLock(lock).release()
    except AlreadyHeld:
        return True
    except OSError:
        return False
    return False


def read_status(folder: Path) -> RunStatus | None:
    """Return the status of the run in a folder, or None if there is none."""
    try:
        status = read_json(Path(folder) / STATUS_FILE, RunStatus, other_versions=True)
    except CowganError:
        return None
    if status.active and not is_running(folder):
        sentence = "The training process ended unexpectedly; resume the run from its saved state."
        return replace(status, state="interrupted", eta_s=None, sentence=sentence)
    return status


def request(folder: Path, command: Command) -> None:
    """Ask a running run to pause, to resume, or to save its state and stop.

    The run obeys before its next step.

    Raises
    ------
    CowganError
        No process trains this run, or its folder cannot be written.
    """
    if not is_running(folder):
        raise CowganError(f"No process is training the run in {folder}.")
    with atomic_path(Path(folder) / REQUEST_FILE) as temporary:
        temporary.write_text(command, encoding="utf-8")


class RemoteControl:
    """Publishes the status of a run, obeys commands to it, and locks out a second process.

    As a context manager it records how the run ends.

    Parameters
    ----------
    folder : Path
        The run; created if needed.
    step, steps : int
        Completed steps, and the length of the run.

    Raises
    ------
    CowganError
        Another process trains this run, or its folder cannot be written.
    """

    def __init__(self, folder: Path, step: int, steps: int) -> None:
        self._folder = folder
        self._lock = _acquire_lock(folder)
        self._status = RunStatus("starting", os.getpid(), step, steps)
        self._pace = 0.0
        self._recorded_at = 0.0
        with suppress(FileNotFoundError):
            (folder / REQUEST_FILE).unlink()
        self._write()

    @property
    def status(self) -> RunStatus:
        """Status of the run."""
        return self._status

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        match error:
            case None:
                self.set_state("finished")
            case Cancelled():
                self.set_state("stopped")
            case CowganError():
                self.set_state("failed", error.sentence)
            case Exception():
                self.set_state("failed", "Training failed with an unexpected error.")
        with suppress(OSError):
            (self._folder / REQUEST_FILE).unlink(missing_ok=True)
        self._lock.release()

    def begin(self, device: str) -> None:
        """Record that training begins."""
        self._status = replace(self._status, device=device)
        self.set_state("training")

    def set_state(self, state: RunState, sentence: str = "") -> None:
        """Record another state."""
        eta_s = self._status.eta_s if state in ACTIVE else None
        self._status = replace(self._status, state=state, sentence=sentence, eta_s=eta_s)
        self._recorded_at = 0.0
        self._write()

    def record_step(self, row: dict[str, Any]) -> None:
        """Record a step, given its row of the log; written at most twice a second."""
        now, per_step = time.monotonic(), row["images"] / row["step"]
        # Between steps, so that saving states and drawing pictures count too.
        taken = now - self._recorded_at if self._recorded_at else per_step / row["images_per_s"]
        before = self._pace or taken
        self._recorded_at, self._pace = now, _PACE_DECAY * before + (1 - _PACE_DECAY) * taken
        self._status = replace(
            self._status,
            step=row["step"],
            images_seen=row["images"],
            images_per_s=round(per_step / self._pace, 3),
            eta_s=round((self._status.steps - row["step"]) * self._pace, 1),
            peak_memory_mb=row["peak_memory_mb"],
        )
        if time.time() - self._status.updated >= _WRITE_EVERY_S:
            self._write()

    def obey(self, progress: Progress, save: Callable[[], None]) -> None:
        """Obey a command since the last step: wait while the run is paused, or stop.

        Parameters
        ----------
        progress : Progress
            May be cancelled while the run is paused.
        save : callable
            Saves the state; called before a pause, which may be long.

        Raises
        ------
        Cancelled
            The run has been asked to stop.
        """
        if self._command() == "pause":
            self.set_state("saving")
            save()
            self.set_state("paused")
            while self._command() == "pause" and not progress.cancelled:
                time.sleep(_POLL_EVERY_S)
            self.set_state("training")
        if self._command() == "stop":
            raise Cancelled

    def _command(self) -> str:
        try:
            return read_bytes(self._folder / REQUEST_FILE, 100).decode("ascii", "replace")
        except CowganError:
            return ""

    def _write(self) -> None:
        """Replace the status file; ignore failures, which must not end a run.

        Windows refuses while another process reads it, and a full disk is reported when the state
        is saved.
        """
        self._status = replace(self._status, updated=time.time())
        temporary = self._folder / f".{STATUS_FILE}.part"
        with suppress(OSError):
            temporary.write_text(json.dumps(asdict(self._status), indent=2), encoding="utf-8")
            temporary.replace(self._folder / STATUS_FILE)


def _acquire_lock(folder: Path) -> HeldLock:
    until = time.monotonic() + _LOCK_TIMEOUT_S
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return HeldLock(folder / LOCK_FILE)
        except AlreadyHeld as error:
            # `is_running` of another process holds the lock for a moment.
            if time.monotonic() > until:
                raise CowganError(f"Another process is training the run in {folder}.") from error
            time.sleep(0.05)
        except OSError as error:
            raise CowganError(
                f"{folder} cannot hold a run: {error.strerror or error}.", repr(error)
            ) from error
