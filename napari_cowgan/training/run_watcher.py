"""Looking at a run while it trains, in a thread: its status, its log and its pictures."""

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
from napari_cowgan.training.workers import LOG, Trainee
from napari_cowgan.widgets.jobs import stop_at_exit

_LOOK_EVERY_S = 0.5
_SHEETS = "step_*.png"


@dataclass(frozen=True)
class Sheet:
    """A picture of what the network makes.

    Parameters
    ----------
    step : int
        When it was drawn.
    picture : ndarray of uint8
        Axial MIPs side by side, shape (height, width).
    """

    step: int
    picture: NDArray[np.uint8]


@dataclass(frozen=True)
class Look:
    """What has happened since the last look at a run.

    Parameters
    ----------
    status : RunStatus or None
        How it stands; None if there is no word of it.
    anew : bool
        Forget the rows of earlier looks.
    rows : list of dict
        New rows of the log.
    sheet : Sheet or None
        A new picture.
    """

    status: RunStatus | None
    anew: bool
    rows: list[dict[str, float]]
    sheet: Sheet | None


class RunWatcher(QObject):
    """Follows one run until it ends.

    Parameters
    ----------
    folder : Path
        The run.
    trainee : Trainee or None
        Who trains it for this panel; None if somebody else does, or nobody.

    Signals
    -------
    looked : RunWatcher, Look
        Several times a second while the run is at work; at least once.
    ended : RunWatcher, Look
        Nobody is at work on it any more; comes last.
    """

    looked = Signal(object, object)
    ended = Signal(object, object)

    def __init__(self, folder: Path, trainee: Trainee | None = None) -> None:
        super().__init__()
        self.folder = folder
        self.trainee = trainee
        self._follower = LogFollower(folder / LOG_FILE)
        self._shown: Path | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cowgan-watcher", daemon=True)

    def start(self) -> None:
        """Start looking."""
        stop_at_exit(self)
        self._thread.start()

    def stop(self) -> None:
        """Look no more; the run is left alone."""
        self._stopped.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        while not self._stopped.is_set():
            # In this order: what is written before the end must not be missed.
            over = self.trainee is None or self.trainee.ended
            status = self._status(over)
            over = over and not (status is not None and status.active)
            anew, rows = self._follower.read()
            look = Look(status, anew, rows, self._sheet())
            try:
                self.looked.emit(self, look)
                if over:
                    self.ended.emit(self, replace(look, anew=False, rows=[], sheet=None))
            except RuntimeError:
                return  # The window was closed and Qt has deleted the receiving end.
            if over:
                return
            self._stopped.wait(_LOOK_EVERY_S)

    def _status(self, over: bool) -> RunStatus | None:
        """Return the run's status; one from before this trainee is none."""
        status = read_status(self.folder)
        if status is None or self.trainee is None:
            return status
        if status.updated < self.trainee.started:
            return replace(status, state="interrupted" if over else "starting", sentence="")
        if status.state == "interrupted" and over:
            return replace(status, sentence=self.trainee.last_words())
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


def outcome(folder: Path, status: RunStatus | None, trainee: Trainee | None) -> tuple[bool, str]:
    """Return whether a run has ended in failure, and one sentence on how it has ended."""
    state = "interrupted" if status is None else status.state
    if status is not None and state in ("finished", "stopped"):
        done = f"step {status.step:,} of {status.steps:,}"
        return False, f"{state.capitalize()} at {done}; the state is saved."
    sentence = "" if status is None else status.sentence
    if not sentence and trainee is not None:
        sentence = trainee.last_words()
    if not sentence:
        sentence = "The run has no status; it was made by an older version of this program."
    if (folder / LOG).exists():
        sentence = f"{sentence.removesuffix('.')} (log: {folder / LOG})."
    return True, sentence
