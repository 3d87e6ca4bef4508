"""Data panel."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from cowgan.errors import CowganError
from napari_cowgan.data.case_layers import CaseLayers
from napari_cowgan.data.case_list import CaseList
from napari_cowgan.data.scan_search import ScanSearch
from napari_cowgan.data.settings_group import SettingsGroup
from napari_cowgan.data.tasks import (
    PREPARED,
    CaseRow,
    build_bank,
    build_template,
    prepare,
    prepared_cases,
    quality_page,
)
from napari_cowgan.help.button import HelpButton
from napari_cowgan.help.topics import Topic
from napari_cowgan.widgets.controls import breakable, hint, row, scrolling, text_button
from napari_cowgan.widgets.desktop import show_elsewhere
from napari_cowgan.widgets.dialogs import ask_for_file
from napari_cowgan.widgets.docked import DockedPanel
from napari_cowgan.widgets.drops import dropped_folder
from napari_cowgan.widgets.focus import FocusKeeper
from napari_cowgan.widgets.jobs import Job, JobBar
from napari_cowgan.widgets.problems import show_problem
from napari_cowgan.widgets.remembered import is_there

if TYPE_CHECKING:
    import napari

_EMPTY = (
    "Choose a folder of TOF MRA scans and a folder for the results, then press Prepare. Each scan "
    "is turned into a volume of the Circle of Willis for training."
)
_NO_RESULTS = "Choose a folder for the results to prepare them."
_NIFTI = "NIfTI (*.nii.gz *.nii)"


class DataPanel(DockedPanel):
    """Prepares a folder of scans, builds templates and training banks, and shows cases.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Viewer that shows the cases; napari passes it by this name.
    """

    dock_title = "Data"

    def __init__(self, napari_viewer: "napari.Viewer") -> None:
        super().__init__(napari_viewer)
        self.layers = CaseLayers(napari_viewer)
        self.settings = SettingsGroup()
        self.start = text_button(
            "Prepare",
            "Prepare every scan; results of unchanged scans are kept",
        )
        self.job = JobBar()
        self.search = ScanSearch()
        self.outcome = hint(_EMPTY)
        self.cases = CaseList()
        self.reason = hint("")
        self.show_case = text_button("Show case", "Add the selected case to the layers")
        self.quality = text_button(
            "Open QC page",
            "Open a page with projections and scores of all cases in the browser",
        )
        self.bank = text_button(
            "Make training bank…",
            "Store the prepared volumes in a form that training reads quickly; a tenth of the "
            "subjects is held out",
        )
        self._focus = FocusKeeper(self)
        self._build()
        self.setAcceptDrops(True)
        self.start.clicked.connect(self.prepare)
        self.show_case.clicked.connect(self._show_selected)
        self.quality.clicked.connect(self.open_quality_page)
        self.settings.build.clicked.connect(self._choose_template_file)
        self.bank.clicked.connect(self._choose_bank_folder)
        self.cases.opened.connect(self.layers.show)
        self.cases.currentItemChanged.connect(self._refresh)
        self.settings.changed.connect(self._refresh)
        self.settings.scans.changed.connect(self._on_folders)
        self.settings.out.changed.connect(self._on_folders)
        self.search.found.connect(self._list_prepared)
        self.search.failed.connect(self._on_search_failed)
        self.job.running_changed.connect(self._on_running)
        self.destroyed.connect(partial(_shut_down, self.job, self.search))
        self._on_folders()

    # Construction

    def _build(self) -> None:
        groups = QWidget()
        column = QVBoxLayout(groups)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(6)
        for widget in (self.settings, self.start, self.job, self.search, self.outcome):
            column.addWidget(widget)
        column.addWidget(self.cases, 1)
        column.addWidget(self.reason)
        column.addLayout(row(self.show_case, self.quality))
        column.addWidget(self.bank)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(scrolling(groups))
        layout.addLayout(row(1, HelpButton(Topic.DATA, self)))

    # Work

    def prepare(self) -> None:
        """Prepare the scans in the background, listing cases as they finish."""
        scans, out = self.settings.scans.path, self.settings.out.path
        if scans is None or out is None:
            return
        try:
            config = self.settings.config()
        except CowganError as error:
            show_problem(self, error)
            return
        inputs = [scans, *self.cases.taken]
        self.search.stop()
        self.cases.clear()
        if self.search.listing is not None:
            self.cases.show_rows(self.search.listing.rows)
        self.layers.forget()

        def work(job: Job) -> str:
            return prepare(inputs, out, config, job.deliver, job)

        self._run("Scan", work, self._show_message, self._list_prepared, self._on_report)

    def build_template(self, path: Path) -> None:
        """Average the scans into a template in the background, then use it."""
        scans, jobs, units = (
            self.settings.scans.path,
            self.settings.jobs.value(),
            self.settings.units,
        )
        if scans is None:
            return

        def use(message: str) -> None:
            self.settings.use_template(path)
            self._show_message(message)

        inputs = [scans, *self.cases.taken]
        self._run("Step", partial(build_template, inputs, path, jobs, units), use)

    def build_bank(self, folder: Path) -> None:
        """Store the prepared volumes as a training bank in the background."""
        out, jobs = self.settings.out.path, self.settings.jobs.value()
        if out is None:
            return
        self._run("Volume", partial(build_bank, out, folder, jobs), self._show_message)

    def _run(
        self,
        title: str,
        work: Callable[[Job], str],
        on_success: Callable[[str], None],
        on_incomplete: Callable[[], None] = lambda: None,
        on_part: Callable[[Any], None] = lambda _: None,
    ) -> None:
        def fail(error: BaseException) -> None:
            on_incomplete()
            show_problem(self, error)

        def stop() -> None:
            on_incomplete()
            self._show_message("Cancelled; finished cases are kept.")

        self._show_message("")
        self.job.run(title, work, on_success, fail, stop, on_part)

    def _on_running(self, running: bool) -> None:
        self._focus.during_work(running, self._refresh)

    def _show_message(self, text: str) -> None:
        self.outcome.setText(breakable(text))
        self.outcome.setVisible(bool(text))

    # Results

    def open_quality_page(self) -> None:
        """Open the quality page in the browser."""
        out = self.settings.out.path
        if out is not None:
            show_elsewhere(self, quality_page(out))

    def _on_report(self, rows: Sequence[CaseRow]) -> None:
        self.cases.show_rows(rows, follow=True)
        self._refresh()

    def _show_selected(self) -> None:
        selected = self.cases.selected
        if selected is not None and selected.path is not None:
            self.layers.show(selected.path)

    def _on_folders(self) -> None:
        """List the results of earlier runs, and after a pause the scans."""
        self.search.restart(self.settings.scans.path, self.settings.out.path)
        self.cases.untick()
        self._list_prepared()

    def _list_prepared(self) -> None:
        """List the scans found, and the results of earlier runs."""
        out = self.settings.out.path
        listing = self.search.listing
        self.cases.clear()
        if listing is not None:
            self.cases.show_rows(listing.rows)
        try:
            rows = [] if out is None else prepared_cases(out, left_out=listing is None)
        except CowganError as error:
            self._show_message(error.sentence)
        else:
            self.cases.show_rows(rows)
            message = "" if rows else _EMPTY
            if listing is not None:
                message = (
                    listing.sentence if out is not None else f"{listing.sentence} {_NO_RESULTS}"
                )
            self._show_message(message)
        self._refresh()

    def _on_search_failed(self, error: BaseException) -> None:
        if isinstance(error, CowganError):
            self._show_message(error.sentence)
        else:
            show_problem(self, error)

    def _refresh(self) -> None:
        idle = not self.job.running
        scans, out, selected = self.settings.scans.path, self.settings.out.path, self.cases.selected
        self.settings.setEnabled(idle)
        self.start.setEnabled(idle and scans is not None and out is not None)
        self.settings.build.setEnabled(scans is not None)
        self.bank.setEnabled(idle and any(row.outcome == PREPARED for row in self.cases.rows))
        self.show_case.setEnabled(selected is not None and selected.path is not None)
        self.quality.setEnabled(out is not None and is_there(quality_page(out)))
        self.reason.setText("" if selected is None else breakable(selected.reason))
        self.reason.setVisible(bool(self.reason.text()))

    def _choose_template_file(self) -> None:
        ask_for_file(self, "New template", self.build_template, _NIFTI, save_as="template.nii.gz")

    def _choose_bank_folder(self) -> None:
        ask_for_file(self, "Empty folder for the training bank", self.build_bank, folder=True)

    # Drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept one folder."""
        if dropped_folder(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Choose the dropped folder as the folder of scans."""
        folder = dropped_folder(event)
        if folder is not None and not self.job.running:
            event.acceptProposedAction()
            self.settings.scans.set_path(folder)


def _shut_down(job: JobBar, search: JobBar, *_: object) -> None:
    job.end()
    search.end()
