"""Evaluation panel."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from qtpy.QtWidgets import QMessageBox, QVBoxLayout, QWidget

from cowgan.errors import CowganError
from cowgan.evaluation.stored_evaluation import is_evaluation
from napari_cowgan.evaluation.evaluation_result import EvaluationResult
from napari_cowgan.evaluation.pair_layers import PairLayers
from napari_cowgan.evaluation.request_group import RequestGroup
from napari_cowgan.evaluation.tasks import OpenedEvaluation, Pair, evaluate
from napari_cowgan.help.button import HelpButton
from napari_cowgan.help.topics import Topic
from napari_cowgan.widgets.close_guard import Close, CloseGuard
from napari_cowgan.widgets.controls import Section, breakable, hint, row, scrolling, text_button
from napari_cowgan.widgets.desktop import show_elsewhere
from napari_cowgan.widgets.dialogs import ask_for_file
from napari_cowgan.widgets.docked import DockedPanel
from napari_cowgan.widgets.drops import dropped_path
from napari_cowgan.widgets.jobs import Job, JobBar
from napari_cowgan.widgets.problems import show_problem

if TYPE_CHECKING:
    import napari

_EMPTY = (
    "How good is what a model generates? Choose the bank that it was trained on, then press "
    "Evaluate. An earlier evaluation can be opened, or dropped here."
)
_CANCELLED = "Cancelled. What was found of volumes is kept, so the next evaluation is quicker."
_LAID_OUT_MS = 100
"""Time after which a new result has been laid out."""


class EvaluationPanel(DockedPanel):
    """Evaluates generated volumes, shows the verdict, and opens volumes beside real ones.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Viewer that shows the volumes; napari passes it by this name.
    """

    dock_title = "Evaluation"
    least_width = 340

    def __init__(self, napari_viewer: "napari.Viewer") -> None:
        super().__init__(napari_viewer)
        self.request = RequestGroup()
        self.start = text_button(
            "Evaluate", "Compare the volumes and write a report; this may take an hour"
        )
        self.open = text_button("Open evaluation…", "Show an earlier evaluation again")
        self.stage = hint("")
        self.job = JobBar()
        self.message = hint(_EMPTY)
        self.result = EvaluationResult()
        self.reading = JobBar()
        self.question: QMessageBox | None = None
        self._wanted: Pair | None = None
        self._close_after_end: Close | None = None
        self._pairs = PairLayers(napari_viewer)
        self._guard = CloseGuard(self, self._may_close)
        self._build()
        self.setAcceptDrops(True)
        self.start.clicked.connect(self.evaluate)
        self.open.clicked.connect(self._choose_evaluation)
        self.request.changed.connect(self._refresh)
        self.job.running_changed.connect(self._on_running)
        self.reading.running_changed.connect(self._on_reading)
        self.result.pair_chosen.connect(self.show_pair)
        self.result.browse_requested.connect(partial(show_elsewhere, self))
        self.destroyed.connect(partial(_shut_down, self.job, self.reading))
        self._refresh()

    def _build(self) -> None:
        groups = QWidget()
        column = QVBoxLayout(groups)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(6)
        column.addWidget(Section("Volumes", self.request))
        column.addLayout(row(self.start, self.open))
        for widget in (self.stage, self.job, self.message, self.result, self.reading):
            column.addWidget(widget)
        column.addStretch(1)
        self._scroll = scrolling(groups)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self._scroll)
        layout.addLayout(row(1, HelpButton(Topic.EVALUATION, self)))

    # Work

    def evaluate(self) -> None:
        """Evaluate the chosen volumes in the background, then show the result."""
        task = self.request.task()

        def work(job: Job) -> OpenedEvaluation:
            return evaluate(task, job.deliver, job)

        def stop() -> None:
            self._show_message(_CANCELLED)

        self._show_message("")
        self.job.run("", work, self._show, self._fail, stop, self._show_stage)

    def open_evaluation(self, folder: Path) -> None:
        """Show an earlier evaluation; if it cannot be read, the present one stays."""
        try:
            self._show(OpenedEvaluation(folder))
        except CowganError as error:
            self._fail(error)

    def show_pair(self, pair: Pair) -> None:
        """Show both volumes of a pair as layers, side by side."""
        evaluation = self.result.evaluation
        if evaluation is None or self._pairs.has(pair) or pair == self._wanted:
            return
        self._show_message("")
        self.reading.run("", partial(evaluation.read, pair), self._pairs.show, self._fail)
        self._wanted = pair

    def _show(self, evaluation: OpenedEvaluation) -> None:
        self._show_message("")
        self.result.show_evaluation(evaluation)
        self.request.refresh()
        QTimer.singleShot(_LAID_OUT_MS, self._scroll_to_result)

    def _scroll_to_result(self) -> None:
        self._scroll.ensureWidgetVisible(self.result.verdict)

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, CowganError):
            self._show_message(error.sentence)
        else:
            show_problem(self, error)

    def _show_stage(self, stage: str) -> None:
        self.stage.setText(breakable(stage))

    def _show_message(self, text: str) -> None:
        self.message.setText(breakable(text))
        self.message.setVisible(bool(text))

    def _on_running(self, running: bool) -> None:
        self.stage.setText("Starting")
        self._refresh()
        if not running and self._close_after_end is not None:
            QTimer.singleShot(0, self._close_after_end)

    def _on_reading(self, reading: bool) -> None:
        if not reading:
            self._wanted = None

    def _refresh(self) -> None:
        running = self.job.running
        self.request.setEnabled(not running)
        self.start.setEnabled(not running and self.request.complete)
        self.open.setEnabled(not running)
        self.stage.setVisible(running)
        self.result.setVisible(self.result.evaluation is not None)

    def _choose_evaluation(self) -> None:
        ask_for_file(self, "Folder of an evaluation", self.open_evaluation, folder=True)

    # Closing

    def showEvent(self, event: QShowEvent) -> None:
        """Guard the window and dock that the panel is shown in."""
        self._guard.attach()
        super().showEvent(event)

    def _may_close(self, close: Close) -> bool:
        if not self.job.running:
            return True
        if self.question is None:
            self._ask_about_closing(close)
        return False

    def _ask_about_closing(self, close: Close) -> None:
        box = self.question = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("CoW-GAN")
        box.setText("An evaluation is still running.")
        box.setInformativeText("What it found of volumes is kept for the next evaluation.")
        stopping = box.addButton("Cancel evaluation", QMessageBox.ButtonRole.DestructiveRole)
        go_on = box.addButton("Continue", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(go_on)
        box.setEscapeButton(go_on)

        def answer(button: object) -> None:
            if button is stopping:
                self._close_after_end = close
                self.job.cancel()

        box.buttonClicked.connect(answer)
        box.finished.connect(self._on_answered)
        box.open()

    def _on_answered(self) -> None:
        self.question = None

    # Drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept one file or folder."""
        if dropped_path(event) is not None and not self.job.running:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open a dropped evaluation; choose a file as model and a folder as real volumes."""
        path = dropped_path(event)
        if path is None or self.job.running:
            return
        event.acceptProposedAction()
        if is_evaluation(path):
            self.open_evaluation(path)
        elif path.is_dir():
            self.request.real.set_path(path)
        else:
            self.request.choose_model(path)


def _shut_down(job: JobBar, reading: JobBar, *_: object) -> None:
    job.end()
    reading.end()
