"""The cases of a preprocessing run: what became of each, and why."""

from collections.abc import Iterable

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from napari_cowgan.controls import SWATCH, swatch
from napari_cowgan.data.work import CaseRow
from napari_cowgan.tooltips import TOOLTIPS


class CaseList(QTreeWidget):
    """Lists cases; the newest word on a case replaces the one before.

    Signals
    -------
    opened : Path
        A person double-clicked a case that can be shown, or pressed Enter on it.
    """

    opened = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderLabels(["Case", "Outcome", "Score"])
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setUniformRowHeights(True)
        self.setIconSize(SWATCH)
        self.setStyleSheet("QTreeWidget::item { padding: 2px 0; }")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setToolTip(TOOLTIPS["cases"])
        self.setAccessibleName("Cases")
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.setMinimumHeight(140)
        self._rows: dict[str, CaseRow] = {}
        self.itemActivated.connect(self._on_activated)

    @property
    def rows(self) -> list[CaseRow]:
        """What is listed, in order."""
        return list(self._rows.values())

    @property
    def selected(self) -> CaseRow | None:
        """The case that is selected."""
        item = self.currentItem()
        return self._rows.get(item.text(0)) if item is not None else None

    def clear(self) -> None:
        """Forget all cases."""
        super().clear()
        self._rows.clear()

    def show_rows(self, rows: Iterable[CaseRow]) -> None:
        """Add cases, or tell what became of those that are listed; the last stays in view."""
        item = None
        for row in rows:
            if self._rows.get(row.name) == row:
                continue
            item = self._item(row.name)
            self._rows[row.name] = row
            score = "" if row.score is None else f"{row.score:.2f}"
            for column, text in enumerate((row.name, row.outcome, score)):
                item.setText(column, text)
                item.setToolTip(column, row.reason or row.name)
            item.setIcon(1, swatch(row.colour or "transparent"))
            item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setColumnHidden(2, all(row.score is None for row in self._rows.values()))
        if item is not None and self.currentItem() is None:
            self.scrollToItem(item)

    def _item(self, name: str) -> QTreeWidgetItem:
        if name in self._rows:
            return self.findItems(name, Qt.MatchFlag.MatchExactly)[0]
        item = QTreeWidgetItem()
        self.addTopLevelItem(item)
        return item

    def _on_activated(self, item: QTreeWidgetItem) -> None:
        row = self._rows[item.text(0)]
        if row.path is not None:
            self.opened.emit(row.path)
