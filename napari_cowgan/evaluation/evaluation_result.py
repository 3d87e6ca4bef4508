"""Control group for the result of an evaluation."""

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from cowgan.report.numbers import decimal, p_value
from napari_cowgan.evaluation.measure_table import MeasureTable
from napari_cowgan.evaluation.pair_list import PairList
from napari_cowgan.evaluation.tasks import OpenedEvaluation, Pair
from napari_cowgan.widgets.controls import Section, breakable, card, hint, row, text_button

_LIKE_REAL, _UNLIKE_REAL = "#74c68c", "#f0a04b"
_NOT_SEARCHED = "Not searched: there are too few training subjects to calibrate the search."


class EvaluationResult(QWidget):
    """The verdict, warnings, measures, and lists of volumes to open.

    Signals
    -------
    pair_chosen : Pair
        The user wants to see two volumes.
    browse_requested : Path
        File or folder to open in another program.
    """

    pair_chosen = Signal(object)
    browse_requested = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.evaluation: OpenedEvaluation | None = None
        self.compared = hint("")
        self.verdict = QWidget()
        self._verdict = QVBoxLayout(self.verdict)
        self._verdict.setContentsMargins(0, 0, 0, 0)
        self.report = text_button("Open report", "Open the whole report in the browser")
        self.folder = text_button("Open folder", "Open the folder of the report, PDF and numbers")
        self.warnings = hint("")
        self._warnings = Section("Warnings", self.warnings)
        self.measures = MeasureTable()
        self.realism = PairList("Generated volumes, the least realistic first", ["Realism"])
        self.similar = PairList("Most similar pairs", ["Dice", "p"])
        self.not_searched = hint(_NOT_SEARCHED)
        self.lists = QTabWidget()
        self.lists.addTab(self.realism, "By realism")
        self.lists.addTab(self._pairs(), "By similarity")
        self.lists.setTabToolTip(
            0, "All generated volumes, the least realistic first, with the nearest by features"
        )
        self.lists.setTabToolTip(
            1, "All generated volumes, the most similar to a training volume by arteries first"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.compared)
        layout.addWidget(self.verdict)
        layout.addLayout(row(self.report, self.folder))
        layout.addWidget(self._warnings)
        layout.addWidget(Section("Measures", self.measures))
        layout.addWidget(Section("Single volumes", self.lists))
        for pairs in (self.realism, self.similar):
            pairs.chosen.connect(self.pair_chosen)
        self.report.clicked.connect(lambda: self._browse(of_page=True))
        self.folder.clicked.connect(lambda: self._browse(of_page=False))

    def show_evaluation(self, evaluation: OpenedEvaluation) -> None:
        """Show an evaluation instead of the earlier one."""
        self.evaluation = evaluation
        content = evaluation.content
        self.compared.setText(breakable(f"{content.generated}, against {content.training}"))
        while self._verdict.count():
            self._verdict.takeAt(0).widget().deleteLater()
        odd = any(not one.like_real for one in content.main.measures.values())
        colour = _UNLIKE_REAL if odd else _LIKE_REAL
        self._verdict.addWidget(
            card(colour, content.verdict.title, " ".join(content.verdict.sentences))
        )
        cautions = content.verdict.cautions
        self._warnings.setVisible(bool(cautions))
        self.warnings.setText(breakable("\n".join(f"• {sentence}" for sentence in cautions)))
        self.measures.show_comparison(content.main)
        self.realism.show_rows(
            (Pair(one.generated, one.nearest_training), [decimal(one.realism)])
            for one in content.least_realistic_first
        )
        replicas = content.replicas
        self.similar.setVisible(replicas is not None)
        self.not_searched.setVisible(replicas is None)
        self.similar.show_rows(
            (Pair(one.generated, one.training), [decimal(one.dice), p_value(one.p)])
            for one in (() if replicas is None else replicas.pairs)
        )

    def _pairs(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.similar)
        column.addWidget(self.not_searched, alignment=Qt.AlignmentFlag.AlignTop)
        return page

    def _browse(self, of_page: bool) -> None:
        assert self.evaluation is not None
        place: Path = self.evaluation.page if of_page else self.evaluation.folder
        self.browse_requested.emit(place)
