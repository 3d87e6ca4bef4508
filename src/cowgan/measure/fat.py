"""Detection of bright tissue other than vessels: scalp and orbital fat."""

import numpy as np
from scipy.ndimage import distance_transform_edt, generate_binary_structure, label

from cowgan.measure.arrays import Image, Mask
from cowgan.measure.smooth_fields import BlockGrid

_AIR_REACH_MM = 2.0
"""Standard deviation of the window in which air is distinguished from noise."""
_SCALP_MM = 12.0
"""Scalp and skull are thicker than this in most places; cerebral arteries lie deeper."""
_FAT_REACH_MM = 3.0
_FAT_SHARE = 0.3
_WITHIN_SLICE = generate_binary_structure(3, 1) & np.array([False, True, False])[:, None, None]


def below_scalp(image: Image, air_below: float, blocks: BlockGrid) -> Mask:
    """Return the blocks that lie deeper than the scalp, given the mean of each."""
    smooth = blocks.smooth(image, _AIR_REACH_MM)
    # Slice by slice, because the air of nose and sinuses reaches the outside from below.
    pieces, n = label(smooth <= air_below, _WITHIN_SLICE)
    outside = np.zeros(n + 1, dtype=bool)
    for side in (pieces[:, 0], pieces[:, -1], pieces[:, :, 0], pieces[:, :, -1]):
        outside[side] = True
    outside[0] = False
    inside = ~outside[pieces]
    return np.asarray(distance_transform_edt(inside, sampling=blocks.spacing_mm) > _SCALP_MM)


def in_fat(dim: Image, blocks: BlockGrid) -> Mask:
    """Return the blocks in and around regions filled with moderately bright voxels.

    Fat forms such regions, for example behind the eyes; arteries of that brightness are thin.

    Parameters
    ----------
    dim : ndarray
        Share of such voxels in each block.
    """
    filled = blocks.smooth(dim, _FAT_REACH_MM) > _FAT_SHARE
    if not filled.any():
        return filled
    far = distance_transform_edt(~filled, sampling=blocks.spacing_mm)
    return np.asarray(far <= _FAT_REACH_MM)
