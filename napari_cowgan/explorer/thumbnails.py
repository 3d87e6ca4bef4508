"""Small pictures of latent states, made one at a time in the background."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QPixmap

from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume import thumbnail
from napari_cowgan.widgets.controls import pixmap_of
from napari_cowgan.widgets.jobs import stop_at_exit

THUMBNAIL_SIZE = 96
_KEPT = 256

_log = logging.getLogger(__name__)
_Pictures = OrderedDict[tuple[Synthesizer, LatentState], NDArray[np.uint8]]


class Thumbnails(QObject):
    """Renders axial MIPs of states and keeps the latest.

    `changed` tells that pictures have arrived; receivers then ask `get` again for what
    they show. The states asked for last come first.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._pictures: _Pictures = OrderedDict()
        self._wanted: OrderedDict[Hashable, tuple[Synthesizer, LatentState]] = OrderedDict()
        self._condition = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="cowgan-thumbnails", daemon=True)
        stop_at_exit(self)
        self._thread.start()

    def get(self, synthesizer: Synthesizer, state: LatentState, place: Hashable) -> QPixmap | None:
        """Return the picture of a state, or None and have it made.

        Parameters
        ----------
        synthesizer : Synthesizer
            What renders it.
        state : LatentState
            What to show.
        place : hashable
            Where it will be shown; a newer wish for the same place replaces this one, so a
            drag leaves no queue behind.
        """
        key = (synthesizer, state)
        with self._condition:
            self._wanted.pop(place, None)
            picture = self._pictures.get(key)
            if picture is None:
                self._wanted[place] = key
                self._condition.notify()
                return None
            self._pictures.move_to_end(key)
        return pixmap_of(picture)

    def clear(self) -> None:
        """Drop everything, such as when another model is opened."""
        with self._condition:
            self._wanted.clear()
            # Another object, so that a picture still in the making does not get into it.
            self._pictures = OrderedDict()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the thread."""
        with self._condition:
            self._stopped = True
            self._wanted.clear()
            self._condition.notify()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._stopped or self._wanted)
                if self._stopped:
                    return
                _, key = self._wanted.popitem(last=True)
                pictures = self._pictures
            try:
                picture = _picture(*key)
            except Exception:  # noqa: BLE001 - see below
                # A picture less is no reason to stop work; the volume itself tells the problem.
                _log.exception("no thumbnail")
                continue
            with self._condition:
                pictures[key] = picture
                while len(pictures) > _KEPT:
                    pictures.popitem(last=False)
            del key, pictures
            if not self._stopped:
                self.changed.emit()


def _picture(synthesizer: Synthesizer, state: LatentState) -> NDArray[np.uint8]:
    # The last but one block has every detail that so small a picture can show.
    block = max(synthesizer.checkpoint.config.n_blocks - 2, 0)
    return thumbnail(next(synthesizer.render_many([state], block)), "axial", THUMBNAIL_SIZE)
