"""The vessel under the pointer, in slices and in 3D.

Images and vessel masks are as a layer shows them, and so are indices, (z, y, x).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.layers import Image
from numpy.typing import ArrayLike, NDArray

from cowgan.measure.arrays import Mask

Index = tuple[int, int, int]

_REACH = 4
"""Voxels between a pointer and a vessel that is meant."""
_STEP = 0.5


def vessel_on_slice(
    image: NDArray[np.float32], vessels: Mask, index: ArrayLike, sliced: int
) -> Index | None:
    """Return the brightest vessel voxel near an index, on its slice across an axis.

    None if there is no vessel nearby.
    """
    centre = np.round(np.asarray(index)).astype(int)
    reach = np.full(3, _REACH)
    reach[sliced] = 0
    low = np.clip(centre - reach, 0, image.shape)
    high = np.clip(centre + reach + 1, 0, image.shape)
    near = np.argwhere(vessels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]) + low
    near = near[np.linalg.norm(near - centre, axis=1) <= _REACH]
    return _brightest(image, near)


def vessel_on_ray(
    image: NDArray[np.float32],
    vessels: Mask,
    near: ArrayLike | None,
    far: ArrayLike | None,
    surface: bool,
) -> Index | None:
    """Return the vessel voxel that is seen along a ray through the volume.

    Parameters
    ----------
    image, vessels
        See the module.
    near, far : array-like or None
        Where the ray enters and leaves the volume, as napari's `get_ray_intersections` returns.
    surface : bool
        Whether surfaces are shown, of which the nearest is seen; in a projection it is the
        brightest voxel.

    Returns
    -------
    tuple of int or None
        None if the ray meets no vessel.
    """
    if near is None or far is None:
        return None
    start, end = np.asarray(near, float), np.asarray(far, float)
    count = max(2, int(np.linalg.norm(end - start) / _STEP))
    voxels = np.round(np.linspace(start, end, count)).astype(int)
    voxels = voxels.clip(0, np.array(image.shape) - 1)
    met = voxels[vessels[tuple(voxels.T)]]
    return _brightest(image, met[:1] if surface else met)


def nearest_vessel(vessels: Mask, index: ArrayLike) -> Index | None:
    """Return the vessel voxel nearest to an index; None if there is no vessel."""
    voxels = np.argwhere(vessels)
    if not len(voxels):
        return None
    return _index(voxels[np.linalg.norm(voxels - np.asarray(index), axis=1).argmin()])


def beside(layer: Image, index: Sequence[float], event: Any, normal: ArrayLike) -> NDArray[Any]:
    """Return the index under the pointer in the plane through an index that faces the viewer.

    Parameters
    ----------
    layer : Image
        The layer of the index.
    index : sequence of float
        A place in the layer.
    event : mouse event of napari
        Where the pointer is, in 3D.
    normal : array-like
        Normal of the plane, in world coordinates.
    """
    place = np.asarray(layer.data_to_world(index))
    eye, ray = np.asarray(event.position)[-3:], np.asarray(event.view_direction)[-3:]
    normal = np.asarray(normal)[-3:]
    met = eye + ray * ((place - eye) @ normal) / (ray @ normal)
    return np.asarray(layer.world_to_data(met))


def _brightest(image: NDArray[np.float32], voxels: NDArray[np.intp]) -> Index | None:
    return _index(voxels[image[tuple(voxels.T)].argmax()]) if len(voxels) else None


def _index(voxel: NDArray[np.intp]) -> Index:
    z, y, x = voxel.tolist()
    return z, y, x
