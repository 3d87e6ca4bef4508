"""Second page of the wizard: numbers of readers and cases, and the power of the study."""

from typing import cast

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QVBoxLayout, QWidget, QWizardPage

from cowgan.errors import CowganError
from cowgan.turing.design.protocol import MAX_READERS, MIN_CASES, default_repeats
from cowgan.turing.design.trials import Design, Rules
from cowgan.turing.statistics.verdict import MARGIN
from napari_cowgan.study.new_study import ProtocolSource, volume_usage
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
    """Design and numbers of the study, beside a power table.

    Parameters
    ----------
    source : ProtocolSource
        Combines the choices of all pages.

    Signals
    -------
    edited
        A number or choice has changed.
    """

    edited = Signal()

    def __init__(self, source: ProtocolSource) -> None:
        super().__init__()
        self.setTitle("How many readers and cases?")
        self._source = source
        self.design = Choice(
            "study/design",
            _DESIGNS,
            "One volume at a time with a rating, or a real and a generated volume side by side",
        )
        self.readers = Count(
            "study/readers",
            1,
            MAX_READERS,
            5,
            "Number of readers; results generalise to other readers from three on",
        )
        self.cases = Count(
            "study/n_cases",
            MIN_CASES,
            _MOST_CASES,
            100,
            "Volumes that each reader judges; half of them are generated",
        )
        self.repeats = Count(
            "study/repeats",
            0,
            _MOST_CASES,
            10,
            "Trials shown twice to measure intra-reader agreement; not part of the result",
        )
        self.practice = Count(
            "study/practice",
            0,
            _MOST_CASES,
            6,
            "Additional volumes at the beginning, with feedback after each answer",
        )
        self.impressions = Count(
            "study/impressions",
            0,
            _MOST_CASES,
            0,
            "Additional volumes rated for quality before the reader learns the purpose",
        )
        self.margin = Decimal(
            "study/margin",
            0.01,
            0.49,
            MARGIN,
            0.01,
            "Largest difference from 0.5 of an AUC that counts as equivalent to chance; declared "
            "now and not changeable later",
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
        self.design.currentIndexChanged.connect(self._on_design)
        self.cases.valueChanged.connect(self._on_design)
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
        """Check the numbers against the volumes of the first page."""
        self.refresh()

    def isComplete(self) -> bool:
        """Return whether the numbers are consistent and there are enough volumes."""
        return not self.problem.text()

    def refresh(self) -> None:
        """Show how many volumes the study uses, or what is wrong with the numbers."""
        problem = usage = ""
        try:
            protocol, available = self._source.protocol(), self._source.availability()
            usage = "" if available is None else volume_usage(protocol, *available)
        except CowganError as error:
            problem = error.sentence
        self.volumes.setText(usage)
        self.volumes.setVisible(bool(usage))
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        # An odd number of cases is invalid.
        if self.cases.value() % 2 == 0:
            size = (self.readers.value(), self.cases.value())
            self.power.show_power(size, self.margin.value(), cast(Design, self.design.chosen))
        self.completeChanged.emit()

    def _on_design(self) -> None:
        """Adapt the repeats to the number of cases unless the user has changed them."""
        usual = self._default_repeats()
        if self.repeats.value() == self._usual_repeats:
            self.repeats.setValue(usual)
        self._usual_repeats = usual
        self.edited.emit()

    def _default_repeats(self) -> int:
        return default_repeats(self.cases.value(), Rules(cast(Design, self.design.chosen)))
