"""Control group for the verdict of a study and its report."""

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QMessageBox, QVBoxLayout, QWidget

from cowgan.turing.statistics.verdict import Outcome, Verdict
from napari_cowgan.study.tasks import StudyResult, StudyStatus, report_files
from napari_cowgan.widgets.controls import card, hint, row, text_button

_OUTCOMES: dict[Outcome, tuple[str, str]] = {
    "equivalent": ("Equivalent to chance", "#74c68c"),
    "distinguished": ("Distinguished", "#f0a04b"),
    "reversed": ("Reversed", "#ee6c64"),
    "inconclusive": ("Inconclusive", "#9a9fa6"),
}
"""Name and colour of each outcome."""

_NOBODY = "No reader has finished yet."


class ResultGroup(QWidget):
    """Analyses a study, shows the verdict and opens the report.

    Signals
    -------
    analysis_requested : bool
        The user wants the result; True if before all readers have finished.
    browse_requested : Path
        File to open.
    """

    analysis_requested = Signal(bool)
    browse_requested = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.state = hint("")
        self.analyse = text_button(
            "Analyse",
            "Check the study, unblind it, compare the answers with the truth, and write the report",
        )
        self.html = text_button("Open report", "Open the report in the browser")
        self.pdf = text_button("Open PDF", "Open the report as PDF")
        self.verdicts = QWidget()
        self._cards = QVBoxLayout(self.verdicts)
        self._cards.setContentsMargins(0, 0, 0, 0)
        self.question: QMessageBox | None = None
        self._status: StudyStatus | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.state)
        layout.addWidget(self.verdicts)
        layout.addLayout(row(self.analyse, self.html, self.pdf))
        self.analyse.clicked.connect(self._on_analyse)
        self.html.clicked.connect(lambda: self._browse(0))
        self.pdf.clicked.connect(lambda: self._browse(1))

    def show_status(self, status: StudyStatus) -> None:
        """Show how many readers have finished, and whether the study is unblinded."""
        before, self._status = self._status, status
        if before is not None and before.study.folder != status.study.folder:
            self._clear()
        unfinished, total = status.unfinished, len(status.readers)
        text = f"{total - len(unfinished)} of {total} readers have finished."
        if status.unblinding is not None:
            when = status.unblinding.utc[:10]
            text += f" Unblinded on {when} by {status.unblinding.by}."
        self.state.setText(text)
        self.analyse.setEnabled(status.study.frozen and any(one.done for one in status.readers))
        for button, path in zip((self.html, self.pdf), self._files, strict=True):
            button.setEnabled(path.exists())

    def show_result(self, result: StudyResult) -> None:
        """Show the verdict."""
        self._clear()
        for verdict in result.verdicts:
            self._cards.addWidget(_card(verdict))
        if not result.verdicts:
            self._cards.addWidget(hint(_NOBODY))

    @property
    def _files(self) -> list[Path]:
        assert self._status is not None
        return report_files(self._status.study)

    def _browse(self, place: int) -> None:
        self.browse_requested.emit(self._files[place])

    def _clear(self) -> None:
        while self._cards.count():
            self._cards.takeAt(0).widget().deleteLater()

    def _on_analyse(self) -> None:
        status = self._status
        if status is None:
            return
        if status.unblinding is not None or not status.unfinished:
            self.analysis_requested.emit(False)
            return
        unfinished = status.unfinished
        who = ", ".join(unfinished)
        box = self.question = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("CoW-GAN")
        verb = "has" if len(unfinished) == 1 else "have"
        box.setText(f"{who} {verb} not finished.")
        box.setInformativeText(
            "Analysis unblinds the study. Later answers do not count, and this cannot be undone; "
            "the report states when it was done."
        )
        unblind = box.addButton("Unblind now", QMessageBox.ButtonRole.DestructiveRole)
        wait = box.addButton("Wait for readers", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(wait)
        box.setEscapeButton(wait)
        box.buttonClicked.connect(
            lambda button: self.analysis_requested.emit(True) if button is unblind else None
        )
        box.finished.connect(self._on_answered)
        box.open()

    def _on_answered(self) -> None:
        self.question = None


def _card(verdict: Verdict) -> QFrame:
    title = " · ".join(_OUTCOMES[outcome][0] for outcome in verdict.outcomes)
    return card(_OUTCOMES[verdict.outcomes[0]][1], title, " ".join(verdict.sentences))
