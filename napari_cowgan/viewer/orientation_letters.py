"""Orientation letters at the edges of the canvas, and a 3D view that is never mirrored."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from napari.components.overlays import TextOverlay
from napari.layers import Image, Labels, Layer
from numpy.typing import ArrayLike, NDArray

from napari_cowgan.viewer.current_viewer import window_is_gone

if TYPE_CHECKING:
    from napari.components import ViewerModel

_EDGES = {
    "left": "middle_left",
    "right": "middle_right",
    "top": "top_center",
    "bottom": "bottom_center",
}
_KEY = "cowgan_{}_letter"
# Ends of the world axes of layers that `napari_cowgan.viewer.display` makes.
_POSITIVE, _NEGATIVE = "IPL", "SAR"
_LEAST_SHARE = np.sin(np.deg2rad(20))
_FONT_SIZE = 14
_CHANGES = ("inserted", "removed", "visible", "affine", "scale", "rotate", "shear", "metadata")


def letters_along(direction: ArrayLike) -> str:
    """Return the letters of the patient's sides in a direction, nearest first.

    Parameters
    ----------
    direction : array-like, shape (3,)
        In the world frame of the plugin's layers: inferior, posterior, left.

    Returns
    -------
    str
        Up to three of the letters R, L, A, P, S and I, without axes to which the direction is
        perpendicular within 20 degrees.
    """
    vector = np.asarray(direction, np.float64)
    shares = vector / np.linalg.norm(vector)
    return "".join(
        (_POSITIVE if shares[axis] > 0 else _NEGATIVE)[axis]
        for axis in np.argsort(-np.abs(shares), kind="stable")
        if abs(shares[axis]) >= _LEAST_SHARE
    )


def show_orientation(viewer: "ViewerModel") -> None:
    """Show orientation letters on a viewer's canvas, and keep its 3D view from being mirrored.

    The letters follow the camera and the displayed axes. There are none while an image without
    anatomical axes is visible. If the file of a visible image stored no orientation, each letter
    is followed by a question mark.
    """
    overlays = viewer.canvas.overlays
    if _KEY.format("left") in overlays:
        return
    for edge, position in _EDGES.items():
        overlays[_KEY.format(edge)] = TextOverlay(
            position=position, font_size=_FONT_SIZE, gridded=True
        )

    def refresh() -> None:
        if window_is_gone(viewer):
            return
        for edge, letters in edge_letters(viewer).items():
            overlay = overlays[_KEY.format(edge)]
            overlay.text = letters
            overlay.visible = bool(letters)

    def on_ndisplay() -> None:
        # napari keeps the axis order of the slices, and an odd permutation mirrors the patient.
        if viewer.dims.ndisplay == 3:
            viewer.dims.order = tuple(range(viewer.dims.ndim))
        refresh()

    def on_layers(event: object) -> None:
        if getattr(event, "type", None) in _CHANGES:
            refresh()

    viewer.layers.events.connect(on_layers)
    for changed in (
        viewer.scene.camera.events.angles,
        viewer.scene.camera.events.orientation,
        viewer.dims.events.order,
        viewer.dims.events.ndim,
    ):
        changed.connect(lambda _: refresh())
    viewer.dims.events.ndisplay.connect(lambda _: on_ndisplay())
    refresh()


def edge_letters(viewer: "ViewerModel") -> dict[str, str]:
    """Return the letters at the left, right, top and bottom of the canvas, "" where unknown."""
    volumes = [
        layer for layer in viewer.layers if layer.visible and isinstance(layer, Image | Labels)
    ]
    if not volumes or not all(map(_has_anatomical_axes, volumes)):
        return dict.fromkeys(_EDGES, "")
    doubt = "?" * any(map(_orientation_was_assumed, volumes))
    right, up = _screen_axes(viewer)
    return {
        "left": letters_along(-right) + doubt,
        "right": letters_along(right) + doubt,
        "top": letters_along(up) + doubt,
        "bottom": letters_along(-up) + doubt,
    }


def _screen_axes(viewer: "ViewerModel") -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the directions of right and up on the screen, in the world frame."""
    camera, dims = viewer.scene.camera, viewer.dims
    if dims.ndisplay == 2:
        vertical, horizontal = camera.orientation2d
        row, column = dims.displayed
        right = _unit(column, dims.ndim) * (1 if horizontal == "right" else -1)
        up = _unit(row, dims.ndim) * (-1 if vertical == "down" else 1)
        return right, up
    up = np.array(camera.up_direction)
    right = np.cross(camera.view_direction, up)
    if camera.handedness == "left":
        right = -right
    return _to_world(right, dims.displayed, dims.ndim), _to_world(up, dims.displayed, dims.ndim)


def _unit(axis: int, ndim: int) -> NDArray[np.float64]:
    return np.eye(3)[axis - (ndim - 3)]


def _to_world(
    vector: NDArray[np.float64], displayed: Sequence[int], ndim: int
) -> NDArray[np.float64]:
    return sum(
        (share * _unit(axis, ndim) for share, axis in zip(vector, displayed, strict=True)),
        np.zeros(3),
    )


def _has_anatomical_axes(layer: Layer) -> bool:
    """Return whether a layer's axes run as those of `display.volume_to_layer`."""
    if layer.ndim != 3:
        return False
    origin = np.array(layer.data_to_world((0, 0, 0)))
    steps = np.array([layer.data_to_world(axis) for axis in np.eye(3)]) - origin
    sizes = -np.diag(steps)
    return bool((sizes > 0).all() and np.allclose(steps, -np.diag(sizes), atol=1e-6))


def _orientation_was_assumed(layer: Layer) -> bool:
    provenance = (layer.metadata.get("cowgan") or {}).get("provenance") or {}
    sources = provenance.get("sources") or []
    return any(
        isinstance(source, dict) and source.get("orientation_from") == "assumed"
        for source in sources
    )
