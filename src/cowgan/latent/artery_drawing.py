"""Arteries drawn wider, narrower, new or not at all into a volume."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from cowgan.measure.artery_courses import ArteryCourse
from cowgan.measure.communicating_courses import CommunicatingCourse
from cowgan.measure.vessel_attributes import MeasuredVessels
from cowgan.volume import Volume

_REACH_MM = 2.0
"""How far beyond a vessel its surroundings give way."""
_STEP_MM = 0.2
_BOW = 0.15
"""Bow of a drawn artery to the side, as a share of its length."""


@dataclass(frozen=True, eq=False)
class ArteryDrawing:
    """A volume with a drawn artery.

    Attributes
    ----------
    volume : Volume
        With the artery as it is wanted.
    near : ndarray of bool, shape (z, x, y)
        Where it was drawn; the rest is as before.
    """

    volume: Volume
    near: NDArray[np.bool_]


def draw_width(
    volume: Volume, vessels: MeasuredVessels, course: ArteryCourse, diameter_mm: float
) -> ArteryDrawing:
    """Return a volume in which one artery has another diameter.

    What surrounds the centreline is stretched or squeezed across it. An artery between two others
    becomes wider wherever it is narrower than wanted.

    Parameters
    ----------
    volume : Volume
        The volume.
    vessels : MeasuredVessels
        All of its vessels: what is nearer to others stays.
    course : ArteryCourse
        The artery.
    diameter_mm : float
        Its diameter, positive.
    """
    points, radius = _pieces(vessels)
    wanted = radius.copy()
    if isinstance(course, CommunicatingCourse) and diameter_mm > course.diameter_mm:
        own = cKDTree(points).query(course.way.points_mm)[1]
        wanted[own] = np.maximum(radius[own], diameter_mm / 2)
    else:
        own = cKDTree(points).query(course.points_mm)[1]
        wanted[own] = radius[own] * diameter_mm / course.diameter_mm
    farthest = max(radius.max(), wanted.max()) + _REACH_MM
    voxels, distance, nearest = _around(volume, points, farthest)
    before, after = radius[nearest], wanted[nearest]
    end = np.maximum(before, after) + _REACH_MM
    changed = (before != after) & (distance < end)
    voxels, distance = voxels[changed], distance[changed]
    before, after, end = before[changed], after[changed], end[changed]
    inside, outside = distance * before / after, _outside(distance, before, after, end)
    source = np.where(distance < after, inside, outside)
    centre = points[nearest[changed]]
    away = (_positions(volume, voxels) - centre) / np.maximum(distance, 1e-6)[:, None]
    at = (centre + away * source[:, None]) / np.array(volume.spacing_mm)
    return _drawn(volume, voxels, map_coordinates(volume.data, at.T, order=3, mode="nearest"))


def draw_between(
    volume: Volume, vessels: MeasuredVessels, ends_mm: NDArray[np.float64], diameter_mm: float
) -> ArteryDrawing:
    """Return a volume with a new artery between two points, as bright as the others.

    Parameters
    ----------
    volume, vessels, diameter_mm
        As for `draw_width`.
    ends_mm : ndarray, shape (2, 3)
        Points along (z, x, y); the first voxel is at 0.
    """
    start, stop = ends_mm
    length = float(np.linalg.norm(stop - start))
    share = np.linspace(0, 1, max(2, round(length / _STEP_MM)))[:, None]
    middle_x = volume.shape[1] * volume.spacing_mm[1] / 2
    outwards = np.array([0.0, np.sign(start[1] - middle_x), 0.0])
    line = start + share * (stop - start)
    line = line + outwards * _BOW * length * np.sin(np.pi * share)
    voxels, distance, _ = _around(volume, line, diameter_mm / 2 + _REACH_MM)
    occupied = np.clip((diameter_mm / 2 - distance) / np.mean(volume.spacing_mm) + 0.5, 0, 1)
    tissue, bright = _levels(volume, vessels)
    now = volume.data.ravel()[voxels]
    return _drawn(volume, voxels, np.maximum(now, tissue + occupied * (bright - tissue)))


def draw_without(volume: Volume, vessels: MeasuredVessels, course: ArteryCourse) -> ArteryDrawing:
    """Return a volume in which tissue is where an artery was; parameters as for `draw_width`."""
    points, radius = _pieces(vessels)
    own = np.zeros(len(points), bool)
    own[cKDTree(points).query(course.points_mm)[1]] = True
    voxels, distance, nearest = _around(volume, points, radius.max() + _REACH_MM)
    near = own[nearest] & (distance < radius[nearest] + _REACH_MM)
    voxels = voxels[near]
    tissue, _ = _levels(volume, vessels)
    return _drawn(volume, voxels, np.minimum(volume.data.ravel()[voxels], tissue))


def _outside(
    distance: NDArray[np.float64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    end: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return where what lies beyond a moved wall comes from; at the end nothing has moved."""
    return before + (distance - after) * (end - before) / (end - after)


def _pieces(vessels: MeasuredVessels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    curves = [tube.curve_mm for tube in vessels.tubes]
    points = np.concatenate([(curve[1:] + curve[:-1]) / 2 for curve in curves])
    return points, np.concatenate([tube.radius_mm for tube in vessels.tubes])


def _around(
    volume: Volume, points_mm: NDArray[np.float64], reach_mm: float
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.intp]]:
    """Return the flat indices of the voxels near points, with the nearest point of each."""
    every = np.arange(volume.data.size)
    tree = cKDTree(points_mm)
    distance, nearest = tree.query(_positions(volume, every), distance_upper_bound=reach_mm)
    near = np.isfinite(distance)
    return every[near], distance[near], nearest[near]


def _positions(volume: Volume, voxels: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.stack(np.unravel_index(voxels, volume.shape), axis=1) * np.array(volume.spacing_mm)


def _levels(volume: Volume, vessels: MeasuredVessels) -> tuple[float, float]:
    """Return the median brightness of tissue, and of vessels."""
    return (
        float(np.median(volume.data[~vessels.mask])),
        float(np.median(volume.data[vessels.mask])),
    )


def _drawn(volume: Volume, voxels: NDArray[np.intp], values: NDArray[np.floating]) -> ArteryDrawing:
    data, near = volume.data.copy(), np.zeros(volume.shape, bool)
    data.ravel()[voxels] = np.clip(values, 0, 1)
    near.ravel()[voxels] = True
    return ArteryDrawing(Volume(data, volume.affine, volume.provenance), near)
