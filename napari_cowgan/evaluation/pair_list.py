"""Lists of generated volumes with training volumes, each of which can be opened."""

from collections.abc import Iterable, Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from napari_cowgan.evaluation.tasks import Pair
from napari_cowgan.widgets.controls import plain_tooltip

_PAIR = Qt.ItemDataRole.UserRole


class PairList(QTreeWidget):
    """A table of pairs of volumes.

    Parameters
    ----------
    name : str
        Its accessible name.
    numbers : sequence of str
        Headers of the columns after both names.

    Signals
    -------
    chosen : Pair
        The user clicked a pair, or pressed Enter on it.
    """

    chosen = Signal(object)

    def __init__(self, name: str, numbers: Sequence[str]) -> None:
        super().__init__()
        self.setHeaderLabels(["Generated", "Training", *numbers])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setStyleSheet("QTreeWidget::item { padding: 2px 0; }")
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setAccessibleName(name)
        self.setToolTip("Click a row or press Enter to show both volumes side by side")
        header = self.header()
        header.setStretchLastSection(False)
        for column in range(self.columnCount()):
            resize = QHeaderView.ResizeMode
            header.setSectionResizeMode(
                column, resize.Stretch if column < 2 else resize.ResizeToContents
            )
        self.setMinimumHeight(220)
        self.itemClicked.connect(self._choose)
        self.itemActivated.connect(self._choose)

    def show_rows(self, rows: Iterable[tuple[Pair, Sequence[str]]]) -> None:
        """Show pairs, each with its numbers, instead of the earlier ones."""
        self.clear()
        items = []
        for pair, numbers in rows:
            item = QTreeWidgetItem([pair.generated, pair.training, *numbers])
            item.setData(0, _PAIR, pair)
            for column, name in enumerate((pair.generated, pair.training)):
                item.setToolTip(column, plain_tooltip(name))
            for column in range(2, self.columnCount()):
                item.setTextAlignment(
                    column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                )
            items.append(item)
        self.addTopLevelItems(items)

    def _choose(self, item: QTreeWidgetItem) -> None:
        self.chosen.emit(item.data(0, _PAIR))
