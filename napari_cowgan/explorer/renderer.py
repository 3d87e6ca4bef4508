"""The thread that renders the latest request."""

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from cowgan.errors import Cancelled
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume import Volume
from napari_cowgan.widgets.jobs import stop_at_exit

if TYPE_CHECKING:
    from cowgan.segmentation.volume_labellers import HeadLabeller


@dataclass(frozen=True, eq=False)
class Rendered:
    """A rendered volume.

    Attributes
    ----------
    synthesizer : Synthesizer
        The synthesizer that rendered it.
    state : LatentState
        The requested state.
    volume : Volume
        The volume, at full size.
    preview_block : int or None
        Last block of a preview; None for the complete volume.
    elapsed_s : float
        Rendering time.
    labels : ndarray, shape (z, x, y), uint8, or None
        Labels of the arteries, if they were asked for and the volume is complete.
    """

    synthesizer: Synthesizer
    state: LatentState
    volume: Volume
    preview_block: int | None
    elapsed_s: float
    labels: NDArray[np.uint8] | None = None


class Renderer(QObject):
    """A thread that renders the latest request: first a preview, then the full volume.

    Older requests that have not started are dropped, and a full volume in progress is
    abandoned between two blocks when a newer request arrives. `ready` carries no result:
    `take` returns the latest one, so a slow window never works through a queue.

    Attributes
    ----------
    renders : int
        Volumes rendered so far, previews included.
    coarsest_preview : int
        Block to which previews are rendered at least, however long it takes.
    """

    ready = Signal()
    failed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.renders = 0
        self.coarsest_preview = 0
        self._condition = threading.Condition()
        self._request: tuple[Synthesizer, LatentState, HeadLabeller | None] | None = None
        self._result: Rendered | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="cowgan-renderer", daemon=True)
        stop_at_exit(self)
        self._thread.start()

    def request(
        self, synthesizer: Synthesizer, state: LatentState, labeller: "HeadLabeller | None" = None
    ) -> None:
        """Request `state`, replacing a request that has not been started.

        A labeller of the same synthesizer labels the complete volume.
        """
        with self._condition:
            self._request = (synthesizer, state, labeller)
            self._condition.notify()

    def take(self) -> Rendered | None:
        """Return the latest result, once."""
        with self._condition:
            result, self._result = self._result, None
        return result

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the thread; a render in progress is abandoned at its next block."""
        with self._condition:
            self._stopped = True
            self._request = None
            self._condition.notify()
        self._thread.join(timeout_s)

    def _superseded(self) -> bool:
        return self._stopped or self._request is not None

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(self._superseded)
                if self._stopped or self._request is None:
                    return
                request, self._request = self._request, None
            try:
                self._render(*request)
            except Cancelled:
                continue
            except Exception as error:  # noqa: BLE001 - every failure must reach the user
                self._emit(self.failed, error)

    def _render(
        self, synthesizer: Synthesizer, state: LatentState, labeller: "HeadLabeller | None"
    ) -> None:
        preview_block = synthesizer.preview_block(state)
        if preview_block is not None:
            # A preview is never abandoned: previews keep a long drag moving.
            self._deliver(synthesizer, state, max(preview_block, self.coarsest_preview))
            if self._superseded():
                return
        self._deliver(synthesizer, state, None, labeller)

    def _deliver(
        self,
        synthesizer: Synthesizer,
        state: LatentState,
        block: int | None,
        labeller: "HeadLabeller | None" = None,
    ) -> None:
        start = time.perf_counter()
        cancelled = self._superseded if block is None else lambda: self._stopped
        labels = None
        if labeller is None:
            volume = synthesizer.render(state, block, cancelled)
        else:
            made = labeller(state, cancelled)
            volume, labels = made.volume, made.labels
        self.renders += 1
        with self._condition:
            elapsed_s = time.perf_counter() - start
            self._result = Rendered(synthesizer, state, volume, block, elapsed_s, labels)
        self._emit(self.ready)

    def _emit(self, signal: object, *values: object) -> None:
        if not self._stopped:
            signal.emit(*values)  # type: ignore[attr-defined]
