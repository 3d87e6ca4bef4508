"""The layer in which the user paints what a drag should leave as it is."""

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels

from cowgan.checkpoint import Checkpoint
from cowgan.latent.drag_plan import VoxelRuns
from cowgan.volume import default_affine
from napari_cowgan.viewer.current_viewer import ignore_pointer
from napari_cowgan.viewer.display import display_order, labels_to_layer, network_order
from napari_cowgan.viewer.vessel_picking import Index

FIXED_NAME = "Stays as it is"
_COLOUR = "#50a0ff"
_BRUSH = 10
"""Voxels across the ball that a press paints."""


class FixedLayer:
    """A labels layer whose brush paints balls: on slices with napari's, in 3D on vessels.

    In 3D, napari's brush finds only what is painted already; there the ball is painted around the
    vessel that is seen under the pointer, and beside vessels the mouse moves the view as always.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer that shows the volume.
    vessel_under : callable
        Returns the index of the vessel under the pointer of a mouse event, if there is one.
    painted : callable
        Takes what was painted before a stroke, and after it; None where there was nothing.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        vessel_under: Callable[[Any], Index | None],
        painted: Callable[[VoxelRuns | None, VoxelRuns | None], None],
    ) -> None:
        self._viewer = viewer
        self._vessel_under = vessel_under
        self._painted = painted
        self._layer: Labels | None = None
        self._before: VoxelRuns | None = None
        self._painting = False

    @property
    def voxels(self) -> VoxelRuns | None:
        """What is painted; None if nothing is."""
        if self._layer is None or self._layer not in self._viewer.layers:
            return None
        painted = network_order(np.asarray(self._layer.data) != 0)
        return VoxelRuns.of(painted) if painted.any() else None

    def show(self, voxels: VoxelRuns | None, checkpoint: Checkpoint) -> None:
        """Show what is painted, in a layer that appears with the first of it."""
        if voxels != self.voxels:
            empty = np.zeros(checkpoint.config.volume_shape, np.bool_)
            mask = empty if voxels is None else voxels.mask()
            self._present(checkpoint).data = display_order(mask.astype(np.uint8))
        self._before = voxels

    def paint(self, on: bool, checkpoint: Checkpoint | None) -> None:
        """Let the mouse paint, or no longer."""
        callbacks = self._viewer.mouse_drag_callbacks
        if on and checkpoint is not None:
            layer = self._present(checkpoint)
            self._viewer.layers.selection.active = layer
            # Not before: the controls of a new layer set it to 2.
            layer.n_edit_dimensions = 3
            if not self._painting:
                callbacks.append(self._on_drag)
                self._viewer.dims.events.ndisplay.connect(self._set_mode)
        elif self._painting:
            callbacks.remove(self._on_drag)
            self._viewer.dims.events.ndisplay.disconnect(self._set_mode)
        self._painting = on and checkpoint is not None
        self._set_mode()

    def remove(self) -> None:
        """Remove the layer."""
        if self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer = self._before = None

    def _present(self, checkpoint: Checkpoint) -> Labels:
        if self._layer is None or self._layer not in self._viewer.layers:
            shape = checkpoint.config.volume_shape
            affine = default_affine(shape, checkpoint.spacing_mm)
            data, options, _ = labels_to_layer(
                np.zeros(shape, np.uint8), affine, FIXED_NAME, {"labels": "unnamed"}
            )
            selected = set(self._viewer.layers.selection)
            ignore_pointer(self._viewer)
            look = {"opacity": 0.5, "colormap": {None: _COLOUR, 0: "transparent"}}
            self._layer = Labels(data, **options | look)
            self._layer.brush_size = _BRUSH
            self._layer.events.paint.connect(self._on_paint)
            self._viewer.add_layer(self._layer)
            self._viewer.layers.selection = selected
        return self._layer

    def _set_mode(self) -> None:
        if self._layer in self._viewer.layers:
            on_slices = self._painting and self._viewer.dims.ndisplay == 2
            self._layer.mode = "paint" if on_slices else "pan_zoom"

    def _on_paint(self) -> None:
        before, self._before = self._before, self.voxels
        if self._before != before:
            self._painted(before, self._before)

    def _on_drag(self, _: ViewerModel, event: Any) -> Generator[None, None, None]:
        layer = self._layer
        if layer is None or self._viewer.layers.selection.active is not layer:
            return
        if len(event.dims_displayed) != 3 or event.button != 1 or event.modifiers:
            return
        index = self._vessel_under(event)
        if index is None:
            return
        event.handled = True
        with layer.block_history():
            layer.paint(index, layer.selected_label or 1)
            yield
            while event.type == "mouse_move":
                event.handled = True
                index = self._vessel_under(event)
                if index is not None:
                    layer.paint(index, layer.selected_label or 1)
                yield
        event.handled = True
