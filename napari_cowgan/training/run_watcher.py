"""Thread that follows a run while it trains: its status, log and sample pictures."""

import threading
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from cowgan.errors import CowganError
from cowgan.pictures import read_picture
from cowgan.training.log import LOG_FILE, LogFollower
from cowgan.training.loop import SAMPLES_FOLDER
from cowgan.training.remote_control import RunStatus, read_status
from napari_cowgan.training.workers import LOG, Worker
from napari_cowgan.widgets.jobs import stop_at_exit

_POLL_S = 0.5
_SHEETS = "step_*.png"


@dataclass(frozen=True)
class Sheet:
    """Picture of generated volumes.

    Parameters
    ----------
    step : int
        Training step.
    picture : ndarray of uint8
        Axial MIPs side by side, shape (height, width).
    """

    step: int
    picture: NDArray[np.uint8]


@dataclass(frozen=True)
class RunUpdate:
    """Changes of a run since the last update.

    Parameters
    ----------
    status : RunStatus or None
        Current status; None if the run has none.
    restarted : bool
        The log was rewritten, so that rows of earlier updates no longer count.
    rows : list of dict
        New rows of the log.
    sheet : Sheet or None
        A new picture.
    """

    status: RunStatus | None
    restarted: bool
    rows: list[dict[str, float]]
    sheet: Sheet | None


class RunWatcher(QObject):
    """Follows one run until it ends.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    worker : Worker or None
        This panel's worker that trains it; None if it is trained elsewhere, or has ended.

    Signals
    -------
    updated : RunWatcher, RunUpdate
        Twice a second while the run is active, and at least once.
    ended : RunWatcher, RunUpdate
        The run is no longer active; emitted last.
    """

    updated = Signal(object, object)
    ended = Signal(object, object)

    def __init__(self, folder: Path, worker: Worker | None = None) -> None:
        super().__init__()
        self.folder = folder
        self.worker = worker
        self._follower = LogFollower(folder / LOG_FILE)
        self._shown: Path | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cowgan-watcher", daemon=True)

    def start(self) -> None:
        """Start following."""
        stop_at_exit(self)
        self._thread.start()

    def stop(self) -> None:
        """Stop following; the run itself continues."""
        self._stopped.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        while not self._stopped.is_set():
            # In this order, so that what is written just before the end is not missed.
            over = self.worker is None or self.worker.ended
            status = self._status(over)
            over = over and not (status is not None and status.active)
            restarted, rows = self._follower.read()
            update = RunUpdate(status, restarted, rows, self._sheet())
            try:
                self.updated.emit(self, update)
                if over:
                    self.ended.emit(self, replace(update, restarted=False, rows=[], sheet=None))
            except RuntimeError:
                return  # The window was closed, and Qt has deleted the receiver.
            if over:
                return
            self._stopped.wait(_POLL_S)

    def _status(self, over: bool) -> RunStatus | None:
        """Return the run's status; one from before this worker started does not count."""
        status = read_status(self.folder)
        if status is None or self.worker is None:
            return status
        if status.updated < self.worker.started:
            return replace(status, state="interrupted" if over else "starting", sentence="")
        if status.state == "interrupted" and over:
            return replace(status, sentence=self.worker.last_message())
        return status

    def _sheet(self) -> Sheet | None:
        newest = max((self.folder / SAMPLES_FOLDER).glob(_SHEETS), default=None)
        if newest is None or newest == self._shown:
            return None
        try:
            picture = np.asarray(read_picture(newest))
        except CowganError:
            return None
        self._shown = newest
        return Sheet(int(newest.stem.rpartition("_")[2]), picture)


def outcome(folder: Path, status: RunStatus | None, worker: Worker | None) -> tuple[bool, str]:
    """Return whether a run has failed, and one sentence on how it ended."""
    state = "interrupted" if status is None else status.state
    if status is not None and state in ("finished", "stopped"):
        done = f"step {status.step:,} of {status.steps:,}"
        return False, f"{state.capitalize()} at {done}; the state is saved."
    sentence = "" if status is None else status.sentence
    if not sentence and worker is not None:
        sentence = worker.last_message()
    if not sentence:
        sentence = "The run has no status; it was made by an older version of this program."
    if (folder / LOG).exists():
        sentence = f"{sentence.removesuffix('.')} (log: {folder / LOG})."
    return True, sentence
