"""Presentation of a case: loads its volumes, and shows them after a moment of black."""

import time
from collections.abc import Iterable, Sequence

from qtpy.QtCore import QObject, Signal

from cowgan.errors import CowganError
from cowgan.turing.design.trials import Trial
from cowgan.turing.reading.package import Package
from napari_cowgan.reading.image_area import ImageArea
from napari_cowgan.reading.loader import Loader

BLANK_S = 0.15
"""Time that the screen is black before each case, so that cases do not flicker into each other."""
_LONG_LOADING_S = 1.0


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
        self._loaded = False
        self._blank_until = 0.0

    def prepare(self, trials: Iterable[Trial | None]) -> None:
        """Read the cases of these trials ahead, in this order."""
        self.loader.prepare(case for trial in trials if trial for case in trial.cases)

    def begin(self) -> None:
        """Blank the screen before the next case."""
        self._image.blank()
        self._loaded = False
        self._blank_until = time.monotonic() + BLANK_S

    def show_when_ready(self, cases: Sequence[str]) -> bool:
        """Reveal the volumes once they are read and the screen was blank; return whether it did."""
        futures = [self.loader.request(case) for case in cases]
        if not self._loaded and all(future.done() for future in futures):
            try:
                volumes = [future.result() for future in futures]
            except CowganError as error:
                self.failed.emit(error)
                return False
            self._image.load(volumes)
            self._loaded = True
        overdue_s = time.monotonic() - self._blank_until
        if not self._loaded and overdue_s > _LONG_LOADING_S:
            self.long_loading.emit()
        if not self._loaded or self._image.shown or overdue_s < 0:
            return False
        self._image.reveal()
        return True

    def close(self) -> None:
        """Stop reading volumes."""
        self.loader.close()
