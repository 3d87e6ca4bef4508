"""Measurements of the complete volume that the explorer shows, taken in the background."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from cowgan.errors import CowganError
from cowgan.synthesis import LatentState
from napari_cowgan.widgets.jobs import Job
from napari_cowgan.widgets.latest_job import LatestJob

if TYPE_CHECKING:
    from napari_cowgan.explorer.renderer import Rendered

_PAUSE_MS = 150
"""Volumes that a drag passes are shown for less and are not measured."""


@dataclass(frozen=True)
class Measured:
    """Measurements of a volume.

    Attributes
    ----------
    state : LatentState
        That of the volume.
    values : dict of str to float
        By key of `cowgan.segmentation.artery_attributes.ATTRIBUTES`; NaN where there is nothing
        to measure. Arteries are missing if they are not wanted or still being measured.
    problem : str
        Why something was not measured; empty otherwise.
    """

    state: LatentState
    values: Mapping[str, float]
    problem: str = ""


class LiveMeasurement(QObject):
    """Measures the latest complete volume in a thread: first all vessels, then single arteries.

    Signals
    -------
    found : Measured
        Measurements of that volume, first without and then with arteries.

    Attributes
    ----------
    latest : Measured or None
        Of the volume that was measured last.
    """

    found = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.latest: Measured | None = None
        self._job = LatestJob(self, _PAUSE_MS)
        self._job.part.connect(self._take)
        self._job.found.connect(self._take)
        self._job.failed.connect(self._fail)

    @property
    def running(self) -> bool:
        """Whether a volume is being measured or about to be."""
        return self._job.running

    def request(self, rendered: "Rendered", arteries: bool) -> None:
        """Measure a volume unless another one follows soon."""
        self._state = rendered.state
        self._job.request(lambda: lambda job: _measure(rendered, arteries, job))

    def forget(self) -> None:
        """Stop, and drop what was measured."""
        self._job.stop()
        self.latest = None

    def stop(self) -> None:
        """Stop measuring."""
        self._job.stop()

    def end(self) -> None:
        """Stop and wait for the thread; touches no widget."""
        self._job.end()

    def _take(self, measured: Measured) -> None:
        self.latest = measured
        self.found.emit(measured)

    def _fail(self, error: BaseException) -> None:
        problem = error.sentence if isinstance(error, CowganError) else str(error)
        self._take(Measured(self._state, {}, problem))


def _measure(rendered: "Rendered", arteries: bool, job: Job) -> Measured:
    from cowgan.measure.vessel_attributes import measure_vessels

    found = measure_vessels(rendered.volume)
    vessels = Measured(rendered.state, found.values)
    if not arteries or job.cancelled:
        return vessels
    job.deliver(vessels)
    from cowgan.segmentation.artery_attributes import artery_segmenter, artery_values

    try:
        labels = artery_segmenter()(rendered.volume).labels
    except CowganError as error:
        return Measured(vessels.state, vessels.values, error.sentence)
    if job.cancelled:
        return vessels
    of_arteries = artery_values(labels, found.tubes, rendered.volume.spacing_mm)
    return Measured(vessels.state, {**vessels.values, **of_arteries})
