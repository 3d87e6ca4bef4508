"""Fields for what a new segmentation network learns from, and for its settings."""

from pathlib import Path

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFormLayout, QWidget

from cowgan.anatomy.label_schemes import LABEL_SCHEMES
from cowgan.bank.description import DESCRIPTION_FILE
from cowgan.segmentation.case_source import CaseSource
from cowgan.segmentation.segmentation_config import SegmentationConfig
from cowgan.segmentation.unet import NETWORKS
from napari_cowgan.training.found_cases import FoundCases, inspect_cases
from napari_cowgan.training.inspection import Inspection
from napari_cowgan.training.setting_fields import count_field
from napari_cowgan.widgets.controls import breakable, hint
from napari_cowgan.widgets.fields import Choice, PathField

NO_CASES = "Choose a bank with labels, or folders of images and of label maps."
_BANK, _FOLDERS = "bank", "folders"
_ABOUT = {
    "small": "Small: for a computer without a GPU.",
    "medium": "Medium: needs a GPU.",
    "large": "Large: needs a GPU with much memory.",
}
_IMAGES, _LABELS = "images", "labels"
"""Folders in that of a training set."""


class SegmentationFields(QObject):
    """Labelled cases, and the settings of the network that learns from them.

    Attributes
    ----------
    source : FoundCases or None
        The cases; None while they are unknown or unusable.

    Signals
    -------
    changed
        `source` or a setting has changed.
    """

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.source: FoundCases | None = None
        self._form: QFormLayout | None = None
        self._rows: list[QWidget] = []
        self._visible = True
        self.kind = Choice(
            "training/cases",
            [("A bank", _BANK), ("Folders", _FOLDERS)],
            "A training bank with labels, or folders of images and of label maps",
        )
        self.bank = PathField(
            "training/labelled_bank",
            "Bank with labels",
            "Training bank whose volumes have label maps; it can also be dropped on this panel",
        )
        self.images = PathField(
            "training/images",
            "Folder of images",
            "Folder of TOF MRA scans in any format; a training set can be dropped on this panel",
        )
        self.labels = PathField(
            "training/labels",
            "Folder of label maps",
            "Folder of label maps with the names of the images; may be the folder of the images",
        )
        self.scheme = Choice(
            "training/scheme",
            [(scheme.name, name) for name, scheme in LABEL_SCHEMES.items()],
            "What the values of the label maps mean",
        )
        self.found = hint("")
        self.network = Choice(
            "training/segmentation_network",
            [(name.capitalize(), name) for name in NETWORKS],
            "Architecture; larger ones need more memory and time",
        )
        self.about = hint("")
        usual = SegmentationConfig()
        self.steps = count_field(
            "training/segmentation_steps", "steps", usual.steps, SegmentationConfig
        )
        self.seed = count_field(
            "training/segmentation_seed", "seed", usual.seed, SegmentationConfig
        )
        self._inspection = Inspection(self, self._chosen, inspect_cases, self._show, NO_CASES)
        self.kind.currentIndexChanged.connect(self._refresh)
        self.network.currentIndexChanged.connect(self._on_network)
        for field in (self.bank, self.images, self.labels):
            field.changed.connect(self._inspection.restart)
        self.scheme.currentIndexChanged.connect(self._inspection.restart)
        self._on_network()

    def add_to(self, form: QFormLayout) -> None:
        """Add the fields as rows of a form."""
        self._form = form
        for name, field in (
            ("Learn from", self.kind),
            ("Bank", self.bank),
            ("Images", self.images),
            ("Label maps", self.labels),
            ("Labels", self.scheme),
            ("", self.found),
            ("Network", self.network),
            ("", self.about),
            ("Steps", self.steps),
            ("Seed", self.seed),
        ):
            if name:
                form.addRow(name, field)
            else:
                form.addRow(field)
            self._rows.append(field)
        self._refresh()

    def set_visible(self, visible: bool) -> None:
        """Show or hide the rows."""
        self._visible = visible
        self._refresh()

    def take(self, folder: Path) -> None:
        """Choose a folder: a bank, or one of images, with those of its label maps if it has any."""
        if (folder / DESCRIPTION_FILE).exists():
            self.kind.choose(_BANK)
            self.bank.set_path(folder)
            return
        whole = all((folder / name).is_dir() for name in (_IMAGES, _LABELS))
        self.kind.choose(_FOLDERS)
        self.images.set_path(folder / _IMAGES if whole else folder)
        self.labels.set_path(folder / _LABELS if whole else folder)

    def config(self) -> SegmentationConfig:
        """Return the settings."""
        return SegmentationConfig(
            network=NETWORKS[self.network.chosen],
            steps=self.steps.value(),
            seed=self.seed.value(),
        )

    def _chosen(self) -> CaseSource | None:
        if self.kind.chosen == _BANK:
            bank = self.bank.path
            return None if bank is None else CaseSource.of(bank=bank)
        images, labels = self.images.path, self.labels.path
        if images is None or labels is None:
            return None
        return CaseSource.of(images, labels, self.scheme.chosen)

    def _refresh(self) -> None:
        if self._form is not None:
            of_folders = (self.images, self.labels, self.scheme)
            others = of_folders if self.kind.chosen == _BANK else (self.bank,)
            for field in self._rows:
                self._form.setRowVisible(field, self._visible and field not in others)
        self._inspection.restart()

    def _on_network(self) -> None:
        self.about.setText(_ABOUT[self.network.chosen])
        self.changed.emit()

    def _show(self, source: FoundCases | None, text: str) -> None:
        self.source = source
        self.found.setText(breakable(text))
        self.changed.emit()
