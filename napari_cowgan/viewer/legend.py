"""A legend of the arteries in a label map, which shows and hides them."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QEnterEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)
from superqt.utils import signals_blocked

from cowgan.anatomy.arteries import Artery
from napari_cowgan.help.button import HelpButton
from napari_cowgan.help.topics import Topic
from napari_cowgan.viewer.artery_colours import (
    COLOURS,
    FEATURE,
    colour_table,
    label_values,
    name_of,
)
from napari_cowgan.viewer.camera import look_at_label
from napari_cowgan.widgets.controls import SWATCH, breakable, hint, row, swatch, text_button
from napari_cowgan.widgets.docked import DockedPanel, show_panel

if TYPE_CHECKING:
    import napari

_ABSENT = "not in this map"
_PADDING_PX = 24
"""Frame and padding of the list in napari's themes."""
_CHECKED, _UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked
_EMPTY = "Open a label map of the Circle of Willis to see its arteries here."


def show_legend(viewer: "napari.Viewer") -> "ArteryLegend":
    """Open the legend of a viewer, in front of other panels, and return it."""
    return show_panel(viewer, ArteryLegend)


class ArteryLegend(DockedPanel):
    """A list of the 13 arteries that marks those a label map lacks, and hides or shows each.

    It follows the selected label map of arteries, or the topmost one if none is selected.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer with the label maps; napari passes it by this name.
    """

    dock_title = "Artery legend"

    def __init__(self, napari_viewer: "napari.Viewer") -> None:
        super().__init__(napari_viewer)
        self._layer: Labels | None = None
        self._present: list[Artery] = []
        self.title = hint(_EMPTY)
        self.list = QTreeWidget()
        self.list.setHeaderHidden(True)
        self.list.setColumnCount(2)
        self.list.setRootIsDecorated(False)
        self.list.setIndentation(0)
        self.list.setStyleSheet("QTreeWidget::item { padding: 1px 0; }")
        self.list.setIconSize(SWATCH)
        self.list.setUniformRowHeights(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setToolTip(
            "Double-click or Enter centres the view on an artery; untick it (Space) to hide it"
        )
        self.list.setAccessibleName("Arteries")
        self._items = {artery: self._item(artery) for artery in COLOURS}
        self.list.addTopLevelItems(list(self._items.values()))
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.all = text_button("Show all", "Show every artery")
        self.none = text_button("Hide all", "Hide every artery, then tick those of interest")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        layout.addWidget(self.list, 1)
        layout.addLayout(row(self.all, self.none, HelpButton(Topic.LEGEND, self)))
        # Space toggles only in the column with the tick box.
        self.list.currentItemChanged.connect(lambda item: self.list.setCurrentItem(item, 0))
        self.list.itemChanged.connect(self._on_toggled)
        self.list.itemActivated.connect(self._on_activated)
        self.all.clicked.connect(lambda: self.hide_arteries(()))
        self.none.clicked.connect(lambda: self.hide_arteries(self._present))
        for event in self._events():
            event.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Update the list from the selected label map."""
        self._layer = layer = self._wanted_layer()
        values = () if layer is None else label_values(np.asarray(layer.data))
        self._present = [artery for artery in Artery if artery.value in values]
        with signals_blocked(self.list):
            for artery, item in self._items.items():
                there = artery in self._present
                item.setText(1, artery.full_name if there or layer is None else _ABSENT)
                item.setDisabled(not there)
                item.setCheckState(0, _CHECKED if there and self._is_shown(artery) else _UNCHECKED)
        self.title.setText(breakable(layer.name) if layer is not None else _EMPTY)
        for button in (self.all, self.none):
            button.setEnabled(bool(self._present))

    def hide_arteries(self, hidden: Collection[Artery]) -> None:
        """Show all arteries of the label map except these."""
        if self._layer is not None:
            self._layer.colormap = DirectLabelColormap(color_dict=colour_table(hidden))
            self.refresh()

    def go_to(self, artery: Artery) -> None:
        """Centre the view on an artery; do nothing if the label map lacks it."""
        if self._layer is not None:
            look_at_label(self._viewer, self._layer, artery)

    def sizeHint(self) -> QSize:
        """Return a size in which every artery's name is readable."""
        names = self.list.sizeHintForColumn(0) + self.list.sizeHintForColumn(1)
        margins = self.layout().contentsMargins()
        width = names + margins.left() + margins.right() + _PADDING_PX
        return QSize(width, super().sizeHint().height())

    def enterEvent(self, event: QEnterEvent) -> None:
        """Update the list, since labels may have been painted."""
        self.refresh()
        super().enterEvent(event)

    def leave(self) -> None:
        """Stop following the viewer's layers."""
        for source in self._events():
            source.disconnect(self.refresh)

    def _events(self) -> tuple[Any, ...]:
        layers = self._viewer.layers
        return layers.events.inserted, layers.events.removed, layers.selection.events.active

    def _wanted_layer(self) -> Labels | None:
        layers = self._viewer.layers
        named = [layer for layer in layers if isinstance(layer, Labels) and _names_arteries(layer)]
        active = layers.selection.active
        return active if active in named else next(reversed(named), None)

    def _is_ticked(self, artery: Artery) -> bool:
        return bool(self._items[artery].checkState(0) == _CHECKED)

    def _is_shown(self, artery: Artery) -> bool:
        return self._layer is None or bool(self._layer.get_color(artery.value)[3] > 0)

    def _on_toggled(self) -> None:
        self.hide_arteries([artery for artery in self._present if not self._is_ticked(artery)])

    def _on_activated(self, item: QTreeWidgetItem) -> None:
        self.go_to(next(artery for artery, own in self._items.items() if own is item))

    def _item(self, artery: Artery) -> QTreeWidgetItem:
        item = QTreeWidgetItem([artery.abbreviation, artery.full_name])
        item.setIcon(0, swatch(COLOURS[artery]))
        for column in (0, 1):
            item.setToolTip(column, name_of(artery))
        return item


def _names_arteries(layer: Labels) -> bool:
    return FEATURE in layer.features
