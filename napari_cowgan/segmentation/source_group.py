"""Control group for what is segmented."""

from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

from napari.layers import Image
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QSizePolicy, QVBoxLayout, QWidget
from superqt.utils import signals_blocked

from napari_cowgan.widgets.controls import row, text_button
from napari_cowgan.widgets.dialogs import ask_for_file
from napari_cowgan.widgets.guards import WheelGuard

if TYPE_CHECKING:
    import napari

_NOTHING = "No scan is open"


class SourceGroup(QWidget):
    """One of the viewer's images; a new one is chosen as it is added.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer with the images.

    Signals
    -------
    changed
        Another image is chosen.
    """

    changed = Signal()

    def __init__(self, viewer: "napari.Viewer") -> None:
        super().__init__()
        self._viewer = viewer
        self._listed: list[ref[Image]] = []
        self.images = QComboBox()
        self.images.setToolTip(
            "The image to segment: a scan, a phantom or a generated volume in the viewer"
        )
        self.images.setAccessibleName("Image to segment")
        self.images.setPlaceholderText(_NOTHING)
        self.images.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.open = text_button("…", "Open a scan; it can be dropped on the panel too")
        self.open.setAccessibleName("Open a scan")
        self.open.setFixedWidth(28)
        WheelGuard(self.images)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row(self.images, self.open))
        self.images.currentIndexChanged.connect(self._on_chosen)
        self.open.clicked.connect(self._choose_file)
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.layers.events.removed.connect(self.refresh)
        self._names = viewer.layers.events.renamed
        self._names.connect(self.refresh)
        self.refresh()
        active = viewer.layers.selection.active
        if isinstance(active, Image):
            self.choose(active)

    @property
    def layer(self) -> Image | None:
        """The chosen image; None if there is none."""
        index = self.images.currentIndex()
        return self._listed[index]() if 0 <= index < len(self._listed) else None

    def choose(self, layer: Image) -> None:
        """Choose an image of the viewer."""
        self.refresh()
        known = [each() for each in self._listed]
        if layer in known:
            self.images.setCurrentIndex(known.index(layer))

    def open_scan(self, path: Path) -> None:
        """Open a scan as a layer; the reader shows why if it cannot be read."""
        self._viewer.open(path, plugin="napari-cowgan")

    def refresh(self) -> None:
        """List the images of the viewer."""
        chosen = self.layer
        layers = [one for one in self._viewer.layers if isinstance(one, Image) and one.ndim == 3]
        with signals_blocked(self.images):
            self.images.clear()
            self._listed = [ref(layer) for layer in layers]
            for layer in layers:
                self.images.addItem(layer.name)
                self.images.setItemData(
                    self.images.count() - 1, layer.name, Qt.ItemDataRole.ToolTipRole
                )
            if layers:
                index = layers.index(chosen) if chosen in layers else len(layers) - 1
                self.images.setCurrentIndex(index)
        self.images.setEnabled(bool(layers))
        if self.layer is not chosen:
            self.changed.emit()

    def leave(self) -> None:
        """Stop following the viewer's layers."""
        events = self._viewer.layers.events
        events.inserted.disconnect(self._on_inserted)
        events.removed.disconnect(self.refresh)
        events.renamed.disconnect(self.refresh)

    def _on_inserted(self, event: "napari.utils.events.Event") -> None:
        if isinstance(event.value, Image):
            self.choose(event.value)

    def _on_chosen(self) -> None:
        self.changed.emit()

    def _choose_file(self) -> None:
        ask_for_file(self, "Scan to segment", self.open_scan)
