"""Vessels as tubes: smooth centrelines with radii from the surrounding volume.

The radius is that of a round tube of equal volume. The distance to the nearest voxel outside would
underestimate it by up to a third of a voxel and barely resolve sizes below two voxels; a voxel
count is unbiased at any size and orientation.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from cowgan.measure.centreline import Branch, arc_length, prune, smooth, trace
from cowgan.skeleton import skeletonize_mask

_WINDOW_VOXELS = 2.0
"""Standard deviation of the window, along the vessel, over which volume is averaged."""

_TIP_RADII, _TIP_VOXELS = 3.0, 8.0
"""Longest tip: one radius is cut off, one was lost to thinning, and thin tips lose more."""
_LEAST_VOXELS = 3.0
"""Over a shorter length, or one below the radius, volume does not determine the radius."""


@dataclass(frozen=True, eq=False)
class Tube:
    """A vessel between two nodes, divided into short pieces.

    Parameters
    ----------
    nodes : tuple of int
        Numbers of its first and last node; equal for a closed loop. Tubes that meet share one.
    node_radius_mm : tuple of float
        Distance from its first and last node to the wall.
    curve_mm : ndarray, shape (n + 1, 3)
        Ends of the pieces from its first node to its last, along (z, x, y).
    length_mm : ndarray, shape (n,)
        Length of each piece. At a free end it includes the tip beyond the curve.
    radius_mm : ndarray, shape (n,)
        Radius of each piece.
    """

    nodes: tuple[int, int]
    node_radius_mm: tuple[float, float]
    curve_mm: NDArray[np.float64]
    length_mm: NDArray[np.float64]
    radius_mm: NDArray[np.float64]


def find_tubes(mask: NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> list[Tube]:
    """Return the vessels of a mask.

    Every voxel is assigned to the nearest piece of centreline. At a free end, the length of the
    tip follows from the volume beyond the last piece, since thinning stops about a radius early.

    Parameters
    ----------
    mask : ndarray of bool, shape (z, x, y)
        Vessel voxels.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).

    Returns
    -------
    list of Tube
        One per branch of the pruned skeleton.
    """
    voxel_mm = float(np.mean(spacing_mm))
    branches = prune(trace(skeletonize_mask(mask, spacing_mm)))
    if not branches:
        return []
    curves = [_cut_tips(smooth(branch, voxel_mm), branch) for branch in branches]
    middles = [(curve[1:] + curve[:-1]) / 2 for curve in curves]
    voxels_mm = np.argwhere(mask) * np.array(spacing_mm)
    nearest = cKDTree(np.concatenate(middles)).query(voxels_mm)[1]
    n_pieces = [len(middle) for middle in middles]
    volume = np.bincount(nearest, minlength=sum(n_pieces)) * float(np.prod(spacing_mm))
    volumes = np.split(volume, np.cumsum(n_pieces)[:-1])
    return [
        _tube(branch, curve, volume, voxel_mm)
        for branch, curve, volume in zip(branches, curves, volumes, strict=True)
    ]


def _cut_tips(curve: NDArray[np.float64], branch: Branch) -> NDArray[np.float64]:
    """Drop the last radius before a free end, where the centreline may veer off the axis."""
    way = arc_length(curve)
    spare = max(0.0, way[-1] - 2 * max(branch.radius_mm))
    cut = [
        min(radius, spare / 2) if free else 0.0
        for radius, free in zip(branch.radius_mm, branch.free, strict=True)
    ]
    kept = curve[(way >= cut[0]) & (way <= way[-1] - cut[1])]
    return kept if len(kept) > 1 else curve


def _tube(
    branch: Branch,
    curve: NDArray[np.float64],
    volume: NDArray[np.float64],
    voxel_mm: float,
) -> Tube:
    length = np.diff(arc_length(curve))
    radius = _radius(branch, length, volume, voxel_mm)
    for end, free, tip in zip((0, -1), branch.free, branch.radius_mm, strict=True):
        if free:
            longest = _TIP_RADII * tip + _TIP_VOXELS * voxel_mm
            area = np.pi * radius[end] ** 2
            length[end] = volume[end] / area if volume[end] < area * longest else longest
    return Tube(branch.nodes, branch.radius_mm, curve, length, radius)


def _radius(
    branch: Branch, length: NDArray[np.float64], volume: NDArray[np.float64], voxel_mm: float
) -> NDArray[np.float64]:
    """Return the radius of each piece, from pieces away from junctions and free ends."""
    way = np.cumsum(length) - length / 2
    inner = np.ones(len(length), dtype=bool)
    inner[[0, -1]] = [not free for free in branch.free]
    own = inner.copy()
    if not branch.closed:
        for free, radius, distance in zip(
            branch.free, branch.radius_mm, (way, length.sum() - way), strict=True
        ):
            own &= free | (distance > radius)
    used = own if own.any() else inner
    if length[used].sum() < max(_LEAST_VOXELS * voxel_mm, *branch.radius_mm):
        return np.full(len(length), np.mean(branch.radius_mm))
    sigma = _WINDOW_VOXELS * voxel_mm / length[used].mean()
    mode = "wrap" if branch.closed else "constant"
    averaged = [
        gaussian_filter1d(np.where(used, x, 0.0), sigma, mode=mode) for x in (volume, length)
    ]
    known = averaged[1] > 1e-3 * length[used].mean()
    radius = np.sqrt(averaged[0][known] / (np.pi * averaged[1][known]))
    return np.interp(way, way[known], radius)
