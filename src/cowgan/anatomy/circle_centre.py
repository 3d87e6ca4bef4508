"""Where the Circle of Willis is, seen from the centrelines of arteries."""

import numpy as np
from scipy.ndimage import gaussian_filter

from cowgan.skeleton import Skeleton

_BIN_MM = 2.0
_SCALE_MM = 18.0
_WIDE_MM = 1.2
# From the densest place, which the carotid arteries draw down and forwards, to the middle
# of the circle; measured on eight anatomies with a large field of view.
_TO_CENTRE_MM = (2.0, 0.0, -5.0)


def circle_centre_mm(skeleton: Skeleton, shape: tuple[int, ...]) -> tuple[float, float, float]:
    """Return where most artery is close together, which is the Circle of Willis.

    Parameters
    ----------
    skeleton : Skeleton
        Centrelines of arteries.
    shape : tuple of int
        Voxels of the volume along (z, x, y).

    Returns
    -------
    tuple of float
        The place along (z, x, y), in mm from the first voxel.
    """
    extent_mm = np.array(shape) * skeleton.spacing_mm
    # Else the carotid arteries, the widest, would draw it down.
    weights = np.minimum(skeleton.radius_mm, _WIDE_MM)
    bins = np.maximum(np.ceil(extent_mm / _BIN_MM).astype(int), 1)
    edges = [np.arange(n + 1) * _BIN_MM for n in bins]
    mass, _ = np.histogramdd(skeleton.points_mm, edges, weights=weights)
    mass = gaussian_filter(mass, _SCALE_MM / _BIN_MM, mode="constant", truncate=3)
    densest = (np.array(np.unravel_index(mass.argmax(), mass.shape)) + 0.5) * _BIN_MM
    z, x, y = densest + _TO_CENTRE_MM
    return float(z), float(x), float(y)
