"""Viewpoints and rendering modes for TOF MR angiography."""

from typing import TYPE_CHECKING, get_args

import numpy as np

from cowgan.volume import Plane
from napari_cowgan.viewer.artery_colours import central_voxel

if TYPE_CHECKING:
    import napari
    from napari.components import ViewerModel
    from napari.layers import Labels

VIEWS: tuple[Plane, ...] = get_args(Plane)

# View direction and up direction in the world frame of the layers (inferior, posterior,
# left). They match `cowgan.volume.mip`.
_VIEWS: dict[Plane, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "axial": ((-1, 0, 0), (0, -1, 0)),
    "coronal": ((0, 1, 0), (-1, 0, 0)),
    "sagittal": ((0, 0, -1), (-1, 0, 0)),
}

# The sliced axis, then those of the rows and columns of the screen.
_SLICES: dict[Plane, tuple[int, int, int]] = {
    "axial": (0, 1, 2),
    "coronal": (1, 0, 2),
    "sagittal": (2, 0, 1),
}

SLICES = "Slices"
RENDERINGS = {"MIP": "mip", "Attenuated MIP": "attenuated_mip", "Isosurface": "iso"}
"""Displayed names and napari's names."""

ISO_THRESHOLD = 0.4
ATTENUATION = 0.02


def look_from(viewer: "napari.Viewer", view: Plane) -> None:
    """Show the volume in 3D along an anatomical axis, fitted to the canvas."""
    viewer.dims.order = tuple(range(viewer.dims.ndim))
    viewer.dims.ndisplay = 3
    viewer.fit_to_view()
    direction, up = _VIEWS[view]
    viewer.scene.camera.set_view_direction(direction, up)


def show_slices(viewer: "ViewerModel", view: Plane) -> None:
    """Show slices perpendicular to an anatomical axis, fitted to the canvas."""
    first = viewer.dims.ndim - 3
    viewer.dims.ndisplay = 2
    viewer.dims.order = (*range(first), *(first + axis for axis in _SLICES[view]))
    viewer.fit_to_view()


def look_at_label(viewer: "ViewerModel", layer: "Labels", value: int) -> None:
    """Centre the view on a label; do nothing if the layer lacks it."""
    middle = central_voxel(np.asarray(layer.data), value)
    if middle is None:
        return
    dims = viewer.dims
    first = dims.ndim - layer.ndim
    position = layer.data_to_world(middle)
    dims.set_point(range(first, dims.ndim), position)
    shown = [position[axis - first] for axis in dims.displayed if axis >= first]
    viewer.scene.camera.center = tuple(shown)


def show_scale_bar(viewer: "napari.Viewer") -> None:
    """Show a scale bar; its unit, mm, comes from the layers."""
    viewer.canvas.overlays.scale_bar.visible = True
