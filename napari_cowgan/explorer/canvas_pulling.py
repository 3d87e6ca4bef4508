"""Pulling vessels with the mouse on the canvas."""

from collections.abc import Generator, Sequence
from typing import Any, Protocol

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image

from cowgan.errors import CowganError
from cowgan.latent.dragging import Pull
from cowgan.measure.arrays import Mask
from cowgan.measure.mask import vessel_mask
from cowgan.volume import Volume
from napari_cowgan.viewer.display import display_index, display_order, network_voxel
from napari_cowgan.viewer.vessel_picking import (
    Index,
    beside,
    nearest_vessel,
    vessel_on_ray,
    vessel_on_slice,
)

_ON_VESSEL_VOXELS = 3


class Pulling(Protocol):
    """What becomes of pulls made on the canvas."""

    def shown(self) -> tuple[Image, Volume] | None:
        """Return the layer and the volume that it shows; None if there is none to pull at."""

    def pulling(self, pull: Pull) -> None:
        """Take a pull that is being made."""

    def pulled(self, pull: Pull | None) -> None:
        """Take a pull that was made; None if there was no vessel to put a handle on."""


class CanvasPulling:
    """Makes pulls while the mouse is pressed on a vessel and moved.

    In slices, the handle is the brightest vessel voxel near the pointer, in 3D the one that is
    seen under it; the target follows the pointer parallel to the screen. Elsewhere than on
    vessels, the mouse moves the camera as always.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer that shows the volume.
    receiver : Pulling
        Takes the pulls.
    """

    def __init__(self, viewer: ViewerModel, receiver: Pulling) -> None:
        self._viewer = viewer
        self._receiver = receiver
        self._vessels: tuple[Volume, Mask] | None = None

    def enable(self, on: bool) -> None:
        """Let the mouse make pulls, or no longer."""
        callbacks = self._viewer.mouse_drag_callbacks
        if on and self._on_drag not in callbacks:
            callbacks.append(self._on_drag)
        elif not on and self._on_drag in callbacks:
            callbacks.remove(self._on_drag)

    def handle_at_centre(self) -> Pull | None:
        """Return a pull of no length at the vessel nearest to the middle of the view."""
        shown = self._receiver.shown()
        if shown is None:
            return None
        layer, volume = shown
        middle = np.array(self._viewer.dims.point, float)
        displayed = list(self._viewer.dims.displayed)
        middle[displayed] = self._viewer.scene.camera.center[-len(displayed) :]
        index = nearest_vessel(self._vessels_of(volume), layer.world_to_data(middle))
        return None if index is None else _pull(index, index, volume)

    def off_vessels(self, pulls: Sequence[Pull], volume: Volume) -> int | None:
        """Return the place of the first pull whose handle is on no vessel; None if all are."""
        vessels = np.argwhere(self._vessels_of(volume))
        for place, pull in enumerate(pulls):
            away = vessels - np.array(display_index(pull.handle, volume.shape[1]))
            if not len(away) or np.linalg.norm(away, axis=1).min() > _ON_VESSEL_VOXELS:
                return place
        return None

    def vessel_under(self, event: Any) -> Index | None:
        """Return the index of the vessel under the pointer of a mouse event of napari."""
        shown = self._receiver.shown()
        return None if shown is None else self._under(event, *shown)

    def _on_drag(self, _: ViewerModel, event: Any) -> Generator[None, None, None]:
        shown = self._receiver.shown()
        if shown is None or event.button != 1 or event.modifiers:
            return
        layer, volume = shown
        index = self._under(event, layer, volume)
        if index is None:
            self._receiver.pulled(None)
            return
        normal = event.view_direction
        pull = _pull(index, index, volume)
        event.handled = True
        self._receiver.pulling(pull)
        yield
        while event.type == "mouse_move":
            event.handled = True
            pull = _pull(index, _follow(event, layer, index, normal), volume)
            self._receiver.pulling(pull)
            yield
        event.handled = True
        self._receiver.pulled(pull)

    def _under(self, event: Any, layer: Image, volume: Volume) -> Index | None:
        vessels = self._vessels_of(volume)
        if len(event.dims_displayed) == 2:
            (sliced,) = {0, 1, 2} - {
                axis - (self._viewer.dims.ndim - 3) for axis in event.dims_displayed
            }
            return vessel_on_slice(layer.data, vessels, layer.world_to_data(event.position), sliced)
        near, far = layer.get_ray_intersections(
            event.position, event.view_direction, list(event.dims_displayed)
        )
        return vessel_on_ray(layer.data, vessels, near, far, layer.rendering == "iso")

    def _vessels_of(self, volume: Volume) -> Mask:
        if self._vessels is None or self._vessels[0] is not volume:
            try:
                vessels = vessel_mask(volume)
            except CowganError:  # all voxels have the same intensity
                vessels = np.zeros(volume.shape, dtype=bool)
            self._vessels = volume, display_order(vessels)
        return self._vessels[1]


def _follow(event: Any, layer: Image, index: Index, normal: Any) -> np.ndarray:
    if len(event.dims_displayed) == 2:
        return np.asarray(layer.world_to_data(event.position))
    return beside(layer, index, event, normal)


def _pull(handle: Any, target: Any, volume: Volume) -> Pull:
    """Return a pull between two indices of the layer, the target kept within the volume."""
    last = np.array(volume.shape, float) - 1
    n_left_right = volume.shape[1]
    voxels = [network_voxel(index, n_left_right) for index in (handle, target)]
    z, x, y = np.clip(voxels[1], 0, last).tolist()
    return Pull(voxels[0], (z, x, y))
