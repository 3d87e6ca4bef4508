"""Power of studies of several sizes, found by simulation."""

from collections.abc import Sequence
from functools import partial
from itertools import product

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cowgan.progress import advance
from cowgan.turing.design.trials import Design
from cowgan.turing.statistics.mrmc import LEAST_READERS
from cowgan.turing.statistics.power import PowerCell, power_table
from napari_cowgan.widgets.controls import hint, row
from napari_cowgan.widgets.fields import Choice
from napari_cowgan.widgets.guards import WheelGuard
from napari_cowgan.widgets.jobs import Job, JobBar
from napari_cowgan.widgets.problems import show_problem

StudySize = tuple[int, int]
"""Numbers of readers and of cases."""

_READERS, _CASES = (3, 5, 8, 12), (60, 100, 150, 200)
_REPLICATES = 500
_BEGIN_AFTER_MS = 500
_LINE_HEIGHT = 40
_GOOD, _GOOD_COLOUR = 0.8, QColor(116, 198, 140, 70)
_ACCURACIES = [(f"{percent} %", str(percent / 100)) for percent in (55, 60, 65, 70, 80)]
_EXPLAINED = (
    "Power in percent: to detect such a difference · to show equivalence if readers cannot tell "
    "the kinds apart at all. Green: both are 80 or more."
)
_FEW = (
    f"With fewer than {LEAST_READERS} readers, a study is a pilot: its results do not generalise "
    "to other readers, so no power is simulated."
)
_PAIRS = "The simulation is of single volumes; for pairs, the table is a rough guide."


class PowerView(QWidget):
    """Power table, with a sentence on the planned study."""

    def __init__(self) -> None:
        super().__init__()
        self.accuracy = Choice(
            "study/accuracy",
            _ACCURACIES,
            "Accuracy of readers that the study should be able to detect",
            "0.6",
        )
        self.table = QTableWidget()
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.job = JobBar()
        self._known: dict[tuple[float, float, StudySize], PowerCell] = {}
        self._size: StudySize = (_READERS[1], _CASES[1])
        self._design: Design = "rating"
        self._margin = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_BEGIN_AFTER_MS)
        self._build()
        self._timer.timeout.connect(self._simulate)
        self.accuracy.currentIndexChanged.connect(self._timer.start)

    def _build(self) -> None:
        self.table.setToolTip(
            "Power to detect a difference · power to show equivalence; the planned study is bold"
        )
        self.table.setAccessibleName("Power of studies of several sizes")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setWordWrap(False)
        self.table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        lines = self.table.verticalHeader()
        lines.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        lines.setDefaultSectionSize(_LINE_HEIGHT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(row(QLabel("Readers who are right in"), self.accuracy))
        layout.addWidget(self.table)
        layout.addWidget(hint(_EXPLAINED))
        layout.addSpacing(6)
        layout.addWidget(self.text)
        layout.addStretch(1)
        layout.addWidget(self.job)
        WheelGuard(self.accuracy)

    def show_power(self, size: StudySize, margin: float, design: Design) -> None:
        """Simulate and show the power of a study of this size, after a pause."""
        if (size, margin, design) != (self._size, self._margin, self._design):
            self._size, self._margin, self._design = size, margin, design
            self._timer.start()

    def end(self) -> None:
        """Stop simulating; touches no widget, so it may be called after Qt deleted them."""
        self.job.end()

    @property
    def cell(self) -> PowerCell | None:
        """Power of the planned study; None until it is known."""
        return self._known.get((*self._assumed, self._size))

    @property
    def _assumed(self) -> tuple[float, float]:
        return float(self.accuracy.chosen), self._margin

    def _sizes(self) -> tuple[list[int], list[int]]:
        """Return the numbers of readers and cases in the table."""
        readers, cases = self._size
        return sorted({*_READERS, max(readers, LEAST_READERS)}), sorted({*_CASES, cases})

    def _simulate(self) -> None:
        assumed = self._assumed
        self._show()
        # The planned study first.
        sizes = sorted(product(*self._sizes()), key=lambda size: size != self._size)
        unknown = [size for size in sizes if (*assumed, size) not in self._known]
        if unknown:

            def learn(cell: PowerCell) -> None:
                self._known[*assumed, (cell.readers, cell.cases)] = cell
                self._show()

            work = partial(_simulate, unknown, *assumed)
            fail = partial(show_problem, self)
            self.job.run("Simulating", work, lambda _: None, fail, on_part=learn)

    def _show(self) -> None:
        readers, cases = self._sizes()
        self.table.setRowCount(len(readers))
        self.table.setColumnCount(len(cases))
        self.table.setHorizontalHeaderLabels([f"{n} cases" for n in cases])
        self.table.setVerticalHeaderLabels([f"{n} readers" for n in readers])
        for line, n_readers in enumerate(readers):
            for column, n_cases in enumerate(cases):
                size = (n_readers, n_cases)
                cell = self._known.get((*self._assumed, size))
                self.table.setItem(line, column, _item(cell, size == self._size))
        header = self.table.horizontalHeader().sizeHint().height()
        self.table.setFixedHeight(header + len(readers) * _LINE_HEIGHT + 2)
        if self._size[0] < LEAST_READERS:
            text = _FEW
        elif self.cell is None:
            text = ""
        else:
            text = _in_words(self.cell, *self._assumed)
        self.text.setText(text if self._design == "rating" else f"{text} {_PAIRS}")


def _simulate(sizes: Sequence[StudySize], accuracy: float, margin: float, job: Job) -> None:
    for done, (readers, cases) in enumerate(sizes):
        advance(job, done, len(sizes))
        table = power_table((readers,), (cases,), accuracy, margin, _REPLICATES)
        job.deliver(table.cells[0])
    advance(job, len(sizes), len(sizes))


def _item(cell: PowerCell | None, chosen: bool) -> QTableWidgetItem:
    item = QTableWidgetItem()
    if cell is not None:
        item.setText(f"{100 * cell.detects:.0f} · {100 * cell.shows_equivalence:.0f}")
        if min(cell.detects, cell.shows_equivalence) >= _GOOD:
            item.setBackground(_GOOD_COLOUR)
    item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
    font = item.font()
    font.setBold(chosen)
    font.setUnderline(chosen)
    item.setFont(font)
    return item


def _in_words(cell: PowerCell, accuracy: float, margin: float) -> str:
    return (
        f"With {cell.readers} readers and {cell.cases} cases: if readers are right in "
        f"{_percent(accuracy)} of the cases, {_percent(cell.detects)} of such studies detect it. "
        f"If they cannot tell the kinds apart, {_percent(cell.shows_equivalence)} show equivalence "
        f"within ±{margin:g} of the AUC, and {_percent(cell.false_alarm)} find a difference by "
        "chance."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
