"""Presentation of a case: loads its volumes, and shows them after a moment of black."""

import time
from collections.abc import Iterable, Sequence

from qtpy.QtCore import QObject, QTimer, Signal

from cowgan.errors import CowganError
from cowgan.turing.design.trials import Trial
from cowgan.turing.reading.package import Package
from napari_cowgan.reading.image_area import ImageArea
from napari_cowgan.reading.loader import Loader

BLANK_S = 0.15
"""Time that the screen is black before each case, so that cases do not flicker into each other."""
_LONG_LOADING_S = 1.0
_POLL_MS = 10


class CasePresenter(QObject):
    """Shows one case after another, reading the volumes of the next one ahead.

    Parameters
    ----------
    package : Package
        The volumes.
    image : ImageArea
        Where they are shown.

    Signals
    -------
    long_loading
        The volumes of the current case are still being read.
    failed : CowganError
        A volume cannot be read.
    """

    long_loading = Signal()
    failed = Signal(object)

    def __init__(self, package: Package, image: ImageArea) -> None:
        super().__init__()
        self.loader = Loader(package)
        self._image = image
        self._cases: Sequence[str] = ()
        self._loaded = False
        self._blank_until = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._show_when_ready)

    def prepare(self, trials: Iterable[Trial | None]) -> None:
        """Read the cases of these trials ahead, in this order."""
        self.loader.prepare(case for trial in trials if trial for case in trial.cases)

    def present(self, cases: Sequence[str]) -> None:
        """Blank the screen, then show these cases once their volumes are read."""
        self._image.blank()
        self._cases = cases
        self._loaded = False
        self._blank_until = time.monotonic() + BLANK_S
        self._timer.start()

    def blank(self) -> None:
        """Blank the screen, even if a case is about to be shown."""
        self._timer.stop()
        self._image.blank()

    def close(self) -> None:
        """Stop showing and reading volumes."""
        self._timer.stop()
        self.loader.close()

    def _show_when_ready(self) -> None:
        if not self._loaded:
            self._load_when_read()
        overdue_s = time.monotonic() - self._blank_until
        if self._loaded and overdue_s >= 0:
            self._timer.stop()
            self._image.reveal()
        elif not self._loaded and overdue_s > _LONG_LOADING_S:
            self.long_loading.emit()

    def _load_when_read(self) -> None:
        futures = [self.loader.request(case) for case in self._cases]
        if not all(future.done() for future in futures):
            return
        try:
            volumes = [future.result() for future in futures]
        except CowganError as error:
            self._timer.stop()
            self.failed.emit(error)
            return
        self._image.load(volumes)
        self._loaded = True
