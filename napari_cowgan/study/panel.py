"""Study panel."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from cowgan.progress import Progress
from cowgan.turing.study.study import STUDY_FILE, Study
from napari_cowgan.help.button import HelpButton
from napari_cowgan.help.topics import Topic
from napari_cowgan.study import tasks
from napari_cowgan.study.audit_group import AuditGroup
from napari_cowgan.study.browser_group import BrowserGroup
from napari_cowgan.study.live_collection import LiveCollection
from napari_cowgan.study.local_reading import LocalReading
from napari_cowgan.study.open_menu import OpenStudyMenu
from napari_cowgan.study.readers_group import ReadersGroup
from napari_cowgan.study.result_group import ResultGroup
from napari_cowgan.study.summary import StudySummary
from napari_cowgan.study.tasks import StudyResult, analyse_study
from napari_cowgan.study.wizard import StudyWizard
from napari_cowgan.widgets.controls import Section, breakable, hint, row, scrolling, text_button
from napari_cowgan.widgets.desktop import show_elsewhere
from napari_cowgan.widgets.docked import DockedPanel
from napari_cowgan.widgets.drops import dropped_paths
from napari_cowgan.widgets.focus import FocusKeeper
from napari_cowgan.widgets.jobs import JobBar
from napari_cowgan.widgets.problems import show_problem
from napari_cowgan.widgets.remembered import remember_recent

if TYPE_CHECKING:
    import napari

_EMPTY = (
    "In a visual Turing test, blinded readers judge whether volumes are real or generated. Create "
    "a new study, or open one; its folder can also be dropped here."
)
_LAID_OUT_MS = 100
"""Time after which a new verdict has been laid out."""


class StudyPanel(DockedPanel):
    """Creates studies, shows their audit, distributes packages and shows the result.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Viewer whose theme the plots follow; napari passes it by this name.
    """

    dock_title = "Turing study"
    least_width = 380

    def __init__(self, napari_viewer: "napari.Viewer") -> None:
        super().__init__(napari_viewer)
        self.status: tasks.StudyStatus | None = None
        self.wizard: StudyWizard | None = None
        self.new = text_button("New study…", "Plan a new study step by step")
        self.open = text_button("Open study", "Open an existing study")
        self._menu = OpenStudyMenu(self.open)
        self.open.setMenu(self._menu)
        self.job = JobBar()
        self.message = hint(_EMPTY)
        self.summary = StudySummary()
        self.audit = AuditGroup(napari_viewer)
        self.readers = ReadersGroup()
        self.browser = BrowserGroup()
        self.local_reading = LocalReading(self)
        self.live = LiveCollection(lambda: not self.job.running, self)
        self.result = ResultGroup()
        self._focus = FocusKeeper(self)
        self._content = QWidget()
        self._build()
        self._connect()
        self.setAcceptDrops(True)
        self.destroyed.connect(partial(_shut_down, self.job, self.audit, self.live))
        self._refresh()

    # Construction

    def _build(self) -> None:
        content = QVBoxLayout(self._content)
        content.setContentsMargins(0, 0, 0, 0)
        content.setSpacing(6)
        content.addWidget(self.summary)
        content.addWidget(Section("Blinding audit", self.audit))
        content.addWidget(Section("Readers", self.readers))
        content.addWidget(Section("Reading in the browser", self.browser))
        content.addWidget(Section("Result", self.result))
        groups = QWidget()
        column = QVBoxLayout(groups)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(8)
        column.addLayout(row(self.new, self.open))
        column.addWidget(self.job)
        column.addWidget(self.message)
        column.addWidget(self._content)
        column.addStretch(1)
        self._scroll = scrolling(groups)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self._scroll)
        layout.addLayout(row(1, HelpButton(Topic.STUDY, self)))

    def _connect(self) -> None:
        self.new.clicked.connect(self.plan_study)
        self._menu.chosen.connect(self.open_study)
        self.job.running_changed.connect(self._on_running)
        self.audit.check_requested.connect(self._check)
        self.audit.freeze_requested.connect(self._freeze)
        self.readers.zip_requested.connect(self._zip)
        self.readers.folder_requested.connect(self._show_folder)
        self.readers.read_requested.connect(self.read_here)
        self.readers.start_code_entered.connect(self.note_start)
        self.readers.returned.connect(self.collect)
        self.local_reading.started.connect(self._on_reading)
        self.local_reading.ended.connect(self._on_read)
        self.live.looked.connect(self.browser.refresh)
        self.live.collected.connect(self._on_arrived)
        self.result.analysis_requested.connect(self._analyse)
        self.result.browse_requested.connect(self._browse)

    # Opening

    def plan_study(self) -> None:
        """Open the wizard for a new study, or bring it to the front."""
        if self.wizard is None:
            self.wizard = StudyWizard(self)
            self.wizard.made.connect(self._on_made)
            self.wizard.destroyed.connect(self._on_wizard_gone)
        self.wizard.show()
        self.wizard.raise_()
        self.wizard.activateWindow()

    def open_study(self, folder: Path) -> None:
        """Open a study in the background; on failure, the current one stays open."""

        def use(status: tasks.StudyStatus) -> None:
            remember_recent("studies", folder)
            self._show(status)

        self._run("Opening", partial(tasks.open_study, folder), use)

    def _on_made(self, study: Study) -> None:
        self.open_study(study.folder)

    def _on_wizard_gone(self) -> None:
        self.wizard = None

    # Work

    def collect(self, paths: list[Path]) -> None:
        """Collect returned packages in the background."""
        self._run("Collecting", partial(tasks.collect_returned, self._study, paths), self._show)

    def read_here(self, reader: str) -> None:
        """Read a package on this computer, in a separate window, after confirmation."""
        self.local_reading.confirm(self._study, reader)

    def note_start(self, reader: str, code: str) -> None:
        """Note the start code that a reader reports."""
        self._run("Noting", partial(tasks.note_start, self._study, reader, code), self._show)

    def _on_reading(self, reader: str) -> None:
        # The reader must not see which volumes are generated.
        self.audit.hide_pictures()
        self._show_message(f"{reader}'s package is being read in a separate window.")

    def _on_read(self) -> None:
        self._show_message("")
        if self.status is not None:
            self._run("Collecting", partial(tasks.study_status, self._study), self._show)

    def _on_arrived(self, status: tasks.StudyStatus) -> None:
        """Show answers that came while nothing was asked for; what is open stays as it is."""
        self.status = status
        self.summary.show_status(status)
        self.readers.show_status(status)
        self.result.show_status(status)

    def _check(self) -> None:
        def show(checked: tuple[tasks.StudyStatus, list[str]]) -> None:
            status, leaks = checked
            self._show(status)
            self._show_message(f"Audited again: {'; '.join(leaks) or 'no leaks'}.")

        self._run("Auditing: volume", partial(tasks.check, self._study), show)

    def _freeze(self, reason: str) -> None:
        self._run("Freezing", partial(tasks.freeze, self._study, reason or None), self._show)

    def _zip(self, reader: str, target: Path) -> None:
        def show_saved(path: Path) -> None:
            self._show_message(f"Saved {path}")

        self._run("Packing", partial(tasks.zip_package, self._study, reader, target), show_saved)

    def _analyse(self, early: bool) -> None:
        def show(result: StudyResult) -> None:
            self._show(result.status)
            self.result.show_result(result)
            QTimer.singleShot(_LAID_OUT_MS, self._scroll_to_result)

        self._run("Analysing", partial(analyse_study, self._study, early), show)

    def _scroll_to_result(self) -> None:
        self._scroll.ensureWidgetVisible(self.result)

    def _show_folder(self, reader: str) -> None:
        self._browse(self._study.package_folder(reader))

    def _browse(self, path: Path) -> None:
        show_elsewhere(self, path)

    @property
    def _study(self) -> Study:
        assert self.status is not None
        return self.status.study

    def _run(self, title: str, task: Callable[[Progress], Any], use: Callable[[Any], None]) -> None:
        self._show_message("" if self.status is not None else _EMPTY)
        self.job.run(title, task, use, partial(show_problem, self))

    def _on_running(self, running: bool) -> None:
        self._focus.during_work(running, self._refresh)

    # Showing

    def _show(self, status: tasks.StudyStatus) -> None:
        self.status = status
        self._show_message("")
        self.summary.show_status(status)
        self.audit.show_study(status.study)
        self.readers.show_status(status)
        self.browser.show_study(status.study)
        self.live.watch(status.study)
        self.result.show_status(status)
        self._refresh()
        if status.refused is not None:
            show_problem(self, status.refused)

    def _show_message(self, text: str) -> None:
        self.message.setText(breakable(text))
        self.message.setVisible(bool(text))

    def _refresh(self) -> None:
        idle = not self.job.running
        self._content.setVisible(self.status is not None)
        for part in (self.open, self.audit, self.readers, self.browser, self.result):
            part.setEnabled(idle)

    # Drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept the folder of a study, or files that may be returned packages."""
        paths = dropped_paths(event)
        if paths and (self.status is not None or _is_study(paths)):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the dropped study, or collect the dropped packages."""
        paths = dropped_paths(event)
        if not paths or self.job.running:
            return
        if _is_study(paths):
            event.acceptProposedAction()
            self.open_study(paths[0])
        elif self.status is not None:
            event.acceptProposedAction()
            self.collect(paths)


def _is_study(paths: list[Path]) -> bool:
    return len(paths) == 1 and (paths[0] / STUDY_FILE).is_file()


def _shut_down(job: JobBar, audit: AuditGroup, live: LiveCollection, *_: object) -> None:
    live.end()
    job.end()
    audit.pictures.end()
