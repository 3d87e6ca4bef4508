"""Watching and steering a run from another process: its status, its lock, and requests to it."""

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

State = Literal[
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

ACTIVE: tuple[State, ...] = ("starting", "training", "paused", "saving")
"""States of a run that a process is at work on."""

_WRITE_EVERY_S = 0.5
_LOOK_EVERY_S = 0.2
_PACE_MEMORY = 0.9
_HELD_BRIEFLY_S = 1.0


@dataclass(frozen=True)
class RunStatus:
    """How a run stands.

    Parameters
    ----------
    state : str
        One of `State`. "interrupted" is never written: it is how a run is read whose
        process has gone without a word.
    pid : int
        The process that trains, or was the last to.
    step, steps : int
        Steps done, and the length of the run.
    images_seen : int
        Real volumes shown so far.
    images_per_s : float
        Speed of the latest steps.
    eta_s : float or None
        Time to the end at that speed; None while it is unknown.
    peak_memory_mb : int
        Most memory that the process has used on its device; 0 if unknown.
    device : str
        Where it trains; empty while it starts.
    sentence : str
        What there is to say about the state, if anything.
    updated : float
        When this was written, in seconds since 1970.
    """

    state: State
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
        """Whether a process is at work on the run."""
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
    """Return how the run in a folder stands, None if there is no word of it."""
    try:
        status = read_json(Path(folder) / STATUS_FILE, RunStatus, other_versions=True)
    except CowganError:
        return None
    if status.active and not is_running(folder):
        sentence = "The training process ended without a word; the run can go on from its state."
        return replace(status, state="interrupted", eta_s=None, sentence=sentence)
    return status


def request(folder: Path, wish: Command) -> None:
    """Ask a running run to pause, to go on, or to save its state and stop.

    It does so before its next step.

    Raises
    ------
    CowganError
        Nobody trains this run, or its folder cannot be written.
    """
    if not is_running(folder):
        raise CowganError(f"No process is training the run in {folder}.")
    with atomic_path(Path(folder) / REQUEST_FILE) as temporary:
        temporary.write_text(wish, encoding="utf-8")


class RemoteControl:
    """Lets others watch and steer a run while it is trained, and keeps a second process out.

    As a context manager it notes how the run ends.

    Parameters
    ----------
    folder : Path
        The run; created if needed.
    step, steps : int
        Steps done, and the length of the run.

    Raises
    ------
    CowganError
        Another process trains this run, or its folder cannot be written.
    """

    def __init__(self, folder: Path, step: int, steps: int) -> None:
        self._folder = folder
        self._lock = _held(folder)
        self._status = RunStatus("starting", os.getpid(), step, steps)
        self._pace = 0.0
        self._ticked = 0.0
        with suppress(FileNotFoundError):
            (folder / REQUEST_FILE).unlink()
        self._write()

    @property
    def status(self) -> RunStatus:
        """How the run stands."""
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
                self.tell("finished")
            case Cancelled():
                self.tell("stopped")
            case CowganError():
                self.tell("failed", error.sentence)
            case Exception():
                self.tell("failed", "Something unexpected went wrong while training.")
        with suppress(OSError):
            (self._folder / REQUEST_FILE).unlink(missing_ok=True)
        self._lock.release()

    def begin(self, device: str) -> None:
        """Note that the first step is about to come."""
        self._status = replace(self._status, device=device)
        self.tell("training")

    def tell(self, state: State, sentence: str = "") -> None:
        """Note another state."""
        eta_s = self._status.eta_s if state in ACTIVE else None
        self._status = replace(self._status, state=state, sentence=sentence, eta_s=eta_s)
        self._ticked = 0.0
        self._write()

    def tick(self, row: dict[str, Any]) -> None:
        """Note a step, given its row of the log; written at most twice a second."""
        now, per_step = time.monotonic(), row["images"] / row["step"]
        # From step to step, so that saving states and drawing pictures count too.
        taken = now - self._ticked if self._ticked else per_step / row["images_per_s"]
        before = self._pace or taken
        self._ticked, self._pace = now, _PACE_MEMORY * before + (1 - _PACE_MEMORY) * taken
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

    def heed(self, progress: Progress, save: Callable[[], None]) -> None:
        """Do what was asked for since the last step: wait while the run is paused, or stop.

        Parameters
        ----------
        progress : Progress
            May be cancelled while the run is paused.
        save : callable
            Saves the state; a paused run does so first, as it may wait for long.

        Raises
        ------
        Cancelled
            The run is to stop.
        """
        if self._wish() == "pause":
            self.tell("saving")
            save()
            self.tell("paused")
            while self._wish() == "pause" and not progress.cancelled:
                time.sleep(_LOOK_EVERY_S)
            self.tell("training")
        if self._wish() == "stop":
            raise Cancelled

    def _wish(self) -> str:
        try:
            return read_bytes(self._folder / REQUEST_FILE, 100).decode("ascii", "replace")
        except CowganError:
            return ""

    def _write(self) -> None:
        """Replace the status; one that cannot be written now is not worth ending a run for.

        Windows refuses while somebody reads it, and a full disk is told when the state is saved.
        """
        self._status = replace(self._status, updated=time.time())
        temporary = self._folder / f".{STATUS_FILE}.part"
        with suppress(OSError):
            temporary.write_text(json.dumps(asdict(self._status), indent=2), encoding="utf-8")
            temporary.replace(self._folder / STATUS_FILE)


def _held(folder: Path) -> HeldLock:
    until = time.monotonic() + _HELD_BRIEFLY_S
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return HeldLock(folder / LOCK_FILE)
        except AlreadyHeld as error:
            # Whoever asks whether a run is running holds its lock for a moment.
            if time.monotonic() > until:
                raise CowganError(f"Another process is training the run in {folder}.") from error
            time.sleep(0.05)
        except OSError as error:
            raise CowganError(
                f"{folder} cannot hold a run: {error.strerror or error}.", repr(error)
            ) from error
