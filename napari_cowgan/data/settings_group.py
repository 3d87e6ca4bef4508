"""Control group for the settings of preprocessing, which are remembered."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QVBoxLayout, QWidget

from cowgan.data.preprocess import PreprocessConfig, Roi
from cowgan.data.skull_strip import SkullStrip
from cowgan.errors import CowganError
from cowgan.volume import Units
from cowgan.volume.intensity import Scaling
from napari_cowgan.widgets.controls import text_button
from napari_cowgan.widgets.fields import Choice, Count, PathField
from napari_cowgan.widgets.guards import WheelGuard

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
_AS_STATED = "stated"
_LENGTHS = (
    ("As the files state", _AS_STATED),
    ("Millimetres", "mm"),
    ("Metres", "m"),
    ("Micrometres", "um"),
)


class SettingsGroup(QWidget):
    """Folders, region, intensities, skull stripping and number of processes.

    Signals
    -------
    changed
        A folder or file has changed.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.scans = PathField(
            "data/scans",
            "Folder with scans",
            "Folder of TOF MRA scans, including subfolders; nothing in it is changed",
        )
        self.out = PathField(
            "data/prepared",
            "Folder for the results",
            "Folder for the prepared volumes, the quality page and the results table; must lie "
            "outside the scans",
        )
        self.region = Choice(
            "data/region",
            _REGIONS,
            "Where the Circle of Willis is: located by its bright arteries, or taken from a "
            "template that every scan is registered to",
        )
        self.template = PathField(
            "data/template",
            "Template file",
            "Average head that every scan is registered to",
            _NIFTI,
        )
        self.build = text_button(
            "Build from these scans…",
            "Average the scans into a template in three rounds, then use it; ten to thirty "
            "similar scans suffice",
        )
        self.lengths = Choice(
            "data/lengths",
            _LENGTHS,
            "Unit of lengths in the scans; change it only for files that state a wrong one",
        )
        self.scaling = Choice(
            "data/scaling",
            _SCALINGS,
            "How intensities are scaled to 0 to 1; robust ignores a few extreme voxels",
        )
        self.skull_strip = Choice(
            "data/skull_strip",
            _SKULL_STRIPS,
            "Restrict registration to the brain that a brain extraction tool finds",
        )
        cores = os.cpu_count() or 1
        self.jobs = Count(
            "data/jobs",
            1,
            cores,
            max(cores - 1, 1),
            "Scans prepared at the same time; fewer need less memory",
        )
        WheelGuard(self.region, self.lengths, self.scaling, self.skull_strip, self.jobs)
        form = self._form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(4)
        form.addRow("Scans", self.scans)
        form.addRow("Results", self.out)
        form.addRow("Region", self.region)
        form.addRow("Template", self.template)
        form.addRow("", self.build)
        form.addRow("Skull strip", self.skull_strip)
        form.addRow("Lengths", self.lengths)
        form.addRow("Intensities", self.scaling)
        form.addRow("Processes", self.jobs)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(form)
        for field in (self.scans, self.out, self.template):
            field.changed.connect(self.changed)
        self.region.activated.connect(self._on_region)
        self._on_region()

    @property
    def units(self) -> Units | None:
        """Unit of lengths in the scans that overrides the files; None for theirs."""
        chosen = self.lengths.chosen
        return None if chosen == _AS_STATED else cast(Units, chosen)

    def config(self) -> PreprocessConfig:
        """Return the settings of preprocessing.

        Raises
        ------
        CowganError
            A template is needed, but none is chosen.
        """
        scaling = cast(Scaling, self.scaling.chosen)
        jobs = self.jobs.value()
        if self.region.chosen == _IN_EACH_SCAN:
            return PreprocessConfig(roi="auto", intensity=scaling, jobs=jobs, units=self.units)
        if self.template.path is None:
            raise CowganError("Choose a template file, or build one from these scans.")
        return PreprocessConfig(
            self.template.path,
            cast(Roi, self.region.chosen),
            scaling,
            cast(SkullStrip, self.skull_strip.chosen),
            jobs=jobs,
            units=self.units,
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
