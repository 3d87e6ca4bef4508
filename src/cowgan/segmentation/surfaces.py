"""Distances between the surfaces of two masks: Hausdorff distance and surface Dice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, find_objects
from scipy.spatial import cKDTree

MISSING_MM = 90.0
"""Hausdorff distance of a mask from an empty one, as in TopCoW."""

TOLERANCE_MM = 1.0
"""Distance up to which surfaces count as the same in the surface Dice."""

_NEIGHBOURHOOD = np.ones((3, 3, 3))


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """Distance from each surface voxel of a mask to the surface of another, both ways.

    Parameters
    ----------
    from_predicted, from_truth : ndarray of float
        In millimetres; empty for an empty mask, infinite if only the other one is empty.
    """

    from_predicted: NDArray[np.float64]
    from_truth: NDArray[np.float64]

    def hausdorff_mm(self, percentile: float = 100) -> float:
        """Return the larger of a percentile of both directions.

        It is 0 if both masks are empty and `MISSING_MM` if one is, as in TopCoW.
        """
        both_ways = (self.from_predicted, self.from_truth)
        if not all(map(len, both_ways)):
            return MISSING_MM if any(map(len, both_ways)) else 0.0
        return float(max(np.percentile(distances, percentile) for distances in both_ways))

    def surface_dice(self) -> float:
        """Return the share of surface voxels within `TOLERANCE_MM` of the other surface.

        As Nikolov et al. 2018, with voxels in place of surface elements; 0 if either is empty.
        """
        distances = np.concatenate([self.from_predicted, self.from_truth])
        return float(np.mean(distances <= TOLERANCE_MM)) if len(distances) else 0.0


def surface_distances(
    predicted: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
) -> SurfaceDistances:
    """Measure the distances between the surfaces of two masks.

    As in TopCoW, a voxel belongs to the surface if one of its 26 neighbours is outside the mask or
    the array. MONAI considers the 6 neighbours only, so its distances differ.

    Parameters
    ----------
    predicted, truth : ndarray of bool, shape (z, x, y)
        The two masks.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).
    """
    surfaces = [_surface_voxels(mask) * np.array(spacing_mm) for mask in (predicted, truth)]
    trees = [cKDTree(points) for points in surfaces]
    return SurfaceDistances(trees[1].query(surfaces[0])[0], trees[0].query(surfaces[1])[0])


def _surface_voxels(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the indices of the voxels at the surface of a mask, shape (n, 3)."""
    if not mask.any():
        return np.empty((0, 3), np.intp)
    (box,) = find_objects(mask.view(np.uint8))
    inside = mask[box]
    surface = inside & ~binary_erosion(inside, _NEIGHBOURHOOD)
    return np.argwhere(surface) + np.array([part.start for part in box])
