"""Small pictures of latent states, made one at a time in the background."""

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QPixmap

from cowgan.errors import CowganError
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume import thumbnail
from napari_cowgan.explorer.controls import pixmap_of
from napari_cowgan.jobs import stop_at_exit

THUMBNAIL_SIZE = 96
_KEPT = 256

_Key = tuple[int, LatentState]


class Thumbnails(QObject):
    """Renders axial MIPs of states and keeps the latest.

    `changed` tells that pictures have arrived; receivers then ask `get` again for what
    they show. The states asked for last come first.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._pictures: OrderedDict[_Key, NDArray[np.uint8]] = OrderedDict()
        self._pixmaps: dict[_Key, QPixmap] = {}
        self._wanted: OrderedDict[_Key, Synthesizer] = OrderedDict()
        self._condition = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="cowgan-thumbnails", daemon=True)
        stop_at_exit(self)
        self._thread.start()

    def get(self, synthesizer: Synthesizer, state: LatentState) -> QPixmap | None:
        """Return the picture of a state, or None and have it made."""
        key = (id(synthesizer), state)
        with self._condition:
            picture = self._pictures.get(key)
            if picture is None:
                self._wanted[key] = synthesizer
                self._wanted.move_to_end(key)
                self._condition.notify()
                return None
            self._pictures.move_to_end(key)
        if key not in self._pixmaps:
            self._pixmaps[key] = pixmap_of(picture)
        return self._pixmaps[key]

    def forget_wanted(self) -> None:
        """Drop what was asked for and has not been made yet."""
        with self._condition:
            self._wanted.clear()

    def clear(self) -> None:
        """Drop everything, such as when another model is opened."""
        with self._condition:
            self._wanted.clear()
            self._pictures.clear()
        self._pixmaps.clear()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the thread."""
        with self._condition:
            self._stopped = True
            self._condition.notify()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._stopped or self._wanted)
                if self._stopped:
                    return
                key, synthesizer = self._wanted.popitem(last=True)
            # The last but one block has every detail that so small a picture can show.
            block = max(synthesizer.checkpoint.config.n_blocks - 2, 0)
            try:
                volume = next(synthesizer.render_many([key[1]], block))
            except CowganError:
                continue
            with self._condition:
                self._pictures[key] = thumbnail(volume, "axial", THUMBNAIL_SIZE)
                while len(self._pictures) > _KEPT:
                    old, _ = self._pictures.popitem(last=False)
                    self._pixmaps.pop(old, None)
            if not self._stopped:
                self.changed.emit()
