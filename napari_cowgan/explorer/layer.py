"""The napari layer that shows the explorer's volume."""

from typing import TYPE_CHECKING

from napari.layers import Image

from cowgan.volume import Volume
from napari_cowgan.display import (
    display_array,
    display_metadata,
    display_transform,
    volume_to_layer,
)

if TYPE_CHECKING:
    import napari

LAYER_NAME = "Synthetic TOF MRA"
CONTRAST_LIMITS = (0.05, 0.85)
"""Fixed, so that brightness can be compared from one volume to the next."""


class VolumeLayer:
    """One layer that follows the explorer; made again if the person deletes it."""

    def __init__(self, viewer: "napari.Viewer", name: str = LAYER_NAME) -> None:
        self._viewer = viewer
        self._name = name
        self._layer: Image | None = None

    @property
    def layer(self) -> Image | None:
        """The layer, if it is there."""
        return self._layer if self._layer in self._viewer.layers else None

    def show(self, volume: Volume) -> bool:
        """Show a volume; return whether a layer had to be made for it."""
        layer = self.layer
        if layer is None:
            data, options, _ = volume_to_layer(volume, self._name)
            options["contrast_limits"] = CONTRAST_LIMITS
            self._layer = self._viewer.add_image(data, **options)
            self._layer.contrast_limits_range = (0, 1)
            return True
        same_grid = layer.data.shape == display_shape(volume)
        layer.data = display_array(volume)
        layer.metadata["cowgan"] = display_metadata(volume)
        if not same_grid:
            for name, value in display_transform(volume).items():
                setattr(layer, name, value)
        return False

    def remove(self) -> None:
        """Take the layer away, if it is there."""
        layer = self.layer
        if layer is not None:
            self._viewer.layers.remove(layer)


def display_shape(volume: Volume) -> tuple[int, int, int]:
    """Return the shape (z, y, x) of `display_array`'s result."""
    nz, nx, ny = volume.shape
    return (nz, ny, nx)
