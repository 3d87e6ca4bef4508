"""Comparison of the shown volume with the scan that was projected."""

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QSizePolicy

from cowgan.volume import Volume
from cowgan.volume.differences import brighter
from napari_cowgan.explorer.comparison_layers import (
    end_comparison,
    label_layer,
    show_as_difference,
    show_side_by_side,
)
from napari_cowgan.explorer.layer import VolumeLayer

if TYPE_CHECKING:
    import napari

SCAN_LAYER = "My scan"
MISSING_LAYER = "Brighter in the scan: blue"
ADDED_LAYER = "Brighter in the volume: orange"

_OPTIONS = (
    ("Volume alone", "alone"),
    ("Scan side by side", "beside"),
    ("Scan minus volume", "difference"),
)


class ScanComparison(QComboBox):
    """How to compare the volume with the scan, and the layers that show it.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the layers.
    shown : VolumeLayer
        The volume.

    Signals
    -------
    comparing
        The user began to compare.
    """

    comparing = Signal()

    def __init__(self, viewer: "napari.Viewer", shown: VolumeLayer) -> None:
        super().__init__()
        self._viewer, self._shown = viewer, shown
        self._scan_layer = VolumeLayer(viewer, SCAN_LAYER)
        self._missing = VolumeLayer(viewer, MISSING_LAYER)
        self._added = VolumeLayer(viewer, ADDED_LAYER)
        self._scan: Volume | None = None
        self._volume: Volume | None = None
        for text, value in _OPTIONS:
            self.addItem(text, value)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Comparison with the scan")
        self.setToolTip(
            "Show the scan beside the volume, or where they differ: blue where the scan is "
            "brighter, orange where the volume is. Both follow the sliders."
        )
        self.currentIndexChanged.connect(self._on_chosen)

    def set_scan(self, scan: Volume | None) -> None:
        """Compare with another scan, which lies at the place of the volume, or with none."""
        self._scan = scan
        self.setVisible(scan is not None)
        if scan is None:
            self.stop()
        else:
            self._on_chosen()

    def follow(self, volume: Volume) -> None:
        """Compare with another volume."""
        self._volume = volume
        if self.currentData() == "difference":
            self._show_difference()

    def choose(self, value: str) -> None:
        """Choose ``"alone"``, ``"beside"`` or ``"difference"``."""
        self.setCurrentIndex(self.findData(value))

    def stop(self) -> None:
        """Show the volume alone."""
        self.choose("alone")

    def _on_chosen(self) -> None:
        layers = (self._scan_layer, self._missing, self._added)
        end_comparison(self._viewer, self._shown, layers)
        if self._scan is None or self.currentData() == "alone":
            return
        self.comparing.emit()
        if self.currentData() == "beside":
            self._show_beside(self._scan)
        else:
            self._show_difference()

    def _show_beside(self, scan: Volume) -> None:
        self._scan_layer.show(scan)
        layer, shown = self._scan_layer.layer, self._shown.layer
        assert layer is not None
        label_layer(layer, SCAN_LAYER)
        show_side_by_side(self._viewer, [layer] if shown is None else [shown, layer])

    def _show_difference(self) -> None:
        scan, volume = self._scan, self._volume
        # A larger or smaller model may have been opened, whose first volume comes at once.
        if scan is None or volume is None or volume.shape != scan.shape:
            return
        for each, colour, difference in (
            (self._missing, "bop blue", brighter(scan, volume)),
            (self._added, "bop orange", brighter(volume, scan)),
        ):
            if each.show(difference):
                assert each.layer is not None
                label_layer(each.layer, each.layer.name)
                show_as_difference(each.layer, colour)
        if self._shown.layer is not None:
            self._shown.layer.visible = False
