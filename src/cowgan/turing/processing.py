"""What happens to every volume before a reader sees it, whatever it is."""

import numpy as np
from numpy.typing import NDArray

from cowgan.errors import CowganError

SPACING_TOLERANCE = 0.01
"""Relative difference up to which voxel sizes count as the same."""


def process(
    data: NDArray[np.float32],
    crop: tuple[int, int, int],
    percentiles: tuple[float, float],
    grey_levels: int,
) -> NDArray[np.uint16]:
    """Crop a volume and scale its intensities to grey levels.

    It is told nothing of where the voxels come from. Nothing is interpolated: as soon as
    the volumes of one class were, their noise would give them away.

    Parameters
    ----------
    data : ndarray, shape (z, x, y)
        Intensities in any unit.
    crop : tuple of int
        Voxels that are cut off at both ends of each axis.
    percentiles : tuple of float
        What becomes black and white.
    grey_levels : int
        Steps from black to white.

    Returns
    -------
    ndarray of uint16, little-endian, C order
        From 0 to ``grey_levels - 1``.

    Raises
    ------
    CowganError
        Nothing is left after cropping, or nearly all voxels have the same value.
    """
    kept = data[tuple(slice(n, size - n) for n, size in zip(crop, data.shape, strict=True))]
    if kept.size == 0:
        raise CowganError("Nothing is left of the volume after cropping.")
    low, high = np.percentile(kept, percentiles)
    if not high > low:
        raise CowganError("The volume has the same value in nearly every voxel.")
    grey = np.rint(np.clip((kept - low) / (high - low), 0, 1) * (grey_levels - 1))
    return np.ascontiguousarray(grey.astype("<u2"))
