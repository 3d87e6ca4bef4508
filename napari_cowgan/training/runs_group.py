"""Control group that lists the runs in a folder, and opens, watches or resumes them."""

from pathlib import Path

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from cowgan.progress import Progress
from napari_cowgan.training.run_list import RunList
from napari_cowgan.training.runs import RunKind, RunSummary, list_runs
from napari_cowgan.widgets.controls import hint, row, text_button
from napari_cowgan.widgets.desktop import show_elsewhere
from napari_cowgan.widgets.jobs import Job

_CHOOSE = "Choose a run to open its model, to watch it, or to resume it."
_NO_RUNS = "There is no run in this folder yet."
_OPEN: dict[RunKind, tuple[str, str]] = {
    "generator": (
        "Open in explorer",
        "Open the selected model, or the newest one of the selected run, in the explorer",
    ),
    "segmentation": (
        "Segment with it",
        "Open the Segmentation panel with the network of this run, once it has one",
    ),
}
_REFRESH_MS = 5_000


class RunsGroup(QWidget):
    """The runs in a folder, read again every few seconds.

    Signals
    -------
    listed : bool
        The folder has been read; True if no run was listed before.
    selection_changed
        Another run is selected, or none.
    watch_requested : Path
        Folder of the run to watch.
    resume_requested : RunSummary
        Run to resume.
    open_requested : RunSummary, Path or None
        Run whose model to open: the given one, or the newest.
    tensorboard_requested : Path
        Folder of the run to show in TensorBoard.
    """

    listed = Signal(bool)
    selection_changed = Signal()
    watch_requested = Signal(object)
    resume_requested = Signal(object)
    open_requested = Signal(object, object)
    tensorboard_requested = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._folder: Path | None = None
        self._job: Job | None = None
        self.details = hint(_NO_RUNS)
        self.list = RunList()
        self.open = text_button(*_OPEN["generator"])
        self.watch = text_button(
            "Watch", "Show curves and samples of the selected run, and control it if it is active"
        )
        self.resume = text_button("Resume", "Continue the selected run from its last saved state")
        self.folder = text_button("Show folder", "Open the folder of the selected run")
        self.board = text_button(
            "TensorBoard", "Show the selected run in TensorBoard, in the browser"
        )
        self._timer = QTimer(self)
        self._timer.setInterval(_REFRESH_MS)
        self._build()
        self.list.currentItemChanged.connect(self.selection_changed)
        self.list.opened.connect(self.watch_requested)
        self.open.clicked.connect(self._on_open)
        self.watch.clicked.connect(self._on_watch)
        self.resume.clicked.connect(self._on_resume)
        self.folder.clicked.connect(self._on_folder)
        self.board.clicked.connect(self._on_board)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()

    def _build(self) -> None:
        self._listed = QWidget()
        listed = QVBoxLayout(self._listed)
        listed.setContentsMargins(0, 0, 0, 0)
        listed.setSpacing(6)
        listed.addWidget(self.list)
        listed.addLayout(row(self.open, self.folder))
        listed.addLayout(row(self.watch, self.resume, self.board))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.details)
        layout.addWidget(self._listed)

    @property
    def any_active(self) -> bool:
        """Whether a listed run is being trained."""
        return any(run.active for run in self.list.runs)

    def show_folder(self, folder: Path | None) -> None:
        """List the runs of another folder."""
        self._folder = folder
        self.refresh()

    def refresh(self) -> None:
        """Read the folder again, in the background."""
        folder = self._folder
        if self._job is not None or folder is None or not self._timer.isActive():
            return

        def work(progress: Progress) -> list[RunSummary]:
            return list_runs(folder)

        self._job = Job(work)
        self._job.succeeded.connect(self._on_runs)
        self._job.finished.connect(self._on_finished)
        self._job.start()

    def stop_refreshing(self) -> None:
        """Do not read the folder any more, because the panel is about to close."""
        self._timer.stop()

    def enable(self, idle: bool, can_train: bool) -> None:
        """Enable the buttons that can be used now.

        Parameters
        ----------
        idle : bool
            No job of the panel is in progress.
        can_train : bool
            A run could be started.
        """
        run = self.list.selected
        for button in (self.watch, self.folder):
            button.setEnabled(run is not None)
        self.board.setEnabled(idle and run is not None)
        self.open.setEnabled(idle and run is not None and run.can_open)
        self.resume.setEnabled(can_train and run is not None)
        if run is not None:
            text, tooltip = _OPEN[run.kind]
            self.open.setText(text)
            self.open.setToolTip(tooltip)
            self.details.setText(" · ".join((*run.facts, f"saved at step {run.saved_step:,}")))
        else:
            self.details.setText(_CHOOSE if self.list.runs else _NO_RUNS)
        self._listed.setVisible(bool(self.list.runs))

    def _on_runs(self, runs: list[RunSummary]) -> None:
        first = not self.list.runs
        self.list.show_runs(runs)
        self.listed.emit(first)

    def _on_finished(self) -> None:
        self._job = None

    def _on_open(self) -> None:
        if self.list.selected is not None:
            self.open_requested.emit(self.list.selected, self.list.selected_model)

    def _on_watch(self) -> None:
        if self.list.selected is not None:
            self.watch_requested.emit(self.list.selected.folder)

    def _on_resume(self) -> None:
        if self.list.selected is not None:
            self.resume_requested.emit(self.list.selected)

    def _on_folder(self) -> None:
        if self.list.selected is not None:
            show_elsewhere(self, self.list.selected.folder)

    def _on_board(self) -> None:
        if self.list.selected is not None:
            self.tensorboard_requested.emit(self.list.selected.folder)
