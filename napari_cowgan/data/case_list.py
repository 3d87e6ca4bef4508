"""The scans of a folder: what is there, what became of each, and why."""

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
# napari's themes draw no box around what can be ticked.
_STYLE = f"""
QTreeWidget::item {{ padding: 2px 0; }}
QTreeWidget::item:disabled {{ color: rgb(128, 128, 128); padding: 0 0 {_GAP}px {_INDENT}px; }}
QTreeWidget::indicator {{
    width: 11px; height: 11px; border: 1px solid rgb(128, 128, 128); border-radius: 2px;
}}
QTreeWidget::indicator:checked {{ background: rgb(90, 143, 216); }}
"""


class _WrappedReasons(QStyledItemDelegate):
    """Gives reasons, which stand below their cases, as many lines as they need."""

    def __init__(self, view: QTreeWidget) -> None:
        super().__init__(view)
        self._view = view

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        super().initStyleOption(option, index)
        if not index.parent().isValid():
            option.features &= ~QStyleOptionViewItem.ViewItemFeature.WrapText

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Return the size of a reason in the width of the list."""
        if not index.parent().isValid():
            return super().sizeHint(option, index)
        room = QRect(0, 0, self._view.viewport().width() - _INDENT - 2 * _GAP, _TALL)
        wrapped = option.fontMetrics.boundingRect(room, Qt.TextFlag.TextWordWrap, index.data())
        return QSize(0, wrapped.height() + _GAP + 2)


class CaseList(QTreeWidget):
    """Lists cases and their reasons; the newest word on a case replaces the one before.

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
        self.setItemsExpandable(False)
        self.setIndentation(0)
        self.setIconSize(SWATCH)
        self.setStyleSheet(_STYLE)
        self.setItemDelegate(_WrappedReasons(self))
        self.setWordWrap(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setToolTip("Double-click or Enter shows a case; tick what is left out to take it too")
        self.setAccessibleName("Cases")
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        for column in (_OUTCOME, _SCORE):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.setMinimumHeight(180)
        self._rows: dict[str, CaseRow] = {}
        self._items: dict[str, QTreeWidgetItem] = {}
        self._ticked: set[Path] = set()
        self.itemActivated.connect(self._on_activated)
        self.itemChanged.connect(self._on_changed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap reasons anew."""
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    @property
    def rows(self) -> list[CaseRow]:
        """What is listed, in order."""
        return list(self._rows.values())

    @property
    def selected(self) -> CaseRow | None:
        """The case that is selected."""
        item = self.currentItem()
        return self._rows.get(item.text(_NAME)) if item is not None else None

    @property
    def taken(self) -> list[Path]:
        """Files that a person ticked although they would be left out."""
        files = (row.file for row in self._rows.values())
        return [file for file in files if file is not None and file in self._ticked]

    def clear(self) -> None:
        """Forget all cases, but not which files are ticked."""
        super().clear()
        self._rows.clear()
        self._items.clear()

    def untick(self) -> None:
        """Forget which files a person ticked, also of those that are not listed now."""
        self._ticked.clear()

    def show_rows(self, rows: Iterable[CaseRow], *, follow: bool = False) -> None:
        """Add cases, or tell what became of those that are listed.

        Parameters
        ----------
        rows : iterable of CaseRow
            In the order in which they are added.
        follow : bool
            Keep the last of them in view, unless a person has selected a case.
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
            ticked = row.file in self._ticked
            item.setCheckState(_NAME, Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
        self._show_reason(item, row.reason)
        return item

    def _show_reason(self, item: QTreeWidgetItem, reason: str) -> None:
        if not reason:
            item.takeChildren()
            return
        line = item.child(0)
        if line is None:
            line = QTreeWidgetItem(item)
            # No case of its own: arrow keys and clicks pass it by.
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
            self._ticked.add(row.file)
        else:
            self._ticked.discard(row.file)
