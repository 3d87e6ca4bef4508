"""List of the runs in a folder, each with its exported models."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from cowgan.training.remote_control import RunStatus
from napari_cowgan.training.monitor import STATES
from napari_cowgan.training.runs import RunSummary
from napari_cowgan.widgets.controls import SWATCH, swatch

_RUN, _MODEL = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1


class RunList(QTreeWidget):
    """Lists runs, newest first.

    Signals
    -------
    opened : Path
        The user double-clicked a run or one of its models, or pressed Enter on it.
    """

    opened = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderLabels(["Run", "State", "Step", "Date"])
        self.setUniformRowHeights(True)
        self.setIndentation(12)
        self.setIconSize(SWATCH)
        self.setStyleSheet("QTreeWidget::item { padding: 2px 0; }")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setToolTip("Double-click or Enter watches a run; unfold it to see its models")
        self.setAccessibleName("Runs")
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2, 3):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.setMinimumHeight(130)
        self._runs: dict[Path, RunSummary] = {}
        self.itemActivated.connect(self._on_activated)

    @property
    def runs(self) -> list[RunSummary]:
        """The listed runs, in order."""
        return list(self._runs.values())

    @property
    def selected(self) -> RunSummary | None:
        """The selected run, or the run of the selected model."""
        item = self.currentItem()
        return None if item is None else self._runs.get(item.data(0, _RUN))

    @property
    def selected_model(self) -> Path | None:
        """The selected model; None if a run is selected."""
        item = self.currentItem()
        return None if item is None else item.data(0, _MODEL)

    def select(self, folder: Path) -> None:
        """Select a run."""
        item = self._item(folder)
        if item is not None:
            self.setCurrentItem(item)

    def show_runs(self, runs: Sequence[RunSummary]) -> None:
        """List runs, keeping what is selected and expanded."""
        if list(runs) == self.runs:
            return
        selected = self.selected
        expanded = {run for run in self._runs if (item := self._item(run)) and item.isExpanded()}
        self.clear()
        self._runs = {run.folder: run for run in runs}
        for run in runs:
            item = QTreeWidgetItem([run.folder.name])
            item.setData(0, _RUN, run.folder)
            self.addTopLevelItem(item)
            _describe(item, run)
            for model in run.models:
                child = QTreeWidgetItem([_name(run, model), "", "", _date(model.stat().st_mtime)])
                child.setData(0, _RUN, run.folder)
                child.setData(0, _MODEL, model)
                child.setToolTip(0, str(model))
                item.addChild(child)
            item.setExpanded(run.folder in expanded)
        if selected is not None:
            self.select(selected.folder)

    def show_status(self, folder: Path, status: RunStatus) -> None:
        """Show the current status of a run."""
        item = self._item(folder)
        if item is not None:
            _show_state(item, status.state, status.step, status.steps)

    def _item(self, folder: Path) -> QTreeWidgetItem | None:
        items = (self.topLevelItem(place) for place in range(self.topLevelItemCount()))
        return next((item for item in items if item.data(0, _RUN) == folder), None)

    def _on_activated(self, item: QTreeWidgetItem) -> None:
        self.opened.emit(item.data(0, _RUN))


def _describe(item: QTreeWidgetItem, run: RunSummary) -> None:
    _show_state(item, run.state, run.step, run.steps)
    item.setText(3, _date(run.changed))
    item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    for column in range(4):
        item.setToolTip(column, f"{run.folder}\n{', '.join(run.facts)}")


def _name(run: RunSummary, model: Path) -> str:
    if run.kind == "segmentation":
        return "Segmentation network"
    return f"Model of step {int(model.stem.rpartition('-')[2]):,}"


def _show_state(item: QTreeWidgetItem, state: str, step: int, steps: int) -> None:
    word, colour = STATES[state]  # type: ignore[index]
    if item.text(1) != word:
        item.setText(1, word)
        item.setIcon(1, swatch(colour))
    item.setText(2, f"{step:,}")


def _date(seconds: float) -> str:
    """Return the time of today, or the day."""
    when = datetime.fromtimestamp(seconds)
    return when.strftime("%H:%M" if when.date() == datetime.now().date() else "%d %b %Y")
