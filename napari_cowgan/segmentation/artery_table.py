"""Table of the arteries in a label map: colour, size, and whether each is shown."""

from collections.abc import Collection

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeyEvent, QShowEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem
from superqt.utils import signals_blocked

from cowgan.anatomy.label_colours import label_colours
from cowgan.anatomy.label_schemes import LabelScheme, label_name
from cowgan.segmentation.artery_sizes import ArterySize
from napari_cowgan.segmentation.tasks import Described
from napari_cowgan.widgets.controls import SWATCH, swatch

_SHOWN, _NAME, _VOLUME, _LENGTH, _RADIUS = range(5)
_CHECKED, _UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked
_HEADERS = {
    _SHOWN: ("", "Ticked arteries are shown"),
    _NAME: ("Artery", "Colour and name"),
    _VOLUME: ("Volume\nmm³", "Volume of all voxels of the artery"),
    _LENGTH: ("Length\nmm", "Length of its centrelines"),
    _RADIUS: ("Radius\nmm", "Median radius along its centrelines"),
}
_ABSENT = "–"
_PADDING_PX = 12
"""Frame and padding of the table in napari's themes."""


class ArteryTable(QTreeWidget):
    """The arteries of a label scheme with what is measured of them.

    Signals
    -------
    picked : int
        The user clicked an artery, or pressed Enter on it, to paint it; its label.
    located : int
        The user double-clicked an artery.
    hidden_changed
        Other arteries are hidden.
    """

    picked = Signal(int)
    located = Signal(int)
    hidden_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._scheme: LabelScheme | None = None
        self._items: dict[int, QTreeWidgetItem] = {}
        self.setColumnCount(len(_HEADERS))
        self.setHeaderLabels([text for text, _ in _HEADERS.values()])
        for column, (_, tooltip) in _HEADERS.items():
            self.headerItem().setToolTip(column, tooltip)
            self.headerItem().setTextAlignment(column, _alignment(column))
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setIconSize(SWATCH)
        self.setUniformRowHeights(True)
        self.setStyleSheet("QTreeWidget::item { padding: 1px 0; }")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Arteries")
        self.setToolTip(
            "Click an artery, or press Enter, to paint it with the brush; double-click to centre "
            "the view on it; untick it (Space) to hide it"
        )
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(16)
        for column in _HEADERS:
            resize = QHeaderView.ResizeMode
            header.setSectionResizeMode(
                column, resize.Stretch if column == _NAME else resize.ResizeToContents
            )
        # Space toggles only in the column with the tick box.
        self.currentItemChanged.connect(lambda item: self.setCurrentItem(item, _SHOWN))
        self.itemChanged.connect(lambda: self.hidden_changed.emit())
        self.itemClicked.connect(self._on_clicked)
        self.itemDoubleClicked.connect(self._on_double_clicked)

    @property
    def hidden(self) -> set[int]:
        """The labels that are not ticked."""
        return {
            value for value, item in self._items.items() if item.checkState(_SHOWN) == _UNCHECKED
        }

    @property
    def chosen(self) -> int | None:
        """The label of the selected row; None if there is none."""
        item = self.currentItem()
        return next((value for value, own in self._items.items() if own is item), None)

    def show_arteries(self, described: Described) -> None:
        """Show what was measured of a label map."""
        self._show_scheme(described.scheme)
        for value, item in self._items.items():
            _fill(item, described.sizes.get(value))

    def show_hidden(self, hidden: Collection[int]) -> None:
        """Show which arteries are hidden, without emitting signals."""
        with signals_blocked(self):
            for value, item in self._items.items():
                item.setCheckState(_SHOWN, _UNCHECKED if value in hidden else _CHECKED)

    def show_picked(self, value: int) -> None:
        """Select the row of a label, without emitting signals."""
        if value in self._items:
            with signals_blocked(self):
                self.setCurrentItem(self._items[value], _SHOWN)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pick the selected artery with Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.chosen is not None:
            self.picked.emit(self.chosen)
        else:
            super().keyPressEvent(event)

    def _show_scheme(self, scheme: LabelScheme) -> None:
        if scheme is self._scheme:
            return
        self._scheme = scheme
        with signals_blocked(self):
            self.clear()
            self._items = {value: _item(scheme, value) for value in scheme.labels}
            self.addTopLevelItems(list(self._items.values()))
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Fit the height anew, since the theme decides how high a row is."""
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Make the table as high as its rows; the panel scrolls instead."""
        rows = len(self._items) * self.sizeHintForRow(0)
        self.setFixedHeight(self.header().sizeHint().height() + rows + _PADDING_PX)

    def _on_clicked(self, item: QTreeWidgetItem, column: int) -> None:
        if column != _SHOWN and self.chosen is not None:
            self.picked.emit(self.chosen)

    def _on_double_clicked(self, item: QTreeWidgetItem, column: int) -> None:
        if column != _SHOWN and self.chosen is not None:
            self.located.emit(self.chosen)


def _item(scheme: LabelScheme, value: int) -> QTreeWidgetItem:
    item = QTreeWidgetItem()
    item.setText(_NAME, scheme.labels[value])
    item.setIcon(_NAME, swatch(label_colours(scheme)[value]))
    item.setCheckState(_SHOWN, _CHECKED)
    for column in _HEADERS:
        item.setToolTip(column, label_name(scheme, value))
        item.setTextAlignment(column, _alignment(column))
    return item


def _fill(item: QTreeWidgetItem, size: ArterySize | None) -> None:
    texts = {_VOLUME: _ABSENT, _LENGTH: _ABSENT, _RADIUS: _ABSENT}
    if size is not None:
        texts = {
            _VOLUME: _rounded(size.volume_mm3),
            _LENGTH: _rounded(size.length_mm),
            _RADIUS: f"{size.median_radius_mm:.2f}",
        }
    for column, text in texts.items():
        item.setText(column, text)


def _rounded(number: float) -> str:
    return f"{number:.0f}" if number >= 9.95 else f"{number:.1f}"


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column <= _NAME else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter
