"""Blood flow along an artery tree: travel times and bends."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from cowgan.skeleton import Skeleton

REFERENCE_RADIUS_MM = 1.5
_INFLOW_DEPTH_MM = 3.0
_INFLOW_RADIUS = 0.5
_SLOWEST_MM_S = 40.0
_BEND_ARM_MM = 4.0


@dataclass(frozen=True, eq=False)
class Flow:
    """Blood flow along a skeleton; one entry per skeleton voxel.

    Parameters
    ----------
    arrival_ms : ndarray, shape (n,)
        Travel time from the nearest inflow end.
    upstream : ndarray, shape (n,), int
        Upstream voxel; negative at an inflow end.
    speed_mm_s : ndarray, shape (n,)
        Mean velocity over the cross-section.
    bend : ndarray, shape (n,)
        Sharpness of bends of wide arteries: 0 straight, about 1 in the carotid siphon.
    """

    arrival_ms: NDArray[np.float64]
    upstream: NDArray[np.int32]
    speed_mm_s: NDArray[np.float64]
    bend: NDArray[np.float64]


def trace_flow(skeleton: Skeleton, velocity_mm_s: float, exponent: float) -> Flow:
    """Follow blood from the inflow ends of a tree along the fastest paths.

    Inflow ends are wide arteries in the lowest few millimetres. Disconnected pieces of an
    imperfect vessel map are fed from the nearest supplied piece.

    Parameters
    ----------
    skeleton : Skeleton
        Centrelines with at least one voxel.
    velocity_mm_s : float
        Mean velocity in an artery of `REFERENCE_RADIUS_MM`.
    exponent : float
        Exponent of the dependence of velocity on radius.
    """
    radius = _smooth_along(skeleton.links_mm, skeleton.radius_mm)
    speed = velocity_mm_s * (radius / REFERENCE_RADIUS_MM) ** exponent
    speed = np.maximum(speed, _SLOWEST_MM_S)
    sources = _inflow_ends(skeleton, radius)
    links = _joined(skeleton, sources).tocoo()
    duration = 1e3 * links.data * (1 / speed[links.row] + 1 / speed[links.col]) / 2
    times = csr_array((duration, (links.row, links.col)), shape=links.shape)
    arrival, upstream, _ = dijkstra(
        times, directed=False, indices=sources, return_predecessors=True, min_only=True
    )
    return Flow(arrival, upstream, speed, _bends(skeleton.points_mm, radius, upstream))


def path_back(
    points_mm: NDArray[np.float64], upstream: NDArray[np.int32], arm_mm: float
) -> NDArray[np.intp]:
    """Return, for each voxel, the voxel about `arm_mm` upstream."""
    place = np.arange(len(upstream))
    travelled = np.zeros(len(upstream))
    while True:
        before = upstream[place].astype(np.intp)
        moving = (before >= 0) & (travelled < arm_mm)
        if not moving.any():
            return place
        before = np.where(moving, before, place)
        step = np.linalg.norm(points_mm[place] - points_mm[before], axis=1)
        travelled += step
        place = before


def _inflow_ends(skeleton: Skeleton, radius: NDArray[np.float64]) -> NDArray[np.intp]:
    height = skeleton.points_mm[:, 0]
    low = height <= height.min() + _INFLOW_DEPTH_MM
    wide = radius >= _INFLOW_RADIUS * np.percentile(radius, 95)
    return np.flatnonzero(low & wide) if (low & wide).any() else np.flatnonzero(low)


def _joined(skeleton: Skeleton, sources: NDArray[np.intp]) -> csr_array:
    """Return the links, with one more for each piece that no inflow end reaches."""
    points = skeleton.points_mm
    piece = skeleton.component.copy()
    fed = np.isin(piece, piece[sources])
    starts, ends, gaps = [], [], []
    while not fed.all():
        gap, nearest = cKDTree(points[fed]).query(points[~fed])
        closest = gap.argmin()
        start = np.flatnonzero(fed)[nearest[closest]]
        end = np.flatnonzero(~fed)[closest]
        starts.append(start)
        ends.append(end)
        gaps.append(gap[closest])
        fed |= piece == piece[end]
    more = csr_array((gaps, (starts, ends)), shape=skeleton.links_mm.shape)
    return csr_array(skeleton.links_mm + more + more.T)


def _smooth_along(links_mm: csr_array, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values after a few rounds of averaging with linked voxels."""
    neighbours = (links_mm > 0).astype(float)
    count = 1 + neighbours.sum(axis=1)
    for _ in range(4):
        values = (values + neighbours @ values) / count
    return values


def _bends(
    points_mm: NDArray[np.float64], radius: NDArray[np.float64], upstream: NDArray[np.int32]
) -> NDArray[np.float64]:
    middle = path_back(points_mm, upstream, _BEND_ARM_MM)
    start = middle[middle]
    into, out = points_mm[middle] - points_mm[start], points_mm - points_mm[middle]
    lengths = np.linalg.norm(into, axis=1) * np.linalg.norm(out, axis=1)
    cosine = np.where(lengths > 0, (into * out).sum(axis=1) / np.maximum(lengths, 1e-9), 1.0)
    turn = np.arccos(np.clip(cosine, -1, 1)) / (np.pi / 2)
    wide = np.clip((radius - 1.2) / 0.6, 0, 1)
    bend = np.zeros(len(points_mm))
    np.maximum.at(bend, middle, np.clip(turn, 0, 1) * wide)
    return bend
