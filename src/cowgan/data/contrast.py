"""Whether a registered scan shows arteries bright, as TOF MRA does."""

import numpy as np
from numpy.typing import NDArray

LEAST_CONTRAST = 0.5
"""Scans whose arteries stand out less are set aside."""

_ARTERIES = 0.02
"""Share of the template's region that is brightest: where most people have arteries."""
_ROBUST_SD = 1.4826


def artery_contrast(
    part: NDArray[np.float32], inside: NDArray[np.bool_], template: NDArray[np.float32]
) -> float:
    """Return how far a scan stands out where the template's arteries are.

    Registration by mutual information fits images of any contrast, so it tells nothing
    about this.

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
        Mean there less the median elsewhere, in standard deviations of tissue (estimated by
        the median absolute deviation). 0 if the region shows too little.
    """
    arteries = inside & (template >= np.quantile(template, 1 - _ARTERIES))
    elsewhere = part[inside & ~arteries]
    if not arteries.any() or not elsewhere.size:
        return 0.0
    tissue = float(np.median(elsewhere))
    spread = _ROBUST_SD * float(np.median(np.abs(elsewhere - tissue)))
    return (float(part[arteries].mean()) - tissue) / spread if spread > 0 else 0.0
