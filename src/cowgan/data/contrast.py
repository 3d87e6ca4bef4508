"""Artery contrast of a registered scan, which distinguishes TOF MRA from other images."""

import numpy as np
from numpy.typing import NDArray

LEAST_CONTRAST = 0.5
"""Scans with a lower contrast are rejected."""

_ARTERIES = 0.02
"""Share of the brightest voxels in the template's region, taken as arteries."""
_ROBUST_SD = 1.4826


def artery_contrast(
    part: NDArray[np.float32], inside: NDArray[np.bool_], template: NDArray[np.float32]
) -> float:
    """Return the contrast of a scan at the arteries of the template.

    Registration by mutual information aligns images of any contrast, so it does not test this.

    Parameters
    ----------
    part : ndarray, shape (z, x, y)
        The scan in the region of interest, on the template.
    inside : ndarray, shape (z, x, y), bool
        Where the scan has voxels.
    template : ndarray, shape (z, x, y)
        The template there.

    Returns
    -------
    float
        Mean at arteries minus the median elsewhere, in robust standard deviations of tissue
        (from the median absolute deviation). 0 if the region has too few voxels.
    """
    arteries = inside & (template >= np.quantile(template, 1 - _ARTERIES))
    elsewhere = part[inside & ~arteries]
    if not arteries.any() or not elsewhere.size:
        return 0.0
    tissue = float(np.median(elsewhere))
    spread = _ROBUST_SD * float(np.median(np.abs(elsewhere - tissue)))
    return (float(part[arteries].mean()) - tissue) / spread if spread > 0 else 0.0
