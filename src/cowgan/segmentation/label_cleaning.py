"""Removal of specks from label maps."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, generate_binary_structure
from scipy.ndimage import label as find_pieces

_SPECK_MM3 = 7.0


def drop_small_pieces(
    labels: NDArray[np.uint8],
    spacing_mm: tuple[float, float, float],
    least_mm3: float = _SPECK_MM3,
) -> NDArray[np.uint8]:
    """Return a label map without small pieces of arteries; the largest of each is kept.

    Parameters
    ----------
    labels : ndarray, shape (z, x, y), uint8
        Label map.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).
    least_mm3 : float
        Smaller pieces, connected by corners at least, become background.
    """
    cleaned = labels.copy()
    corners = generate_binary_structure(3, 3)
    least_voxels = least_mm3 / float(np.prod(spacing_mm))
    for value, box in enumerate(find_objects(labels), start=1):
        if box is None:
            continue
        pieces, _ = find_pieces(labels[box] == value, corners)
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        small = sizes < min(least_voxels, sizes.max())
        small[0] = False
        cleaned[box][small[pieces]] = 0
    return cleaned
