"""Content of the training panel."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from qtpy.QtWidgets import QApplication, QSizePolicy, QVBoxLayout, QWidget

from cowgan.bank.bank import Bank
from cowgan.errors import CowganError
from cowgan.progress import Progress
from cowgan.training.config import TrainingConfig
from cowgan.training.remote_control import is_running
from napari_cowgan.training.closing import RunCloseGuard
from napari_cowgan.training.new_run_group import NewRunGroup
from napari_cowgan.training.new_segmentation import NewSegmentation
from napari_cowgan.training.run_settings import NewRun, Place, Resumption
from napari_cowgan.training.runs import RunKind, RunSummary, newest_model, summarise
from napari_cowgan.training.runs_group import RunsGroup
from napari_cowgan.training.tensorboard_server import TensorBoard
from napari_cowgan.training.volume_source import VolumeSource, bank_of
from napari_cowgan.training.watched_run import WatchedRun
from napari_cowgan.training.workers import ProcessWorker, RunTask, ThreadWorker, Worker
from napari_cowgan.widgets.controls import Section, scrolling
from napari_cowgan.widgets.desktop import show_elsewhere
from napari_cowgan.widgets.dialogs import ask_for_count
from napari_cowgan.widgets.drops import dropped_folder
from napari_cowgan.widgets.jobs import JobBar, stop_at_exit
from napari_cowgan.widgets.problems import show_problem

if TYPE_CHECKING:
    import napari

_MOST_STEPS = 1_000_000_000


class Workbench(QWidget):
    """The watched run, the settings of a new one, and the list of all runs.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer that shows samples.
    """

    def __init__(self, viewer: "napari.Viewer") -> None:
        super().__init__()
        self._viewer = viewer
        self.job = JobBar()
        self.watched = WatchedRun(viewer, self)
        self.monitor = self.watched.monitor
        self.settings = NewRunGroup()
        self.runs = RunsGroup()
        self.closing = RunCloseGuard(self, self.watched)
        self._tensorboard = TensorBoard()
        stop_at_exit(self._tensorboard)
        self._build()
        self._connect()
        self.setAcceptDrops(True)
        self._ends = _Ends(self.job, self.settings, self.watched, self._tensorboard)
        self.destroyed.connect(self._ends)
        self._refresh()
        self.runs.show_folder(self.settings.folders.runs.path)

    # Construction

    def _build(self) -> None:
        self.new_run_section = Section("New run", self.settings)
        groups = QWidget()
        column = QVBoxLayout(groups)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(6)
        column.addWidget(self.job)
        column.addWidget(self.monitor)
        column.addWidget(self.new_run_section)
        column.addWidget(Section("Runs", self.runs))
        column.addStretch(1)
        self._scroll = scrolling(groups)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._scroll)

    def _connect(self) -> None:
        self.job.running_changed.connect(self._refresh)
        self.settings.start.clicked.connect(self.start)
        self.settings.copy.clicked.connect(self.copy_command)
        self.settings.changed.connect(self._refresh)
        self.settings.folders.runs_changed.connect(self._on_runs_folder)
        self.watched.changed.connect(self._refresh)
        self.watched.status_changed.connect(self.runs.list.show_status)
        self.watched.ended.connect(self._on_end)
        self.monitor.next_requested.connect(self._on_next)
        self.runs.listed.connect(self._on_listed)
        self.runs.selection_changed.connect(self._refresh)
        self.runs.watch_requested.connect(self.watch)
        self.runs.resume_requested.connect(self._resume)
        self.runs.open_requested.connect(self._open)
        self.runs.tensorboard_requested.connect(self._open_tensorboard)
        self.closing.closing.connect(self.runs.stop_refreshing)

    # Starting

    def start(self) -> None:
        """Start the new run."""
        if self.settings.trains_generator:
            self._start_generator()
        elif (run := self._new_segmentation()) is not None:
            self._launch(run, "segmentation")

    def _start_generator(self) -> None:
        """Start the run of a generator, after converting NIfTI files to a bank if necessary."""
        new = self._new_run()
        if new is None:
            return
        source, run = new
        self.settings.needs.stop_measuring()
        bank_folder = run.folder.with_name(f"{run.folder.name}-bank")
        scaling, place = self.settings.data.chosen_scaling, self.settings.chosen_place

        def work(progress: Progress) -> tuple[Bank, Worker]:
            bank = bank_of(source, bank_folder, scaling, progress)
            return bank, _start_worker(replace(run, bank=bank.path), place)

        def follow(started: tuple[Bank, Worker]) -> None:
            bank, worker = started
            if not source.is_bank:
                self.settings.data.volumes.set_path(bank.path)
            self._follow(run.folder, "generator", worker)

        title = "Starting" if source.is_bank else "Volume of the bank"
        self.job.run(title, work, follow, partial(show_problem, self))

    def resume_run(self, run: RunSummary, steps: int | None = None) -> None:
        """Continue a run, to a new length if one is given."""
        task = Resumption(run.folder, run.kind, self.settings.device.chosen, steps)
        self._launch(task, run.kind)

    def _launch(self, task: RunTask, kind: RunKind) -> None:
        """Start a worker, and follow its run."""
        folder, place = task.folder, self.settings.chosen_place

        def work(progress: Progress) -> Worker:
            if is_running(folder):
                raise CowganError(f"The run “{folder.name}” is training already; watch it instead.")
            return _start_worker(task, place)

        follow = partial(self._follow, folder, kind)
        self.job.run("Starting", work, follow, partial(show_problem, self))

    def copy_command(self) -> None:
        """Copy the command that starts the new run to the clipboard."""
        run: NewRun | NewSegmentation | None
        if self.settings.trains_generator:
            new = self._new_run()
            run = None if new is None else new[1]
        else:
            run = self._new_segmentation()
        if run is not None:
            QApplication.clipboard().setText(run.command_line())

    def _new_run(self) -> tuple[VolumeSource, NewRun] | None:
        """Return the new run; None without data, or after showing what is wrong."""
        source = self.settings.data.source
        if source is None:
            return None
        try:
            return source, self.settings.new_run(source.path)
        except CowganError as error:
            show_problem(self, error)
            return None

    def _new_segmentation(self) -> NewSegmentation | None:
        """Return the new run; None after showing what is wrong."""
        try:
            return self.settings.new_segmentation()
        except CowganError as error:
            show_problem(self, error)
            return None

    # Watching

    def watch(self, folder: Path) -> None:
        """Show a run, unless this panel is training another one."""
        watcher = self.watched.watcher
        if watcher is not None and watcher.folder == folder:
            return
        if self.watched.worker is not None:
            self._show_busy()
            return
        run = summarise(folder)
        self.watched.follow(folder, "generator" if run is None else run.kind)

    def _follow(self, folder: Path, kind: RunKind, worker: Worker) -> None:
        self.new_run_section.collapse(animate=False)
        self.watched.follow(folder, kind, worker)

    def _on_end(self, folder: Path) -> None:
        if self.watched.ended_run is not None:
            self.runs.list.select(folder)
            self._scroll.ensureWidgetVisible(self.monitor.resume)
        self.runs.refresh()
        self._refresh()

    def _on_next(self, action: str) -> None:
        run = self.watched.ended_run
        if run is None:
            return
        if action == "open":
            self._open(run, None)
        elif action == "continue":
            self._resume(run)
        elif isinstance(run.config, TrainingConfig):
            self.settings.grow_from(run.folder, run.config)
            self.new_run_section.expand(animate=False)
            QTimer.singleShot(0, self._scroll_to_start)

    def _scroll_to_start(self) -> None:
        self._scroll.ensureWidgetVisible(self.settings.start)

    # Runs

    def _on_runs_folder(self) -> None:
        self.runs.show_folder(self.settings.folders.runs.path)

    def _on_listed(self, first: bool) -> None:
        self.settings.folders.refresh_name()
        active = [run for run in self.runs.list.runs if run.active]
        if first and active and self.monitor.folder is None:
            # Left running by an earlier session, or started in a terminal.
            self.runs.list.select(active[0].folder)
            self.watched.follow(active[0].folder, active[0].kind)
        self._refresh()

    def _resume(self, run: RunSummary) -> None:
        if self.watched.worker is not None:
            self._show_busy()
        elif run.saved_step < run.steps:
            self.resume_run(run)
        else:
            ask_for_count(
                self,
                "Train on",
                f"The run is finished at step {run.saved_step:,}; train it on to step",
                partial(self.resume_run, run),
                run.saved_step + 1,
                _MOST_STEPS,
                2 * run.saved_step,
            )

    def _open(self, run: RunSummary, model: Path | None) -> None:
        if run.kind == "segmentation":
            self._segment_with(run)
        elif model is not None:
            self._open_model(model)
        else:
            work = partial(newest_model, run.folder)
            self.job.run("Exporting", work, self._open_model, partial(show_problem, self))

    def _segment_with(self, run: RunSummary) -> None:
        from napari_cowgan.segmentation import show_segmentation_panel

        self.watched.samples.remove()
        show_segmentation_panel(self._viewer).network.choose_file(run.folder)

    def _open_model(self, path: Path) -> None:
        from napari_cowgan.explorer import show_explorer

        self.runs.refresh()
        # Sample pictures are far larger than a volume, which would look lost beside them.
        self.watched.samples.remove()
        show_explorer(self._viewer).open_checkpoint(path)

    def _open_tensorboard(self, folder: Path) -> None:
        work = partial(self._tensorboard.serve, folder)
        show = partial(show_elsewhere, self)
        self.job.run("TensorBoard", work, show, partial(show_problem, self))

    def _show_busy(self) -> None:
        run = self.monitor.folder
        assert run is not None
        show_problem(
            self, CowganError(f"This panel is training the run “{run.name}”; stop it first.")
        )

    def _refresh(self) -> None:
        idle = not self.job.running
        can_train = idle and self.watched.worker is None
        ready, ended = self.settings.ready, self.watched.ended_run
        self.settings.start.setEnabled(can_train and ready)
        self.settings.copy.setEnabled(ready)
        self.runs.enable(idle, can_train)
        can_grow = ended is not None and self.settings.can_grow(ended.config)
        can_open = ended is not None and ended.can_open
        self.monitor.enable_next(idle and can_open, can_train, can_grow)
        self.settings.needs.set_run_active(self.watched.watcher is not None or self.runs.any_active)

    # Window

    def showEvent(self, event: QShowEvent) -> None:
        """Guard the window and dock that the panel is shown in."""
        self.closing.attach()
        super().showEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept one folder."""
        if dropped_folder(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Choose the dropped folder as what the new run learns from."""
        folder = dropped_folder(event)
        if folder is not None:
            event.acceptProposedAction()
            self.settings.take(folder)


class _Ends:
    """Ends what must not outlive the panel, even after Qt has deleted its widgets."""

    def __init__(
        self, job: JobBar, settings: NewRunGroup, watched: WatchedRun, board: TensorBoard
    ) -> None:
        self._ends = (job.end, settings.end, board.stop, watched.end)

    def __call__(self, *_: object) -> None:
        for end in self._ends:
            end()


def _start_worker(task: RunTask, place: Place) -> Worker:
    return ProcessWorker(task) if place == "process" else ThreadWorker(task)
