"""How layers that are compared with the shown volume look."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari.experimental import link_layers
from napari.layers import Image

from napari_cowgan.explorer.layer import LOOK, VolumeLayer

if TYPE_CHECKING:
    import napari


def label_layer(layer: Image, label: str) -> None:
    """Name a layer, and show its name on the canvas."""
    layer.name = label
    layer.name_overlay.visible = True


def show_side_by_side(viewer: "napari.Viewer", layers: Sequence[Image]) -> None:
    """Show layers in a grid, all with the look of the first, so that brightness is comparable."""
    for layer in layers[1:]:
        for name in LOOK:
            setattr(layer, name, getattr(layers[0], name))
    link_layers(layers, LOOK)
    layers[0].name_overlay.visible = True
    viewer.canvas.grid.enabled = True
    viewer.fit_to_view()


def show_as_difference(layer: Image, colour: str) -> None:
    """Show a layer of differences in a colour, to which those of others add."""
    layer.colormap = colour
    layer.blending = "additive"
    layer.rendering = "mip"


def end_comparison(
    viewer: "napari.Viewer", shown: VolumeLayer, compared: Sequence[VolumeLayer]
) -> None:
    """Remove compared layers, and show the volume alone as before."""
    present = [each for each in compared if each.layer is not None]
    for each in present:
        each.remove()
    if shown.layer is not None:
        shown.layer.visible = True
        shown.layer.name_overlay.visible = False
        # The layer that was removed may have been the selected one.
        if viewer.layers.selection.active is None:
            viewer.layers.selection.active = shown.layer
    if present and viewer.canvas.grid.enabled:
        viewer.canvas.grid.enabled = False
        viewer.fit_to_view()
