"""How sharply vessels end."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter

from cowgan.volume import Volume

_SCALE_MM = 0.43
"""Standard deviation of the Gaussian whose derivative is the slope."""


def wall_slope_per_mm(volume: Volume, mask: NDArray[np.bool_]) -> float:
    """Return the median slope of vessel walls, as a share of the contrast per millimetre.

    It does not depend on gain and offset.

    Parameters
    ----------
    volume : Volume
        Vessels are bright.
    mask : ndarray of bool, shape (z, x, y)
        Its vessels.

    Returns
    -------
    float
        0 without vessels.
    """
    if not mask.any() or mask.all():
        return 0.0
    wall = binary_dilation(mask) & ~mask
    sigma = [_SCALE_MM / size for size in volume.spacing_mm]
    squared = np.zeros(int(wall.sum()))
    for axis, size in enumerate(volume.spacing_mm):
        order = [int(axis == other) for other in range(3)]
        squared += (gaussian_filter(volume.data, sigma, order)[wall] / size) ** 2
    contrast = volume.data[mask].mean() - np.median(volume.data[~mask])
    return float(np.sqrt(np.median(squared)) / contrast)
