"""Intensities of a scanner brought to the scale from 0 to 1."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cowgan.errors import CowganError

Scaling = Literal["robust", "minmax"]

_ROBUST_PERCENTILES = (0.1, 99.9)


def rescale(
    data: NDArray[np.float32],
    method: Scaling = "robust",
    inside: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Scale intensities linearly to [0, 1] and cut off what lies beyond.

    Parameters
    ----------
    data : ndarray
        Intensities in any unit.
    method : {"robust", "minmax"}
        ``"robust"`` puts the percentiles 0.1 and 99.9 at 0 and 1, so that a single bright
        voxel does not darken all others; ``"minmax"`` the extremes, as Aydin et al. 2024.
    inside : ndarray of bool, optional
        Voxels that were imaged; the others count for nothing and become 0.

    Returns
    -------
    ndarray, float32

    Raises
    ------
    CowganError
        The method is unknown, or all voxels have about the same value.
    """
    if method not in get_args(Scaling):
        raise CowganError(
            f"There is no intensity scaling {method!r}; choose one of "
            f"{', '.join(get_args(Scaling))}."
        )
    imaged = data if inside is None else data[inside]
    percentiles = _ROBUST_PERCENTILES if method == "robust" else (0, 100)
    low, high = np.percentile(imaged, percentiles) if imaged.size else (0.0, 0.0)
    if not high > low:
        raise CowganError("The region of interest has the same value in nearly every voxel.")
    scaled = np.clip((data - low) / (high - low), 0, 1).astype(np.float32)
    return scaled if inside is None else np.where(inside, scaled, np.float32(0))
