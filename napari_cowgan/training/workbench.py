"""What the training panel does once everything that it needs is installed."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from qtpy.QtWidgets import (
    QApplication,
    QMessageBox,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from cowgan.bank.bank import Bank
from cowgan.errors import CowganError
from cowgan.progress import Progress
from cowgan.training.remote_control import Command, RunStatus, is_running, request
from napari_cowgan.training.closing import Close, CloseGuard, ask_about_run
from napari_cowgan.training.monitor import Monitor
from napari_cowgan.training.new_run_group import PlanGroup
from napari_cowgan.training.run_list import RunList
from napari_cowgan.training.run_settings import Place, Resumption, RunPlan
from napari_cowgan.training.run_watcher import Look, RunWatcher, outcome
from napari_cowgan.training.runs import RunSummary, list_runs, newest_model, summarise
from napari_cowgan.training.sample_layer import SampleLayer
from napari_cowgan.training.tensorboard import TensorBoard
from napari_cowgan.training.volume_source import Source, bank_of
from napari_cowgan.training.workers import Process, Thread, Trainee, tail
from napari_cowgan.widgets.controls import Section, hint, row, scrolling, text_button
from napari_cowgan.widgets.desktop import show_elsewhere
from napari_cowgan.widgets.dialogs import ask_for_count
from napari_cowgan.widgets.drops import dropped_folder
from napari_cowgan.widgets.jobs import Job, JobBar, stop_at_exit
from napari_cowgan.widgets.problems import show_problem

if TYPE_CHECKING:
    import napari

_CHOOSE = "Choose a run to open what it has learned, to watch it, or to go on with it."
_NO_RUNS = "There is no run in this folder yet."
_LIST_EVERY_MS = 5_000
_MOST_STEPS = 1_000_000_000


class Workbench(QWidget):
    """A run that is watched, the settings of a new one, and the list of all.

    Parameters
    ----------
    viewer : napari.Viewer
        Where samples are shown.
    """

    def __init__(self, viewer: "napari.Viewer") -> None:
        super().__init__()
        self._viewer = viewer
        self.samples = SampleLayer(viewer)
        self.monitor = Monitor(viewer)
        self.settings = PlanGroup()
        self.job = JobBar()
        self.list = RunList()
        self.details = hint(_NO_RUNS)
        self.open = text_button(
            "Open in explorer",
            "Open the selected model, or the newest one of the selected run, in the explorer",
        )
        self.watch_button = text_button(
            "Watch", "Show curves and samples of the selected run, and steer it if it is at work"
        )
        self.resume = text_button("Resume", "Go on with the selected run from its last saved state")
        self.folder = text_button("Show folder", "Open the folder of the selected run")
        self.board = text_button(
            "TensorBoard", "Show the selected run in TensorBoard, in the browser"
        )
        self._watcher: RunWatcher | None = None
        self._ended: RunSummary | None = None
        self._listing: Job | None = None
        self._tensorboard = TensorBoard()
        stop_at_exit(self._tensorboard)
        self.question: QMessageBox | None = None
        self._after_end: Close | None = None
        self._closing = False
        self._guard = CloseGuard(self, self._may_close)
        self._timer = QTimer(self)
        self._timer.setInterval(_LIST_EVERY_MS)
        self._build()
        self._connect()
        self.setAcceptDrops(True)
        self._ends = _Ends(self.job, self.settings, self._tensorboard)
        self.destroyed.connect(self._ends)
        self._refresh()
        self.refresh_list()

    # Construction

    def _build(self) -> None:
        runs = QWidget()
        own = QVBoxLayout(runs)
        own.setContentsMargins(0, 0, 0, 0)
        own.setSpacing(6)
        self._listed = QWidget()
        listed = QVBoxLayout(self._listed)
        listed.setContentsMargins(0, 0, 0, 0)
        listed.setSpacing(6)
        listed.addWidget(self.list)
        listed.addLayout(row(self.open, self.watch_button))
        listed.addLayout(row(self.resume, self.folder, self.board))
        own.addWidget(self.details)
        own.addWidget(self._listed)
        self.plan_section = Section("New run", self.settings)
        groups = QWidget()
        column = QVBoxLayout(groups)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(6)
        column.addWidget(self.job)
        column.addWidget(self.monitor)
        column.addWidget(self.plan_section)
        column.addWidget(Section("Runs", runs))
        column.addStretch(1)
        scroll = self._scroll = scrolling(groups)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    def _connect(self) -> None:
        self.settings.start.clicked.connect(self.start)
        self.settings.copy.clicked.connect(self.copy_command)
        self.settings.changed.connect(self._refresh)
        self.settings.runs_changed.connect(self.refresh_list)
        self.monitor.wished.connect(self._ask_run)
        self.monitor.next_wished.connect(self._on_next)
        self.job.running_changed.connect(self._refresh)
        self.list.currentItemChanged.connect(self._refresh)
        self.list.opened.connect(self.watch)
        self.open.clicked.connect(self._open_selected)
        self.watch_button.clicked.connect(self._watch_selected)
        self.resume.clicked.connect(self._resume_selected)
        self.folder.clicked.connect(self._show_folder)
        self.board.clicked.connect(self._open_tensorboard)
        self._timer.timeout.connect(self.refresh_list)
        self._timer.start()

    # Starting

    def start(self) -> None:
        """Start the new run, after making a bank of NIfTI files if need be."""
        planned = self._planned()
        if planned is None:
            return
        source, plan = planned
        self.settings.needs.stop_measuring()
        bank_folder = plan.folder.with_name(f"{plan.folder.name}-bank")
        scaling, place = self.settings.chosen_scaling, self.settings.chosen_place

        def work(progress: Progress) -> tuple[Bank, Trainee]:
            bank = bank_of(source, bank_folder, scaling, progress)
            return bank, _begin(replace(plan, bank=bank.path), place)

        def follow(started: tuple[Bank, Trainee]) -> None:
            bank, trainee = started
            if not source.is_bank:
                self.settings.volumes.set_path(bank.path)
            self._follow(plan.folder, trainee)

        title = "Starting" if source.is_bank else "Volume of the bank"
        self.job.run(title, work, follow, partial(show_problem, self))

    def resume_run(self, folder: Path, steps: int | None = None) -> None:
        """Go on with a run, to a new length if one is given."""
        task = Resumption(folder, self.settings.device.chosen, steps)
        place = self.settings.chosen_place

        def work(progress: Progress) -> Trainee:
            if is_running(folder):
                raise CowganError(f"The run “{folder.name}” is at work already; watch it instead.")
            return _begin(task, place)

        follow = partial(self._follow, folder)
        self.job.run("Starting", work, follow, partial(show_problem, self))

    def copy_command(self) -> None:
        """Put the command that starts the new run elsewhere on the clipboard."""
        planned = self._planned()
        if planned is not None:
            QApplication.clipboard().setText(planned[1].command_line())

    def _planned(self) -> tuple[Source, RunPlan] | None:
        """Return what the settings say, None if there is no data or a problem has been shown."""
        source = self.settings.source
        if source is None:
            return None
        try:
            return source, self.settings.plan(source.path)
        except CowganError as error:
            show_problem(self, error)
            return None

    # Watching

    @property
    def watcher(self) -> RunWatcher | None:
        """What follows the run that is shown, None once it has ended."""
        return self._watcher

    def watch(self, folder: Path) -> None:
        """Show a run, whoever trains it; one of this panel's own stays in its hands."""
        if self._watcher is not None and self._watcher.folder == folder:
            return
        if self._own_run is not None:
            self._tell_busy()
            return
        self._follow(folder, None)

    def _follow(self, folder: Path, trainee: Trainee | None) -> None:
        self._leave()
        self._ended = None
        self.monitor.begin(folder)
        if trainee is not None:
            self.plan_section.collapse(animate=False)
            if isinstance(trainee, Thread):
                stop_at_exit(trainee)
        self._watcher = watcher = RunWatcher(folder, trainee)
        self._ends.watcher = watcher
        watcher.looked.connect(self._on_look)
        watcher.ended.connect(self._on_end)
        watcher.start()
        self._refresh()

    def _leave(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = self._ends.watcher = None

    def _on_look(self, watcher: RunWatcher, look: Look) -> None:
        if watcher is not self._watcher:
            return
        self.monitor.take(look)
        if look.status is not None:
            self.list.show_status(watcher.folder, look.status)
        if look.sheet is not None:
            self.samples.show(watcher.folder.name, look.sheet)

    def _on_end(self, watcher: RunWatcher, look: Look) -> None:
        if watcher is not self._watcher:
            return
        failed, told = outcome(watcher.folder, look.status, watcher.trainee)
        if look.status is None:
            self.monitor.show_status(RunStatus("failed", 0))
        self.monitor.tell(told)
        self._offer_next(watcher.folder)
        self._leave()
        self.refresh_list()
        self._refresh()
        if failed and watcher.trainee is not None:
            show_problem(self, CowganError(told, tail(watcher.folder)))
        if self._after_end is not None:
            self._close_now(self._after_end)

    def _offer_next(self, folder: Path) -> None:
        """Bring into sight what a person may want of a run that has ended."""
        self._ended = summarise(folder)
        if self._ended is None:
            return
        self.monitor.offer_next()
        self.list.select(folder)
        self._scroll.ensureWidgetVisible(self.monitor.resume)

    def _on_next(self, wish: str) -> None:
        run = self._ended
        if run is None:
            return
        if wish == "open":
            self._open_newest(run)
        elif wish == "continue":
            self._go_on_with(run)
        else:
            self.settings.grow_from(run.folder, run.config)
            self.plan_section.expand(animate=False)
            QTimer.singleShot(0, self._show_start)

    def _show_start(self) -> None:
        self._scroll.ensureWidgetVisible(self.settings.start)

    def _ask_run(self, wish: Command) -> None:
        folder = self.monitor.folder
        if folder is None:
            return
        try:
            request(folder, wish)
        except CowganError as error:
            show_problem(self, error)

    # The list

    def refresh_list(self) -> None:
        """Read the runs in the chosen folder, in the background."""
        runs = self.settings.runs.path
        if self._listing is not None or runs is None or self._closing:
            return

        def work(progress: Progress) -> list[RunSummary]:
            return list_runs(runs)

        self._listing = Job(work)
        self._listing.succeeded.connect(self._on_list)
        self._listing.finished.connect(self._on_listed)
        self._listing.start()

    def _on_list(self, runs: list[RunSummary]) -> None:
        first = not self.list.runs
        self.list.show_runs(runs)
        self.settings.refresh_name()
        going = [run for run in runs if run.active]
        if first and going and self._watcher is None and self.monitor.folder is None:
            # Left running by an earlier session, or started in a terminal.
            self.list.select(going[0].folder)
            self._follow(going[0].folder, None)
        self._refresh()

    def _on_listed(self) -> None:
        self._listing = None

    def _watch_selected(self) -> None:
        if self.list.selected is not None:
            self.watch(self.list.selected.folder)

    def _resume_selected(self) -> None:
        if self.list.selected is not None:
            self._go_on_with(self.list.selected)

    def _go_on_with(self, run: RunSummary) -> None:
        if self._own_run is not None:
            self._tell_busy()
        elif run.saved_step < run.steps:
            self.resume_run(run.folder)
        else:
            ask_for_count(
                self,
                "Train on",
                f"The run is finished at step {run.saved_step:,}; train it on to step",
                partial(self.resume_run, run.folder),
                run.saved_step + 1,
                _MOST_STEPS,
                2 * run.saved_step,
            )

    def _open_selected(self) -> None:
        run, model = self.list.selected, self.list.selected_model
        if model is not None:
            self._open_model(model)
        elif run is not None:
            self._open_newest(run)

    def _open_newest(self, run: RunSummary) -> None:
        work = partial(newest_model, run.folder)
        self.job.run("Exporting", work, self._open_model, partial(show_problem, self))

    def _open_model(self, path: Path) -> None:
        from napari_cowgan.explorer import show_explorer

        self.refresh_list()
        # They are far larger than a volume, which would look lost beside them.
        self.samples.remove()
        show_explorer(self._viewer).open_checkpoint(path)

    def _show_folder(self) -> None:
        run = self.list.selected
        if run is not None:
            show_elsewhere(self, run.folder)

    def _open_tensorboard(self) -> None:
        run = self.list.selected
        if run is not None:
            work = partial(self._tensorboard.serve, run.folder)
            self.job.run("TensorBoard", work, self._show_page, partial(show_problem, self))

    def _show_page(self, address: str) -> None:
        show_elsewhere(self, address)

    def _tell_busy(self) -> None:
        run = self.monitor.folder
        assert run is not None
        show_problem(
            self, CowganError(f"The run “{run.name}” of this panel is at work; stop it first.")
        )

    def _refresh(self) -> None:
        idle, run = not self.job.running, self.list.selected
        free = idle and self._own_run is None
        self.settings.start.setEnabled(free and self.settings.source is not None)
        self.settings.copy.setEnabled(self.settings.source is not None)
        for button in (self.open, self.watch_button, self.resume, self.folder, self.board):
            button.setEnabled(run is not None)
        self.open.setEnabled(idle and run is not None)
        self.board.setEnabled(idle and run is not None)
        self.resume.setEnabled(free and run is not None)
        ended = self._ended
        larger = None if ended is None else self.settings.larger_size(ended.config)
        self.monitor.enable_next(idle, free, larger is not None)
        self.settings.needs.set_run_at_work(
            self._watcher is not None or any(run.active for run in self.list.runs)
        )
        if run is not None:
            facts = (run.recipe, run.network, run.size, f"saved at step {run.saved_step:,}")
            self.details.setText(" · ".join(facts))
        else:
            self.details.setText(_CHOOSE if self.list.runs else _NO_RUNS)
        self._listed.setVisible(bool(self.list.runs))

    # Leaving

    @property
    def _own_run(self) -> Trainee | None:
        """Who trains the run that this panel has started, None if it has ended."""
        return None if self._watcher is None else self._watcher.trainee

    def _may_close(self, close: Close) -> bool:
        trainee = self._own_run
        if trainee is None or self._closing:
            return True
        if self.question is not None:
            return False

        def stop() -> None:
            self._after_end = close
            self._ask_run("stop")

        def leave() -> None:
            self._close_now(close)

        assert self._watcher is not None
        self.question = ask_about_run(
            self, self._watcher.folder.name, trainee.survives_napari, stop, leave
        )
        self.question.finished.connect(self._on_answered)
        return False

    def _on_answered(self) -> None:
        self.question = None

    def _close_now(self, close: Close) -> None:
        self._closing, self._after_end = True, None
        # Not from within a signal of what is about to be deleted.
        QTimer.singleShot(0, close)

    def showEvent(self, event: QShowEvent) -> None:
        """Guard the window and dock that the panel is shown in."""
        self._guard.attach()
        super().showEvent(event)

    # Drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept one folder."""
        if dropped_folder(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take the dropped folder as what is trained on."""
        folder = dropped_folder(event)
        if folder is not None:
            event.acceptProposedAction()
            self.settings.volumes.set_path(folder)


class _Ends:
    """What must end with the panel, even after Qt has deleted it."""

    def __init__(self, job: JobBar, settings: PlanGroup, board: TensorBoard) -> None:
        self.watcher: RunWatcher | None = None
        self._job = job
        self._settings = settings
        self._board = board

    def __call__(self, *_: object) -> None:
        self._job.end()
        self._settings.end()
        self._board.stop()
        if self.watcher is not None:
            self.watcher.stop()
            if isinstance(self.watcher.trainee, Thread):
                self.watcher.trainee.cancel()


def _begin(task: RunPlan | Resumption, place: Place) -> Trainee:
    return Process(task) if place == "process" else Thread(task)
