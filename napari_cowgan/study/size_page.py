"""Second page of a new study: who reads how many cases, and what that can show."""

from typing import cast

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QVBoxLayout, QWidget, QWizardPage

from cowgan.errors import CowganError
from cowgan.turing.design.protocol import MAX_READERS, MIN_CASES, default_repeats
from cowgan.turing.design.trials import Design, Rules
from cowgan.turing.statistics.verdict import MARGIN
from napari_cowgan.study.new_study import ProtocolSource, left_over
from napari_cowgan.study.power_view import PowerView
from napari_cowgan.widgets.controls import hint
from napari_cowgan.widgets.fields import Choice, Count, Decimal
from napari_cowgan.widgets.guards import WheelGuard

_DESIGNS: tuple[tuple[str, Design], ...] = (
    ("One volume: real or generated?", "rating"),
    ("Two volumes: which is generated?", "2afc"),
)
_MOST_CASES = 2000
_FORM_WIDTH = 375


class SizePage(QWizardPage):
    """Design, readers, cases, repeats, practice and impressions, beside a table of power.

    Parameters
    ----------
    source : ProtocolSource
        Tells what all pages together come to.

    Signals
    -------
    edited
        A number or choice has changed.
    """

    edited = Signal()

    def __init__(self, source: ProtocolSource) -> None:
        super().__init__()
        self.setTitle("Who reads how many of them?")
        self._source = source
        self.design = Choice(
            "study/design",
            _DESIGNS,
            "One volume at a time with a rating, or a real and a generated one side by side",
        )
        self.readers = Count(
            "study/readers",
            1,
            MAX_READERS,
            5,
            "People who read; from three on, a result can be about readers in general",
        )
        self.cases = Count(
            "study/n_cases",
            MIN_CASES,
            _MOST_CASES,
            100,
            "Volumes that each reader judges, half of them generated",
        )
        self.repeats = Count(
            "study/repeats",
            0,
            _MOST_CASES,
            10,
            "Trials that come a second time, for the agreement of readers with "
            "themselves; they do not enter the result",
        )
        self.practice = Count(
            "study/practice",
            0,
            _MOST_CASES,
            6,
            "Further volumes at the beginning, after which the right answer is told",
        )
        self.impressions = Count(
            "study/impressions",
            0,
            _MOST_CASES,
            0,
            "Further volumes whose quality is asked for before the purpose is told",
        )
        self.margin = Decimal(
            "study/margin",
            0.01,
            0.49,
            MARGIN,
            0.01,
            "How far from chance, 0.5, an AUC may lie to count as equivalent to it; it is"
            " declared now and cannot change later",
        )
        for even in (self.repeats, self.practice, self.impressions, self.cases):
            even.setSingleStep(2)
        self.volumes = hint("")
        self.problem = hint("")
        self.problem.setStyleSheet("font-weight: bold;")
        self.power = PowerView()
        self._usual_repeats = self._default_repeats()
        self._build()
        for changed in (
            self.readers.valueChanged,
            self.repeats.valueChanged,
            self.practice.valueChanged,
            self.impressions.valueChanged,
            self.margin.valueChanged,
        ):
            changed.connect(self.edited)
        self.design.currentIndexChanged.connect(self._on_course)
        self.cases.valueChanged.connect(self._on_course)
        self.edited.connect(self.refresh)

    def _build(self) -> None:
        fields = QWidget()
        fields.setFixedWidth(_FORM_WIDTH)
        column = QVBoxLayout(fields)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        form = QFormLayout()
        form.addRow("Shown", self.design)
        form.addRow("Readers", self.readers)
        form.addRow("Cases", self.cases)
        form.addRow("Repeats", self.repeats)
        form.addRow("Practice", self.practice)
        form.addRow("Impressions", self.impressions)
        form.addRow("Margin (AUC)", self.margin)
        self.margin.setPrefix("± ")
        column.addLayout(form)
        column.addWidget(self.volumes)
        column.addWidget(self.problem)
        column.addStretch(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(18)
        layout.addWidget(fields)
        layout.addWidget(self.power, 1)
        WheelGuard(
            self.design, self.readers, self.cases, self.repeats, self.practice, self.impressions,
            self.margin,
        )  # fmt: skip

    def initializePage(self) -> None:
        """Count what the volumes of the page before suffice for."""
        self.refresh()

    def isComplete(self) -> bool:
        """Return whether the numbers go together and there are so many volumes."""
        return not self.problem.text()

    def refresh(self) -> None:
        """Tell what the numbers come to, or why they do not go together."""
        problem = told = ""
        try:
            protocol, found = self._source.protocol(), self._source.found()
            told = "" if found is None else left_over(protocol, *found)
        except CowganError as error:
            problem = error.sentence
        self.volumes.setText(told)
        self.volumes.setVisible(bool(told))
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        # What cannot be made is not simulated either.
        if self.cases.value() % 2 == 0:
            size = (self.readers.value(), self.cases.value())
            self.power.look(size, self.margin.value(), cast(Design, self.design.chosen))
        self.completeChanged.emit()

    def _on_course(self) -> None:
        """Let the repeats follow the number of cases until they have been chosen."""
        usual = self._default_repeats()
        if self.repeats.value() == self._usual_repeats:
            self.repeats.setValue(usual)
        self._usual_repeats = usual
        self.edited.emit()

    def _default_repeats(self) -> int:
        return default_repeats(self.cases.value(), Rules(cast(Design, self.design.chosen)))
