"""napari layer that shows sample pictures of a run."""

from typing import TYPE_CHECKING

from napari.layers import Image

from napari_cowgan.training.run_watcher import Sheet
from napari_cowgan.viewer.caption import caption

if TYPE_CHECKING:
    import napari

_GAP = 0.05


class SampleLayer:
    """One layer per run, updated as it trains, and added again if the user deletes it."""

    def __init__(self, viewer: "napari.Viewer") -> None:
        self._viewer = viewer
        self._layers: dict[str, Image] = {}
        caption(viewer)

    def show(self, run: str, sheet: Sheet) -> Image:
        """Show the newest picture of a run."""
        layer = self._layers.get(run)
        if layer is None or layer not in self._viewer.layers:
            layer = self._layers[run] = self._add(run, sheet)
        else:
            layer.data = sheet.picture
        layer.metadata = {**layer.metadata, "cowgan": {"synthetic": True, "step": sheet.step}}
        return layer

    def remove(self) -> None:
        """Remove the layers; an active run is shown again with its next picture."""
        for layer in self._layers.values():
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._layers.clear()

    def _add(self, run: str, sheet: Sheet) -> Image:
        """Add a layer beside the others and of their height, so that it hides none."""
        others = self._viewer.layers
        scale, translate = (1.0, 1.0), (0.0, 0.0)
        units = None
        if others:
            units = others[-1].units[-2:]
            low, high = others.extent.world[:, -2:]
            scale = (float((high - low)[0] / sheet.picture.shape[0]),) * 2
            translate = (float(low[0]), float(high[1] + _GAP * (high - low)[1]))
        layer = self._viewer.add_image(
            sheet.picture,
            name=run,
            colormap="gray",
            contrast_limits=(0, 255),
            interpolation2d="linear",
            scale=scale,
            translate=translate,
            units=units,
        )
        if len(others) == 1:
            self._viewer.dims.ndisplay = 2
        self._viewer.reset_view()
        return layer
