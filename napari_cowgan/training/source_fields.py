"""Fields for the volumes that a new run trains on."""

from pathlib import Path
from typing import cast

from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QFormLayout

from cowgan.bank.scaling import BankScaling
from cowgan.progress import Progress
from napari_cowgan.training.delay import delayed
from napari_cowgan.training.volume_source import VolumeSource, inspect_source
from napari_cowgan.widgets.controls import breakable, hint
from napari_cowgan.widgets.fields import Choice, PathField
from napari_cowgan.widgets.jobs import Job
from napari_cowgan.widgets.problems import sentence

NO_SOURCE = "Choose a training bank, or a folder of prepared NIfTI volumes."
_SCALINGS = (
    ("As they are, 0 to 1", "none"),
    ("Robust percentiles", "robust"),
    ("Darkest to brightest", "minmax"),
)
_INSPECT_AFTER_MS = 300


class SourceFields(QObject):
    """Folder of the volumes, what it holds, and how their intensities are scaled.

    Attributes
    ----------
    source : VolumeSource or None
        What the folder holds; None while it is unknown or unusable.

    Signals
    -------
    changed
        `source` has changed.
    """

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.source: VolumeSource | None = None
        self._job: Job | None = None
        self._form: QFormLayout | None = None
        self.volumes = PathField(
            "training/volumes",
            "Training bank or NIfTI folder",
            "Training data: a bank, or a folder of prepared NIfTI volumes, which are converted to "
            "a bank first; the folder can also be dropped on this panel",
        )
        self.found = hint("")
        self.scaling = Choice(
            "training/bank_scaling",
            _SCALINGS,
            "How intensities are scaled to 0 to 1; prepared volumes already are",
        )
        self._timer: QTimer = delayed(self, _INSPECT_AFTER_MS, self._inspect)
        self.volumes.changed.connect(self.refresh)

    def add_to(self, form: QFormLayout) -> None:
        """Add the fields as rows of a form."""
        self._form = form
        form.addRow("Data", self.volumes)
        form.addRow(self.found)
        form.addRow("Intensities", self.scaling)

    @property
    def chosen_scaling(self) -> BankScaling:
        """How intensities of NIfTI files are scaled to 0 to 1."""
        return cast(BankScaling, self.scaling.chosen)

    def refresh(self) -> None:
        """Inspect the folder again."""
        chosen = self.volumes.path is not None
        self._show(None, "Inspecting the folder…" if chosen else NO_SOURCE)
        if chosen:
            self._timer.start()

    def _inspect(self) -> None:
        path = self.volumes.path
        if path is None:
            return

        def work(progress: Progress) -> tuple[Path, VolumeSource | None, str]:
            try:
                source = inspect_source(path)
            except Exception as error:  # noqa: BLE001 - every failure must reach the user
                return path, None, sentence(error)
            return path, source, source.sentence

        self._job = Job(work)
        self._job.succeeded.connect(self._on_inspected)
        self._job.start()

    def _on_inspected(self, found: tuple[Path, VolumeSource | None, str]) -> None:
        path, source, text = found
        if path == self.volumes.path:
            self._show(source, text)

    def _show(self, source: VolumeSource | None, text: str) -> None:
        self.source = source
        self.found.setText(breakable(text))
        if self._form is not None:
            self._form.setRowVisible(self.scaling, source is not None and not source.is_bank)
        self.changed.emit()
