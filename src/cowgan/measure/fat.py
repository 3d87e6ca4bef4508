"""Bright places that are no vessels: scalp around a head, fat behind the eyes."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, generate_binary_structure, label

from cowgan.measure.blocks import Blocks

Mask = NDArray[np.bool_]

_AIR_REACH_MM = 2.0
"""Standard deviation of the window in which air is told from noise."""
_SCALP_MM = 12.0
"""Scalp and skull are thicker than this in most places; cerebral arteries lie deeper."""
_FAT_REACH_MM = 3.0
_FAT_SHARE = 0.3
_WITHIN_SLICE = generate_binary_structure(3, 1) & np.array([False, True, False])[:, None, None]


def below_scalp(image: NDArray[np.float32], air_below: float, blocks: Blocks) -> Mask:
    """Return which blocks lie deeper than the scalp, from the mean of each."""
    smooth = blocks.smooth(image, _AIR_REACH_MM)
    # Slice by slice, because the air of nose and sinuses reaches the outside from below.
    pieces, n = label(smooth <= air_below, _WITHIN_SLICE)
    outside = np.zeros(n + 1, dtype=bool)
    for side in (pieces[:, 0], pieces[:, -1], pieces[:, :, 0], pieces[:, :, -1]):
        outside[side] = True
    outside[0] = False
    inside = ~outside[pieces]
    return np.asarray(distance_transform_edt(inside, sampling=blocks.spacing_mm) > _SCALP_MM)


def in_fat(dim: NDArray[np.float32], blocks: Blocks) -> Mask:
    """Return which blocks lie where the bright but dim fills its surroundings.

    Fat does, for example behind the eyes; a dim artery is thin.

    Parameters
    ----------
    dim : ndarray
        Share of the dim in each block.
    """
    filled = blocks.smooth(dim, _FAT_REACH_MM) > _FAT_SHARE
    if not filled.any():
        return filled
    far = distance_transform_edt(~filled, sampling=blocks.spacing_mm)
    return np.asarray(far <= _FAT_REACH_MM)
