"""Third page of the wizard: rules of reading, and cropping."""

from typing import cast

from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QWidget, QWizardPage

from cowgan.turing.design.trials import Design, Rules
from napari_cowgan.widgets.controls import hint, row
from napari_cowgan.widgets.fields import Count, Tick
from napari_cowgan.widgets.guards import WheelGuard

_MOST_CROPPED = 512
_CROPPED = (
    "Cropped at both ends of each axis, from all volumes alike. Empty borders of only one kind "
    "would reveal it."
)
_FORM_WIDTH = 560

_CROP_TOOLTIPS = {
    "z": "Slices cropped at the top and at the bottom",
    "x": "Voxels cropped on the patient's left and right",
    "y": "Voxels cropped in front and at the back",
}


class ReadingPage(QWizardPage):
    """Marks, projections, breaks, hints and crop."""

    def __init__(self) -> None:
        super().__init__()
        self.setTitle("How are they read?")
        usual = Rules()
        self.marks = Tick(
            "study/marks",
            "Readers can mark what reveals a generated volume",
            usual.marks,
            "After the answer “generated”, up to three locations can be marked, with reasons",
        )
        self.mip = Tick(
            "study/mip",
            "Readers can see maximum intensity projections",
            usual.mip,
            "Whether readers may switch to the maximum intensity projection",
        )
        self.break_trials = Count(
            "study/break_trials",
            1,
            1000,
            usual.break_trials,
            "Trials after which a break is offered, at the end of a block",
        )
        self.break_minutes = Count(
            "study/break_minutes",
            1,
            600,
            usual.break_minutes,
            "Minutes after which a break is offered, at the end of a block",
        )
        self.hint_s = Count(
            "study/hint_s",
            0,
            3600,
            usual.hint_s,
            "Time on one trial after which a hint suggests to continue; nothing is enforced",
        )
        self.crop = tuple(
            Count(f"study/crop_{axis}", 0, _MOST_CROPPED, 0, tooltip)
            for axis, tooltip in _CROP_TOOLTIPS.items()
        )
        self.break_trials.setSuffix(" trials")
        self.break_minutes.setSuffix(" minutes")
        self.hint_s.setSuffix(" seconds")
        self.hint_s.setSpecialValueText("never")
        for field, axis in zip(self.crop, "zxy", strict=True):
            field.setPrefix(f"{axis}: ")
            field.setAccessibleName(f"Voxels cropped along {axis}")
        crop = QWidget()
        crop.setLayout(row(*self.crop))
        fields = QWidget()
        fields.setMaximumWidth(_FORM_WIDTH)
        form = QFormLayout(fields)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(10)
        form.addRow("Allowed", self.mip)
        form.addRow("", self.marks)
        form.addRow("Break after", self.break_trials)
        form.addRow("or after", self.break_minutes)
        form.addRow("Hint to continue", self.hint_s)
        form.addRow("Crop", crop)
        form.addRow("", hint(_CROPPED))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(fields)
        layout.addStretch(1)
        WheelGuard(self.break_trials, self.break_minutes, self.hint_s, *self.crop)

    def rules(self, design: str) -> Rules:
        """Return the rules of reading."""
        return Rules(
            cast(Design, design),
            self.break_trials.value(),
            self.break_minutes.value(),
            self.marks.isChecked(),
            self.mip.isChecked(),
            self.hint_s.value(),
        )

    @property
    def crop_voxels(self) -> tuple[int, int, int]:
        """Voxels cropped at each end along (z, x, y)."""
        z, x, y = (field.value() for field in self.crop)
        return z, x, y
