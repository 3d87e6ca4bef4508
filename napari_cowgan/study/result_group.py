"""The verdict of a study, and its report."""

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QLabel, QMessageBox, QVBoxLayout, QWidget

from cowgan.turing.statistics.verdict import Outcome, Verdict
from napari_cowgan.study.tasks import Result, Standing, report_files
from napari_cowgan.widgets.controls import hint, row, text_button

_OUTCOMES: dict[Outcome, tuple[str, str]] = {
    "equivalent": ("Equivalent to chance", "#74c68c"),
    "distinguished": ("Distinguished", "#f0a04b"),
    "reversed": ("Reversed", "#ee6c64"),
    "inconclusive": ("Inconclusive", "#9a9fa6"),
}
"""Words and colour of each outcome."""

_NOBODY = "Nobody has read to the end yet."


class ResultGroup(QWidget):
    """Analyses a study, tells the verdict and opens the report.

    Signals
    -------
    analyse_wished : bool
        A person wants the result, the argument tells whether before all readers are done.
    browse_wished : Path
        A person wants to see a file.
    """

    analyse_wished = Signal(bool)
    browse_wished = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.state = hint("")
        self.analyse = text_button(
            "Analyse", "Check everything, set the answers against the truth, and write the report"
        )
        self.html = text_button("Open report", "Open the report in the browser")
        self.pdf = text_button("Open PDF", "Open the report as PDF")
        self.verdicts = QWidget()
        self._cards = QVBoxLayout(self.verdicts)
        self._cards.setContentsMargins(0, 0, 0, 0)
        self.question: QMessageBox | None = None
        self._standing: Standing | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.state)
        layout.addWidget(self.verdicts)
        layout.addLayout(row(self.analyse, self.html, self.pdf))
        self.analyse.clicked.connect(self._on_analyse)
        self.html.clicked.connect(lambda: self._browse(0))
        self.pdf.clicked.connect(lambda: self._browse(1))

    def show_standing(self, standing: Standing) -> None:
        """Tell how many have finished, and what was found before."""
        before, self._standing = self._standing, standing
        if before is not None and before.study.folder != standing.study.folder:
            self._clear()
        unfinished, total = standing.unfinished, len(standing.readers)
        told = f"{total - len(unfinished)} of {total} readers have finished."
        if standing.unblinding is not None:
            when = standing.unblinding.utc[:10]
            told += f" Unblinded on {when} by {standing.unblinding.by}."
        self.state.setText(told)
        self.analyse.setEnabled(standing.study.frozen and any(one.done for one in standing.readers))
        for button, path in zip((self.html, self.pdf), self._files, strict=True):
            button.setEnabled(path.exists())

    def show_result(self, result: Result) -> None:
        """Tell the verdict."""
        self._clear()
        for verdict in result.verdicts:
            self._cards.addWidget(_card(verdict))
        if not result.verdicts:
            self._cards.addWidget(hint(_NOBODY))

    @property
    def _files(self) -> list[Path]:
        assert self._standing is not None
        return report_files(self._standing.study)

    def _browse(self, place: int) -> None:
        self.browse_wished.emit(self._files[place])

    def _clear(self) -> None:
        while self._cards.count():
            self._cards.takeAt(0).widget().deleteLater()

    def _on_analyse(self) -> None:
        standing = self._standing
        if standing is None:
            return
        if standing.unblinding is not None or not standing.unfinished:
            self.analyse_wished.emit(False)
            return
        unfinished = standing.unfinished
        who = ", ".join(unfinished)
        box = self.question = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("CoW-GAN")
        verb = "has" if len(unfinished) == 1 else "have"
        box.setText(f"{who} {verb} not finished.")
        box.setInformativeText(
            "Analysing sets the answers against the truth. What is answered after that does not "
            "count, and this cannot be undone; the report tells when it was done."
        )
        go_on = box.addButton("Unblind now", QMessageBox.ButtonRole.DestructiveRole)
        wait = box.addButton("Wait for readers", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(wait)
        box.setEscapeButton(wait)
        box.buttonClicked.connect(
            lambda button: self.analyse_wished.emit(True) if button is go_on else None
        )
        box.finished.connect(self._on_answered)
        box.open()

    def _on_answered(self) -> None:
        self.question = None


def _card(verdict: Verdict) -> QFrame:
    card = QFrame()
    card.setObjectName("verdict")
    colour = _OUTCOMES[verdict.outcomes[0]][1]
    card.setStyleSheet(f"QFrame#verdict {{ border-left: 4px solid {colour}; }}")
    title = QLabel(" · ".join(_OUTCOMES[outcome][0] for outcome in verdict.outcomes))
    title.setStyleSheet("font-weight: bold; font-size: 15px;")
    title.setWordWrap(True)
    text = QLabel(" ".join(verdict.sentences))
    text.setWordWrap(True)
    text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    layout = QVBoxLayout(card)
    layout.setContentsMargins(10, 4, 0, 4)
    layout.setSpacing(4)
    layout.addWidget(title)
    layout.addWidget(text)
    return card
