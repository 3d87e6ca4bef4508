"""Processing of every volume before a reader sees it, the same for either class."""

import numpy as np
from numpy.typing import NDArray

from cowgan.errors import CowganError

SPACING_TOLERANCE = 0.01
"""Relative difference up to which voxel sizes count as the same."""


def scale(
    data: NDArray[np.float32],
    crop: tuple[int, int, int],
    percentiles: tuple[float, float],
    grey_levels: int,
) -> NDArray[np.float64]:
    """Crop a volume and scale its intensities between black and white.

    It does not know where the voxels come from. Nothing is interpolated: as soon as
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
    ndarray of float64, shape (z, x, y)
        From 0 to ``grey_levels - 1``, not rounded.

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
    scaled: NDArray[np.float64] = np.clip((kept - low) / (high - low), 0.0, 1.0)
    return scaled * (grey_levels - 1)


def rounded(grey: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Return grey levels as whole numbers, little-endian and in C order."""
    return np.ascontiguousarray(np.rint(grey).astype("<u2"))


def dithered(
    grey: NDArray[np.float64], grey_levels: int, random: np.random.RandomState
) -> NDArray[np.uint16]:
    """Return grey levels as whole numbers after adding noise that cannot be seen.

    The noise is triangular and reaches one level to each side (TPDF dither; Lipshitz,
    Wannamaker and Vanderkooy, J Audio Eng Soc 1992), whatever the volume is. It makes the
    voxels, and every hash of them, other than those that anybody else computes from the same
    volume.

    Parameters
    ----------
    grey : ndarray of float64
        What `scale` returns.
    grey_levels : int
        Steps from black to white.
    random : RandomState
        Secret, and of this volume alone.
    """
    noise = random.random_sample(grey.shape) - random.random_sample(grey.shape)
    return rounded(np.clip(grey + noise, 0, grey_levels - 1))
