"""Hessian tube filters."""

# scikit-image is only partly typed.
# mypy: allow-untyped-calls

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom

_SCALES_MM = (0.6, 1.0, 1.6)
"""Standard deviations that respond most to radii of about 0.8, 1.4 and 2.3 mm."""
_ISOTROPIC = 1.1


def vesselness(
    image: NDArray[np.float32],
    spacing_mm: tuple[float, float, float],
    method: Literal["frangi", "sato"],
) -> NDArray[np.float32]:
    """Return the response of a Hessian tube filter of scikit-image.

    Parameters
    ----------
    image : ndarray, shape (z, x, y)
        Any intensities.
    spacing_mm : tuple of float
        Voxel size; non-cubic volumes are resampled, since the filters assume cubic voxels.
    method : {"frangi", "sato"}
        Frangi et al. 1998, or Sato et al. 1998, both for bright tubes.

    Returns
    -------
    ndarray, shape (z, x, y)
        Non-negative; high where intensity drops across, but not along, one direction.
    """
    from skimage.filters import frangi, sato

    voxel_mm = min(spacing_mm)
    cubic = image
    if max(spacing_mm) > _ISOTROPIC * voxel_mm:
        cubic = zoom(
            image, np.array(spacing_mm) / voxel_mm, order=1, mode="nearest", grid_mode=True
        )
    sigmas = [max(scale / voxel_mm, 0.5) for scale in _SCALES_MM]
    tube_filter = frangi if method == "frangi" else sato
    response = tube_filter(cubic, sigmas=sigmas, black_ridges=False, mode="nearest")
    if cubic is not image:
        factors = np.array(image.shape) / response.shape
        response = zoom(response, factors, order=1, mode="nearest", grid_mode=True)
    return np.asarray(response, dtype=np.float32)
