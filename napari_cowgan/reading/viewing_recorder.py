"""Recording how the reader views the current case."""

import time

from qtpy.QtCore import QObject, QTimer, Signal

from cowgan.turing.reading.session import Session
from napari_cowgan.reading.image_area import ImageArea
from napari_cowgan.reading.interactions import InteractionLog

_LOG_MS = 2000


class ViewingRecorder(QObject):
    """Records the view of the current case in the journal while it is on screen.

    Parameters
    ----------
    session : Session
        The session that keeps the records.
    image : ImageArea
        Where the case is shown.

    Signals
    -------
    long_viewed
        The case has been on screen for longer than most need.
    """

    long_viewed = Signal()

    def __init__(self, session: Session, image: ImageArea) -> None:
        super().__init__()
        self._session = session
        self._image = image
        self._log = InteractionLog(session.interaction)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOG_MS)
        self._timer.timeout.connect(self._on_timer)
        image.viewed.connect(self._log.change)

    def begin(self) -> None:
        """Start with a new case, which has just been drawn."""
        self._log.begin(self._image.view)
        self._session.interaction(canvas_px=[self._image.width(), self._image.height()])
        self._timer.start()

    def rest(self) -> None:
        """Record what is left; the case is no longer on screen."""
        self._timer.stop()
        self._log.rest()

    def resume(self) -> None:
        """Go on after a pause."""
        self._log.resume(self._image.view)
        self._timer.start()

    def seen(self) -> float | None:
        """Return the share of slices that were on screen; None if a projection showed them all."""
        return self._log.seen(self._image.frame.display.shape[0])

    def _on_timer(self) -> None:
        self._log.flush()
        hint_s = self._session.course.rules.hint_s
        on_screen_ns = self._session.snapshot.on_screen_ns(time.monotonic_ns())
        if hint_s and on_screen_ns > hint_s * 1e9:
            self.long_viewed.emit()
