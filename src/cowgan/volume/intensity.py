"""Linear intensity scaling between two percentiles."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cowgan.errors import CowganError, require_choice

Scaling = Literal["robust", "minmax"]

_PERCENTILES: dict[str, tuple[float, float]] = {"robust": (0.1, 99.9), "minmax": (0.0, 100.0)}


def rescale(
    data: NDArray[np.float32],
    method: Scaling = "robust",
    inside: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Scale intensities linearly to [0, 1] and clip the rest.

    Parameters
    ----------
    data : ndarray
        Intensities in any unit.
    method : {"robust", "minmax"}
        ``"robust"`` maps the percentiles 0.1 and 99.9 to 0 and 1, so that a single bright
        voxel does not darken all others; ``"minmax"`` the extremes, as Aydin et al. 2024.
    inside : ndarray of bool, optional
        Voxels that were imaged; the others are ignored and become 0.

    Returns
    -------
    ndarray, float32

    Raises
    ------
    CowganError
        The method is unknown, or all voxels have about the same value.
    """
    low, high = intensity_limits(data if inside is None else data[inside], method)
    if not high > low:
        raise CowganError("The region of interest has the same value in nearly every voxel.")
    scaled = np.clip((data - low) / (high - low), 0, 1).astype(np.float32)
    return scaled if inside is None else np.where(inside, scaled, np.float32(0))


def intensity_limits(
    data: NDArray[np.float32], method: Scaling
) -> tuple[np.floating[Any], np.floating[Any]]:
    """Return the intensities that `rescale` maps to 0 and 1.

    Raises
    ------
    CowganError
        The method is unknown.
    """
    require_choice("intensity scaling", method, _PERCENTILES)
    if not data.size:
        return np.float32(0), np.float32(0)
    low, high = np.percentile(data, _PERCENTILES[method])
    return low, high


def to_grey(
    picture: NDArray[np.float32], low: float | np.floating[Any], high: float | np.floating[Any]
) -> NDArray[np.uint8]:
    """Return a picture in 8 bits, black up to `low` and white from `high`."""
    share = np.clip((picture - low) / max(high - low, 1e-12), 0, 1)
    return np.round(share * 255).astype(np.uint8)
