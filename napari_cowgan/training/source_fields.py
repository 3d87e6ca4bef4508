"""Fields for the volumes that a new run trains on."""

from typing import cast

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFormLayout

from cowgan.bank.scaling import BankScaling
from napari_cowgan.training.inspection import Inspection
from napari_cowgan.training.volume_source import VolumeSource, inspect_source
from napari_cowgan.widgets.controls import breakable, hint
from napari_cowgan.widgets.fields import Choice, PathField

NO_SOURCE = "Choose a training bank, or a folder of prepared NIfTI volumes."
_SCALINGS = (
    ("As they are, 0 to 1", "none"),
    ("Robust percentiles", "robust"),
    ("Darkest to brightest", "minmax"),
)


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
        self._form: QFormLayout | None = None
        self._visible = True
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
        self._inspection = Inspection(
            self, lambda: self.volumes.path, inspect_source, self._show, NO_SOURCE
        )
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
        self._inspection.restart()

    def set_visible(self, visible: bool) -> None:
        """Show or hide the rows."""
        self._visible = visible
        self._show_rows()

    def _show(self, source: VolumeSource | None, text: str) -> None:
        self.source = source
        self.found.setText(breakable(text))
        self._show_rows()
        self.changed.emit()

    def _show_rows(self) -> None:
        if self._form is None:
            return
        to_be_scaled = self.source is not None and not self.source.is_bank
        for field in (self.volumes, self.found):
            self._form.setRowVisible(field, self._visible)
        self._form.setRowVisible(self.scaling, self._visible and to_be_scaled)
