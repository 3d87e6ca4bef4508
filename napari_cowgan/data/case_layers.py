"""Layers that show the cases of the data panel."""

from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from napari.layers import Layer

from napari_cowgan.viewer.camera import look_from

if TYPE_CHECKING:
    import napari


class CaseLayers:
    """Opens volumes as layers, each only once.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer that shows them.
    """

    def __init__(self, viewer: "napari.Viewer") -> None:
        self._viewer = viewer
        self._opened: WeakValueDictionary[Path, Layer] = WeakValueDictionary()

    def show(self, path: Path) -> None:
        """Show a volume as a layer, or select its layer if it is shown already."""
        layers = self._viewer.layers
        shown = self._opened.get(path)
        if shown in layers:
            layers.selection.active = shown
            return
        is_first = not layers
        opened = self._viewer.open(path, plugin="napari-cowgan")
        if not opened:
            # The file reader has shown why.
            return
        (self._opened[path],) = opened
        if is_first:
            look_from(self._viewer, "axial")

    def forget(self) -> None:
        """Open every volume anew from now on, because its file may change."""
        self._opened.clear()
