"""List of the scans in a folder, with the outcome of each."""

from collections.abc import Iterable
from pathlib import Path

from qtpy.QtCore import QModelIndex, QRect, QSize, Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
)

from napari_cowgan.data.tasks import CaseRow
from napari_cowgan.widgets.controls import SWATCH, swatch

_NAME, _OUTCOME, _SCORE = range(3)
_INDENT, _GAP = 18, 4
_TALL = 10_000
# napari's themes draw no box around unchecked indicators.
_STYLE = f"""
QTreeWidget::item {{ padding: 2px 0; }}
QTreeWidget::item:disabled {{ color: rgb(128, 128, 128); padding: 0 0 {_GAP}px {_INDENT}px; }}
QTreeWidget::indicator {{
    width: 11px; height: 11px; border: 1px solid rgb(128, 128, 128); border-radius: 2px;
}}
QTreeWidget::indicator:checked {{ background: rgb(90, 143, 216); }}
"""


class _WrappedReasons(QStyledItemDelegate):
    """Wraps the reasons, which are rows below their cases."""

    def __init__(self, view: QTreeWidget) -> None:
        super().__init__(view)
        self._view = view

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        super().initStyleOption(option, index)
        if not index.parent().isValid():
            option.features &= ~QStyleOptionViewItem.ViewItemFeature.WrapText

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Return the size of a reason wrapped to the width of the list."""
        if not index.parent().isValid():
            return super().sizeHint(option, index)
        room = QRect(0, 0, self._view.viewport().width() - _INDENT - 2 * _GAP, _TALL)
        wrapped = option.fontMetrics.boundingRect(room, Qt.TextFlag.TextWordWrap, index.data())
        return QSize(0, wrapped.height() + _GAP + 2)


class CaseList(QTreeWidget):
    """Lists cases and their reasons; new rows replace earlier ones of the same case.

    Signals
    -------
    opened : Path
        The user double-clicked a case that can be shown, or pressed Enter on it.
    """

    opened = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderLabels(["Case", "Outcome", "Score"])
        self.setRootIsDecorated(False)
        self.setItemsExpandable(False)
        self.setIndentation(0)
        self.setIconSize(SWATCH)
        self.setStyleSheet(_STYLE)
        self.setItemDelegate(_WrappedReasons(self))
        self.setWordWrap(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setToolTip(
            "Double-click a case or press Enter to show it; check a skipped file to prepare it too"
        )
        self.setAccessibleName("Cases")
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        for column in (_OUTCOME, _SCORE):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.setMinimumHeight(180)
        self._rows: dict[str, CaseRow] = {}
        self._items: dict[str, QTreeWidgetItem] = {}
        self._checked: set[Path] = set()
        self.itemActivated.connect(self._on_activated)
        self.itemChanged.connect(self._on_changed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap reasons to the new width."""
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    @property
    def rows(self) -> list[CaseRow]:
        """The listed cases, in order."""
        return list(self._rows.values())

    @property
    def selected(self) -> CaseRow | None:
        """The selected case."""
        item = self.currentItem()
        return self._rows.get(item.text(_NAME)) if item is not None else None

    @property
    def taken(self) -> list[Path]:
        """Skipped files that the user checked, to be prepared too."""
        files = (row.file for row in self._rows.values())
        return [file for file in files if file is not None and file in self._checked]

    def clear(self) -> None:
        """Remove all cases, but remember which files are checked."""
        super().clear()
        self._rows.clear()
        self._items.clear()

    def untick(self) -> None:
        """Uncheck all files, including those that are not listed now."""
        self._checked.clear()

    def show_rows(self, rows: Iterable[CaseRow], *, follow: bool = False) -> None:
        """Add cases, or update those that are listed.

        Parameters
        ----------
        rows : iterable of CaseRow
            Cases in the order in which they are added.
        follow : bool
            Scroll to the last of them, unless a case is selected.
        """
        item = None
        self.blockSignals(True)
        for row in rows:
            if self._rows.get(row.name) != row:
                item = self._show(row)
        self.blockSignals(False)
        self.setColumnHidden(_SCORE, all(row.score is None for row in self._rows.values()))
        if follow and item is not None and self.currentItem() is None:
            self.scrollToItem(item)

    def _show(self, row: CaseRow) -> QTreeWidgetItem:
        item = self._items.get(row.name)
        if item is None:
            item = self._items[row.name] = QTreeWidgetItem()
            self.addTopLevelItem(item)
        self._rows[row.name] = row
        score = "" if row.score is None else f"{row.score:.2f}"
        for column, text in enumerate((row.name, row.outcome, score)):
            item.setText(column, text)
            item.setToolTip(column, "\n".join(filter(None, (row.name, row.reason))))
        item.setIcon(_OUTCOME, swatch(row.colour or "transparent"))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        item.setTextAlignment(_SCORE, right)
        if row.file is None:
            item.setData(_NAME, Qt.ItemDataRole.CheckStateRole, None)
        else:
            checked = row.file in self._checked
            item.setCheckState(_NAME, Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked)
        self._show_reason(item, row.reason)
        return item

    def _show_reason(self, item: QTreeWidgetItem, reason: str) -> None:
        if not reason:
            item.takeChildren()
            return
        line = item.child(0)
        if line is None:
            line = QTreeWidgetItem(item)
            # Not a case: arrow keys and clicks skip it.
            line.setFlags(Qt.ItemFlag.NoItemFlags)
            line.setFirstColumnSpanned(True)
            item.setExpanded(True)
        line.setText(_NAME, reason)
        line.setToolTip(_NAME, reason)

    def _on_activated(self, item: QTreeWidgetItem) -> None:
        row = self._rows[item.text(_NAME)]
        if row.path is not None:
            self.opened.emit(row.path)

    def _on_changed(self, item: QTreeWidgetItem, column: int) -> None:
        row = self._rows.get(item.text(_NAME))
        if column != _NAME or row is None or row.file is None:
            return
        if item.checkState(_NAME) == Qt.CheckState.Checked:
            self._checked.add(row.file)
        else:
            self._checked.discard(row.file)
