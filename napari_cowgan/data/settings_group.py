"""What is prepared, where the results go, and how."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QSizePolicy, QSpinBox, QVBoxLayout, QWidget

from cowgan.data.intensity import Scaling
from cowgan.data.preprocess import PreprocessConfig, Roi
from cowgan.data.skull_strip import SkullStrip
from cowgan.errors import CowganError
from napari_cowgan.controls import WheelGuard, text_button
from napari_cowgan.data.path_field import PathField
from napari_cowgan.settings import recall_count, recall_text, remember
from napari_cowgan.tooltips import TOOLTIPS

_NIFTI = "NIfTI (*.nii.gz *.nii)"
_IN_EACH_SCAN = "scan"
_REGIONS: Sequence[tuple[str, str]] = (
    ("Found in each scan", _IN_EACH_SCAN),
    ("From a template", "template"),
    ("Found in template", "auto"),
    ("Paper's template", "paper"),
)
_SCALINGS: Sequence[tuple[str, Scaling]] = (
    ("Robust percentiles", "robust"),
    ("Darkest to brightest", "minmax"),
)
_SKULL_STRIPS: Sequence[tuple[str, SkullStrip]] = (
    ("If a tool is installed", "auto"),
    ("Never", "none"),
    ("With SynthStrip", "synthstrip"),
    ("With HD-BET", "hd-bet"),
)


class SettingsGroup(QWidget):
    """Folders, region, intensities, skull stripping and processes; all are remembered.

    Signals
    -------
    changed
        A folder or file has changed.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.scans = PathField("scans", "Folder with scans")
        self.out = PathField("prepared", "Folder for the results")
        self.region = _Choice("region", _REGIONS)
        self.template = PathField("template", "Template file", _NIFTI)
        self.build = text_button("Build from these scans…", "build_template")
        self.scaling = _Choice("scaling", _SCALINGS)
        self.skull_strip = _Choice("skull_strip", _SKULL_STRIPS)
        self.jobs = QSpinBox()
        cores = os.cpu_count() or 1
        self.jobs.setRange(1, cores)
        self.jobs.setToolTip(TOOLTIPS["jobs"])
        self.jobs.setValue(recall_count("data/jobs", max(cores - 1, 1)))
        self.jobs.valueChanged.connect(lambda count: remember("data/jobs", count))
        WheelGuard(self.region, self.scaling, self.skull_strip, self.jobs)
        form = self._form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(4)
        form.addRow("Scans", self.scans)
        form.addRow("Results", self.out)
        form.addRow("Region", self.region)
        form.addRow("Template", self.template)
        form.addRow("", self.build)
        form.addRow("Skull strip", self.skull_strip)
        form.addRow("Intensities", self.scaling)
        form.addRow("Processes", self.jobs)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(form)
        for field in (self.scans, self.out, self.template):
            field.changed.connect(self.changed)
        self.region.activated.connect(self._on_region)
        self._on_region()

    def config(self) -> PreprocessConfig:
        """Return how scans are to be prepared.

        Raises
        ------
        CowganError
            A template is wanted, but none is chosen.
        """
        scaling = cast(Scaling, self.scaling.chosen)
        jobs = self.jobs.value()
        if self.region.chosen == _IN_EACH_SCAN:
            return PreprocessConfig(roi="auto", intensity=scaling, jobs=jobs)
        if self.template.path is None:
            raise CowganError("Choose a template file, or build one from these scans.")
        return PreprocessConfig(
            self.template.path,
            cast(Roi, self.region.chosen),
            scaling,
            cast(SkullStrip, self.skull_strip.chosen),
            jobs=jobs,
        )

    def use_template(self, path: Path) -> None:
        """Take the region from a template."""
        self.template.set_path(path)
        self.region.choose("template")
        self._on_region()

    def _on_region(self) -> None:
        for field in (self.template, self.build, self.skull_strip):
            self._form.setRowVisible(field, self.region.chosen != _IN_EACH_SCAN)
        self.changed.emit()


class _Choice(QComboBox):
    """A remembered choice among a few, each shown in words."""

    def __init__(self, name: str, options: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._key = f"data/{name}"
        for text, value in options:
            self.addItem(text, value)
        self.setToolTip(TOOLTIPS[name])
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(110)
        self.choose(recall_text(self._key, options[0][1]))
        self.currentIndexChanged.connect(lambda: remember(self._key, self.chosen))

    @property
    def chosen(self) -> str:
        """The value that is chosen."""
        return str(self.currentData())

    def choose(self, value: str) -> None:
        """Choose a value; one that is not offered becomes the first."""
        self.setCurrentIndex(max(self.findData(value), 0))
