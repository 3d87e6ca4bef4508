"""Viewpoints and rendering modes for TOF MR angiography."""

from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import NDArray

from cowgan.volume import Plane
from cowgan.volume.orthographic import MARGIN, ZOOMS, Camera
from napari_cowgan.viewer.artery_colours import central_voxel

if TYPE_CHECKING:
    import napari
    from napari.components import ViewerModel
    from napari.components.camera import Camera as NapariCamera
    from napari.layers import Image, Labels

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


def camera_of(seen: "NapariCamera", viewer: "ViewerModel", layer: "Image") -> Camera:
    """Return the camera that sees a layer's volume as a 3D camera of napari does.

    Only the last three axes of the layer count. The size of the viewer's canvas gives the zoom
    its meaning.
    """
    forward, up = (np.array(d) for d in (seen.view_direction, seen.up_direction))
    left, front, head = _to_anatomical(np.array(seen.center) - _centre(layer)).tolist()
    shown_mm = np.min(viewer.canvas.size) / seen.zoom
    return Camera.from_axes(
        _to_anatomical(np.cross(forward, up)),
        _to_anatomical(up),
        float(np.clip(_longest_side_mm(layer) * MARGIN / shown_mm, *ZOOMS)),
        (left, front, head),
    )


def look_as(viewer: "ViewerModel", layer: "Image", camera: Camera) -> None:
    """Let the 3D view see a layer's volume as a camera does."""
    right, up = map(_to_world, camera.axes)
    seen = viewer.scene.camera
    seen.center = tuple(_centre(layer) + _to_world(np.array(camera.centre_mm)))
    shown_mm = _longest_side_mm(layer) * MARGIN / camera.zoom
    seen.zoom = np.min(viewer.canvas.size) / shown_mm
    seen.set_view_direction(tuple(np.cross(up, right)), tuple(up))


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


def _centre(layer: "Image") -> NDArray[np.float64]:
    return np.array(layer.data_to_world((np.array(layer.data.shape) - 1) / 2))[-3:]


def _longest_side_mm(layer: "Image") -> float:
    return float(np.max((np.array(layer.data.shape) * np.abs(layer.scale))[-3:]))


def _to_anatomical(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn (inferior, posterior, left) into (left, front, head)."""
    return np.array([vector[2], -vector[1], -vector[0]])


def _to_world(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn (left, front, head) into (inferior, posterior, left)."""
    return np.array([-vector[2], -vector[1], vector[0]])
