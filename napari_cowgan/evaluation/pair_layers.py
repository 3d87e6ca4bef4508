"""The napari layers of a generated volume and the training volume beside it."""

from typing import TYPE_CHECKING

from napari.experimental import link_layers
from napari.layers import Image

from cowgan.volume import Volume
from napari_cowgan.evaluation.tasks import Pair, ShownPair
from napari_cowgan.viewer.camera import look_from
from napari_cowgan.viewer.caption import caption
from napari_cowgan.viewer.display import volume_to_layer

if TYPE_CHECKING:
    import napari

_LINKED = ("contrast_limits", "gamma", "colormap", "rendering", "attenuation", "iso_threshold")


class PairLayers:
    """Two layers side by side, which look alike; another pair takes their place.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that shows them.
    """

    def __init__(self, viewer: "napari.Viewer") -> None:
        self._viewer = viewer
        self._pair: Pair | None = None
        self._layers: list[Image] = []

    def has(self, pair: Pair) -> bool:
        """Return whether a pair is shown, and then select its generated volume."""
        if pair != self._pair or any(layer not in self._viewer.layers for layer in self._layers):
            return False
        self._viewer.layers.selection.active = self._layers[0]
        return True

    def show(self, shown: ShownPair) -> None:
        """Show a pair instead of the earlier one."""
        earlier = list(self._layers)
        self._remove()
        caption(self._viewer)
        volumes = {
            f"Generated: {shown.pair.generated}": shown.generated,
            f"Training: {shown.pair.training}": shown.training,
        }
        self._layers = [self._add(name, volume) for name, volume in volumes.items()]
        self._pair = shown.pair
        # Any difference in brightness must come from the volumes, not from display settings.
        look_of = (earlier or self._layers)[0]
        for layer in self._layers:
            for name in _LINKED:
                setattr(layer, name, getattr(look_of, name))
        link_layers(self._layers, _LINKED)
        self._viewer.layers.selection.active = self._layers[0]
        if not earlier:
            self._viewer.canvas.grid.enabled = True
            look_from(self._viewer, "axial")

    def _add(self, name: str, volume: Volume) -> Image:
        data, options, _ = volume_to_layer(volume, name)
        layer = self._viewer.add_image(data, **options)
        layer.name_overlay.visible = True
        return layer

    def _remove(self) -> None:
        for layer in self._layers:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
