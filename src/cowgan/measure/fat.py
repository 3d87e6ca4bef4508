"""Bright places that are no vessels: scalp around a head, fat behind the eyes."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter, generate_binary_structure, label

Mask = NDArray[np.bool_]

_AIR_REACH_MM = 2.0
"""Standard deviation of the window in which air is told from noise."""
_SCALP_MM = 12.0
"""Scalp and skull are thicker than this in most places; cerebral arteries lie deeper."""
_FAT_REACH_MM = 3.0
_FAT_SHARE = 0.3
_WITHIN_SLICE = generate_binary_structure(3, 1) & np.array([False, True, False])[:, None, None]


def below_scalp(
    image: NDArray[np.float32], air_below: float, spacing_mm: tuple[float, float, float]
) -> Mask:
    """Return what lies deeper than the scalp."""
    smooth = gaussian_filter(image, _AIR_REACH_MM / np.array(spacing_mm), truncate=2)
    # Slice by slice, because the air of nose and sinuses reaches the outside from below.
    pieces, n = label(smooth <= air_below, _WITHIN_SLICE)
    outside = np.zeros(n + 1, dtype=bool)
    for side in (pieces[:, 0], pieces[:, -1], pieces[:, :, 0], pieces[:, :, -1]):
        outside[side] = True
    outside[0] = False
    return np.asarray(distance_transform_edt(~outside[pieces], sampling=spacing_mm) > _SCALP_MM)


def in_fat(dim: Mask, spacing_mm: tuple[float, float, float]) -> Mask:
    """Return the dim part of what is bright where it fills its surroundings.

    Fat does, for example behind the eyes; a dim artery is thin.
    """
    sigma = _FAT_REACH_MM / np.array(spacing_mm)
    share = gaussian_filter(dim.astype(np.float32), sigma, truncate=2)
    filled = share > _FAT_SHARE
    if not filled.any():
        return filled
    near = distance_transform_edt(~filled, sampling=spacing_mm) <= _FAT_REACH_MM
    return np.asarray(dim & near)
