"""The layers that show handles, their targets and the ways between them."""

from collections.abc import Sequence

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer, Points, Vectors

from cowgan.latent.dragging import Pull
from napari_cowgan.viewer.current_viewer import ignore_pointer
from napari_cowgan.viewer.display import display_index

HANDLES_NAME = "Handles and targets"
WAYS_NAME = "Pulls"
_HANDLE, _TARGET = "#ff5050", "#50e070"
_SIZE_MM = 2.0


class PullLayers:
    """A layer of points and one of arrows, present while there are pulls.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer that shows the volume.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._points: Points | None = None
        self._ways: Vectors | None = None

    def show(self, pulls: Sequence[Pull], volume: Image) -> None:
        """Show pulls over the layer of the volume."""
        if not pulls:
            self.remove()
            return
        n_left_right = volume.data.shape[2]

        def world(voxel: Sequence[float]) -> list[float]:
            return list(volume.data_to_world(display_index(voxel, n_left_right)))

        handles = np.array([world(pull.handle) for pull in pulls])
        targets = np.array([world(pull.target) for pull in pulls])
        places = np.concatenate([handles, targets])
        ways = np.stack([handles, targets - handles], 1)
        if self._points not in self._viewer.layers or self._ways not in self._viewer.layers:
            self.remove()
            self._add(places, ways)
        assert self._points is not None
        assert self._ways is not None
        self._ways.data = ways
        self._points.data = places
        self._points.face_color = [_HANDLE] * len(pulls) + [_TARGET] * len(pulls)
        self._points.selected_data = set()

    def remove(self) -> None:
        """Remove both layers."""
        for layer in (self._points, self._ways):
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    def _add(self, places: np.ndarray, ways: np.ndarray) -> None:
        selected: set[Layer] = set(self._viewer.layers.selection)
        ignore_pointer(self._viewer)
        look = {"units": "mm", "blending": "translucent_no_depth"}
        self._ways = Vectors(
            ways, name=WAYS_NAME, vector_style="arrow", edge_width=0.8, edge_color=_TARGET, **look
        )
        self._points = Points(places, name=HANDLES_NAME, size=_SIZE_MM, **look)
        for layer in (self._ways, self._points):
            self._viewer.add_layer(layer)
        # The user goes on working on the volume.
        self._viewer.layers.selection = selected
