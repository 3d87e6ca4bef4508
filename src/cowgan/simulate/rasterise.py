"""Rasterisation of centrelines with radii."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from cowgan.anatomy.arteries import Artery
from cowgan.simulate.circle import Centreline

_SUBVOXELS = 3


def inside_view(
    points_mm: NDArray[np.float64], half_view_mm: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which points lie in a volume centred on the origin."""
    return np.asarray((np.abs(points_mm) <= half_view_mm).all(axis=1))


def depth_mm(lines: Sequence[Centreline], places_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the depth of points inside the tubes, the largest over all; negative outside."""
    deepest = np.full(len(places_mm), -np.inf)
    for line in lines:
        distance, nearest = cKDTree(line.points_mm).query(places_mm)
        np.maximum(deepest, line.radius_mm[nearest] - distance, out=deepest)
    return deepest


def rasterise(
    lines: Mapping[Artery, Sequence[Centreline]],
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the artery occupancy and label of each voxel.

    Parameters
    ----------
    lines : mapping of Artery to sequence of Centreline
        The arteries, in mm from the centre of the volume.
    shape : tuple of int
        Voxels along (z, x, y).
    spacing_mm : tuple of float
        Voxel size along (z, x, y).

    Returns
    -------
    occupancy : ndarray, float32
        0 to 1, sampled at 3 x 3 x 3 points per voxel.
    labels : ndarray, uint8
        Value of the artery with the largest depth where at least half of a voxel is artery, and
        along centrelines, so that arteries thinner than a voxel stay connected.
    """
    spacing = np.array(spacing_mm)
    occupancy = np.zeros(shape, np.float32)
    labels = np.zeros(shape, np.uint8)
    deepest = np.full(shape, -np.inf)
    half_voxel = np.linalg.norm(spacing) / 2
    offsets = (np.arange(_SUBVOXELS) + 0.5) / _SUBVOXELS - 0.5
    places = np.array(list(product(offsets, repeat=3))) * spacing
    origin = -(np.array(shape) - 1) / 2 * spacing
    for artery, parts in lines.items():
        voxels = _near(parts, origin, spacing, shape)
        centres = origin + voxels * spacing
        depth = depth_mm(parts, centres)
        share = (depth > 0).astype(np.float32)
        edge = np.abs(depth) < half_voxel
        around = (centres[edge, None] + places).reshape(-1, 3)
        share[edge] = (depth_mm(parts, around) > 0).reshape(-1, len(places)).mean(axis=1)
        at = tuple(voxels.T)
        occupancy[at] = np.maximum(occupancy[at], share)
        own = (depth > deepest[at]) & (share >= 0.5)
        own |= _on_centreline(parts, origin, spacing, voxels, shape) & (depth > deepest[at])
        owned = tuple(voxels[own].T)
        labels[owned] = artery
        deepest[owned] = depth[own]
    return occupancy, labels


def _near(
    parts: Sequence[Centreline],
    origin: NDArray[np.float64],
    spacing: NDArray[np.float64],
    shape: tuple[int, int, int],
) -> NDArray[np.intp]:
    """Return the voxels that any of the tubes may touch, shape (n, 3)."""
    touched = np.zeros(shape, bool)
    for part in parts:
        reach = np.ceil((part.radius_mm.max() + spacing) / spacing).astype(int)
        cube = np.array(list(product(*(range(-n, n + 1) for n in reach))))
        centres = np.unique(np.round((part.points_mm - origin) / spacing).astype(int), axis=0)
        voxels = (centres[:, None] + cube).reshape(-1, 3)
        voxels = voxels[((voxels >= 0) & (voxels < shape)).all(axis=1)]
        touched[tuple(voxels.T)] = True
    return np.argwhere(touched)


def _on_centreline(
    parts: Sequence[Centreline],
    origin: NDArray[np.float64],
    spacing: NDArray[np.float64],
    voxels: NDArray[np.intp],
    shape: tuple[int, int, int],
) -> NDArray[np.bool_]:
    crossed = np.zeros(shape, bool)
    for part in parts:
        line = np.round((part.points_mm - origin) / spacing).astype(int)
        line = line[((line >= 0) & (line < shape)).all(axis=1)]
        crossed[tuple(line.T)] = True
    return np.asarray(crossed[tuple(voxels.T)])
