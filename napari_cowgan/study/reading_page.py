"""Third page of a new study: how reading goes and what is cut off."""

from typing import cast

from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QWidget, QWizardPage

from cowgan.turing.design.trials import Design, Rules
from napari_cowgan.widgets.controls import hint, row
from napari_cowgan.widgets.fields import Count, Tick
from napari_cowgan.widgets.guards import WheelGuard

_MOST_CUT = 512
_CROPPED = (
    "Cut off at both ends of each axis, of every volume alike. Empty borders that only one kind "
    "has would give it away."
)
_FORM_WIDTH = 560

_CROP_TOOLTIPS = {
    "z": "Slices cut off at the top and at the bottom",
    "x": "Voxels cut off on the patient's left and right",
    "y": "Voxels cut off in front and at the back",
}


class ReadingPage(QWizardPage):
    """Marks, projections, breaks, hints and crop."""

    def __init__(self) -> None:
        super().__init__()
        self.setTitle("How are they read?")
        usual = Rules()
        self.marks = Tick(
            "study/marks",
            "Readers can mark what gives a volume away",
            usual.marks,
            "After answering “generated”, up to three places can be marked, with reasons",
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
            "A break is offered at the next border of blocks after so many trials",
        )
        self.break_minutes = Count(
            "study/break_minutes",
            1,
            600,
            usual.break_minutes,
            "A break is offered at the next border of blocks after so many minutes",
        )
        self.hint_s = Count(
            "study/hint_s",
            0,
            3600,
            usual.hint_s,
            "After this time a hint suggests going on; nothing is forced",
        )
        self.crop = tuple(
            Count(f"study/crop_{axis}", 0, _MOST_CUT, 0, tooltip)
            for axis, tooltip in _CROP_TOOLTIPS.items()
        )
        self.break_trials.setSuffix(" trials")
        self.break_minutes.setSuffix(" minutes")
        self.hint_s.setSuffix(" seconds")
        self.hint_s.setSpecialValueText("never")
        for field, axis in zip(self.crop, "zxy", strict=True):
            field.setPrefix(f"{axis}: ")
            field.setAccessibleName(f"Voxels cut off along {axis}")
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
        form.addRow("Hint to go on", self.hint_s)
        form.addRow("Cut off", crop)
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
    def cut(self) -> tuple[int, int, int]:
        """Voxels that are cut off along (z, x, y)."""
        z, x, y = (field.value() for field in self.crop)
        return z, x, y
