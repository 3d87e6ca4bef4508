"""Thumbnails of latent states, rendered one at a time in the background."""

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
    """A renderer and cache of axial MIPs of latent states.

    The latest requests are rendered first.

    Signals
    -------
    changed
        Thumbnails have arrived; receivers call `get` again for those they show.
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
        """Return the thumbnail of a state, or request it and return None.

        Parameters
        ----------
        synthesizer : Synthesizer
            Renders the state.
        state : LatentState
            The state to show.
        place : hashable
            Where it will be shown; a newer request for the same place replaces this one, so
            that a drag leaves no queue behind.
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

    def withdraw(self, place: Hashable) -> None:
        """Drop the request for a place that shows it no longer."""
        with self._condition:
            self._wanted.pop(place, None)

    def clear(self) -> None:
        """Drop all thumbnails and requests, for example when another model is opened."""
        with self._condition:
            self._wanted.clear()
            # A new object, so that a thumbnail still being rendered is not added to it.
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
                picture = _render(*key)
            except Exception:  # noqa: BLE001 - see below
                # A missing thumbnail must not stop work; the renderer shows the problem.
                _log.exception("a thumbnail could not be rendered")
                continue
            with self._condition:
                pictures[key] = picture
                while len(pictures) > _KEPT:
                    pictures.popitem(last=False)
            del key, pictures
            if not self._stopped:
                self.changed.emit()


def _render(synthesizer: Synthesizer, state: LatentState) -> NDArray[np.uint8]:
    # The last but one block has all the detail visible at this size.
    block = max(synthesizer.checkpoint.config.n_blocks - 2, 0)
    return thumbnail(next(synthesizer.render_many([state], block)), "axial", THUMBNAIL_SIZE)
