"""Location of the Circle of Willis from artery centrelines."""

import numpy as np
from scipy.ndimage import gaussian_filter

from cowgan.skeleton import Skeleton

_BIN_MM = 2.0
_SCALE_MM = 18.0
_WIDE_MM = 1.2
# From the densest point, shifted down and forwards by the carotid arteries, to the centre of the
# circle; measured on eight anatomies with a large field of view.
_TO_CENTRE_MM = (2.0, 0.0, -5.0)


def circle_centre_mm(skeleton: Skeleton, shape: tuple[int, ...]) -> tuple[float, float, float]:
    """Return the centre of the Circle of Willis, where arteries are densest.

    Parameters
    ----------
    skeleton : Skeleton
        Centrelines of arteries.
    shape : tuple of int
        Voxels of the volume along (z, x, y).

    Returns
    -------
    tuple of float
        Position along (z, x, y), in mm from the first voxel.
    """
    extent_mm = np.array(shape) * skeleton.spacing_mm
    # Limits the influence of the wide carotid arteries.
    weights = np.minimum(skeleton.radius_mm, _WIDE_MM)
    bins = np.maximum(np.ceil(extent_mm / _BIN_MM).astype(int), 1)
    edges = [np.arange(n + 1) * _BIN_MM for n in bins]
    mass, _ = np.histogramdd(skeleton.points_mm, edges, weights=weights)
    mass = gaussian_filter(mass, _SCALE_MM / _BIN_MM, mode="constant", truncate=3)
    densest = (np.array(np.unravel_index(mass.argmax(), mass.shape)) + 0.5) * _BIN_MM
    z, x, y = densest + _TO_CENTRE_MM
    return float(z), float(x), float(y)
