"""Single arteries as parts of the centrelines of all vessels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from cowgan.measure.branches import Tube

_REACH_MM = 1.0
"""How far a centreline may be from the voxels of the artery that it belongs to."""


@dataclass(frozen=True, eq=False)
class ArteryCourse:
    """The centreline of one artery, in short pieces.

    Attributes
    ----------
    points_mm : ndarray, shape (n, 3)
        Their middles along (z, x, y), in no order; the first voxel is at 0. At least one.
    radius_mm, length_mm : ndarray, shape (n,)
        Radius of the vessel there, and length of the pieces.
    """

    points_mm: NDArray[np.float64]
    radius_mm: NDArray[np.float64]
    length_mm: NDArray[np.float64]

    @property
    def diameter_mm(self) -> float:
        """Twice the median radius, weighted by length."""
        order = np.argsort(self.radius_mm)
        covered = np.cumsum(self.length_mm[order])
        middle = np.searchsorted(covered, covered[-1] / 2)
        return 2 * float(self.radius_mm[order][middle])


def artery_courses(
    labels: NDArray[np.integer[Any]], tubes: Sequence[Tube], spacing_mm: tuple[float, float, float]
) -> dict[int, ArteryCourse]:
    """Return the courses of the arteries of a label map.

    Labels decide where an artery is, and the vessels how wide it is there: what a network labels of
    a vessel does not end at its wall.

    Parameters
    ----------
    labels : ndarray of int, shape (z, x, y)
        Label map.
    tubes : sequence of Tube
        All vessels of the volume, see `cowgan.measure.vessel_attributes.measure_vessels`.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).

    Returns
    -------
    dict of int to ArteryCourse
        By label, for those that lie on a vessel.
    """
    voxels = np.argwhere(labels)
    if not len(voxels) or not tubes:
        return {}
    curves = [tube.curve_mm for tube in tubes]
    points = np.concatenate([(curve[1:] + curve[:-1]) / 2 for curve in curves])
    radius = np.concatenate([tube.radius_mm for tube in tubes])
    length = np.concatenate([tube.length_mm for tube in tubes])
    tree = cKDTree(voxels * np.array(spacing_mm))
    distance, nearest = tree.query(points, distance_upper_bound=_REACH_MM)
    near = np.flatnonzero(np.isfinite(distance))
    label = labels[tuple(voxels[nearest[near]].T)]
    return {
        int(value): ArteryCourse(points[own], radius[own], length[own])
        for value in np.unique(label)
        for own in (near[label == value],)
    }
