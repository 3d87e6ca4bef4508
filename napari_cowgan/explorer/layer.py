"""The napari layer that shows the explorer's volume."""

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.volume import Volume
from napari_cowgan.viewer.current_viewer import ignore_pointer
from napari_cowgan.viewer.display import (
    display_array,
    display_metadata,
    display_order,
    display_transform,
    labels_to_layer,
    volume_to_layer,
)
from napari_cowgan.viewer.isosurface import close_isosurface

if TYPE_CHECKING:
    import napari

LAYER_NAME = "Synthetic TOF MRA"
ARTERIES_NAME = "Arteries"
CONTRAST_LIMITS = (0.05, 0.85)
"""Fixed, so that brightness is comparable between volumes."""
LOOK = ("contrast_limits", "gamma", "colormap", "rendering", "attenuation", "iso_threshold")
"""Layer attributes that decide how bright a voxel appears."""


class VolumeLayer:
    """A layer that follows the explorer; created again if the user deletes it."""

    def __init__(self, viewer: "napari.Viewer", name: str = LAYER_NAME) -> None:
        self._viewer = viewer
        self._name = name
        self._layer: Image | None = None
        self._look: dict[str, Any] = {"contrast_limits": CONTRAST_LIMITS}

    @property
    def layer(self) -> Image | None:
        """The layer; None if it is not in the viewer."""
        return self._layer if self._layer in self._viewer.layers else None

    def adopt(self, layer: Image | None, look: dict[str, Any]) -> None:
        """Take over the layer of another explorer, or only its look if it is gone."""
        self._layer = layer
        self._look = {**self._look, **look}

    def look(self) -> dict[str, Any]:
        """Return the display attributes of the layer; empty if there is none."""
        layer = self.layer
        return {} if layer is None else {name: getattr(layer, name) for name in LOOK}

    def show(self, volume: Volume) -> bool:
        """Show a volume; return whether a layer was created for it."""
        layer = self.layer
        if layer is None:
            data, options, _ = volume_to_layer(volume, self._name)
            self._layer = self._viewer.add_image(data, **{**options, **self._look})
            self._layer.contrast_limits_range = (0, 1)
            close_isosurface(self._viewer, self._layer)
            return True
        metadata = display_metadata(volume)
        before = layer.metadata.get("cowgan", {})
        layer.data = display_array(volume)
        layer.metadata = {**layer.metadata, "cowgan": metadata}
        # A layer that the user moved stays there while the voxel grid is unchanged.
        if any(before.get(name) != metadata[name] for name in ("affine", "shape")):
            for name, value in display_transform(volume).items():
                setattr(layer, name, value)
        return False

    def remove(self) -> None:
        """Remove the layer, if there is one."""
        layer = self.layer
        if layer is not None:
            self._viewer.layers.remove(layer)


class ArteryLayer:
    """A layer of the labels of the explorer's volume; created again if the user deletes it."""

    def __init__(self, viewer: "napari.Viewer") -> None:
        self._viewer = viewer
        self._layer: Labels | None = None

    @property
    def layer(self) -> Labels | None:
        """The layer; None if it is not in the viewer."""
        return self._layer if self._layer in self._viewer.layers else None

    def show(self, labels: NDArray[np.uint8], volume: Volume, scheme: LabelScheme) -> None:
        """Show the label map of a volume, which may have moved or become another one."""
        layer = self.layer
        provenance = {**volume.provenance, "labels": scheme.name}
        if layer is not None and layer.metadata["cowgan"]["provenance"]["labels"] != scheme.name:
            self.remove()
            layer = None
        if layer is None:
            data, options, _ = labels_to_layer(labels, volume.affine, ARTERIES_NAME, provenance)
            selected = set(self._viewer.layers.selection)
            ignore_pointer(self._viewer)
            self._layer = self._viewer.add_labels(data, **options)
            # The user goes on working on the volume.
            self._viewer.layers.selection = selected
            return
        layer.data = display_order(labels)
        metadata = display_metadata(Volume(volume.data, volume.affine, provenance))
        layer.metadata = {**layer.metadata, "cowgan": metadata}
        for name, value in display_transform(volume).items():
            setattr(layer, name, value)

    def clear(self) -> None:
        """Show no label until the next label map."""
        layer = self.layer
        if layer is not None:
            layer.data = np.zeros_like(layer.data)

    def remove(self) -> None:
        """Remove the layer, if there is one."""
        layer = self.layer
        if layer is not None:
            self._viewer.layers.remove(layer)
