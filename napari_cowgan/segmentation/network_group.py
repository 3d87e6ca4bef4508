"""Control group for the network that segments, which is remembered."""

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_cowgan.segmentation.tasks import bundled_networks
from napari_cowgan.widgets.drop_field import DropField
from napari_cowgan.widgets.fields import Choice
from napari_cowgan.widgets.guards import WheelGuard

_FILE = "file"
_BUNDLED = {
    "topcow2024": (
        "The 13 arteries",
        "Tells the 13 arteries of the Circle of Willis apart, in the label scheme of TopCoW 2024",
    ),
    "territories": (
        "Territories",
        "Tells posterior and anterior arteries from those of the left and right side",
    ),
}
"""Text and tooltip of each bundled network, by its label scheme."""


class NetworkGroup(QWidget):
    """A bundled network, or one that the user trained.

    Signals
    -------
    changed
        Another network is chosen.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._bundled = bundled_networks()
        names = [name for name in _BUNDLED if name in self._bundled]
        self.kind = Choice(
            "segmentation/network",
            [*((_BUNDLED[name][0], name) for name in names), ("Another network", _FILE)],
            "The network that finds the arteries, and so what it tells apart",
        )
        self.kind.setAccessibleName("Network")
        for index, name in enumerate(names):
            self.kind.setItemData(index, _BUNDLED[name][1], Qt.ItemDataRole.ToolTipRole)
        self.file = DropField(
            "segmentation/file",
            "Network file or run",
            "Network (.safetensors) or folder of a run that cowgan segment train has made",
            "Networks (*.safetensors)",
        )
        WheelGuard(self.kind)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.kind)
        layout.addWidget(self.file)
        self.kind.currentIndexChanged.connect(self._refresh)
        self.file.changed.connect(self._refresh)
        self._refresh()

    @property
    def path(self) -> Path | None:
        """The network's file or folder; None if none is chosen."""
        return self.file.path if self.kind.chosen == _FILE else self._bundled[self.kind.chosen]

    def choose_file(self, path: Path) -> None:
        """Choose a network by its file or by the folder of its run."""
        self.file.set_path(path)
        self.kind.choose(_FILE)

    def _refresh(self) -> None:
        self.file.setVisible(self.kind.chosen == _FILE)
        self.changed.emit()
