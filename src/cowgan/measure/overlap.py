"""Overlap of two masks: Dice, intersection over union, and clDice of their centrelines."""

# scikit-image is only partly typed.
# mypy: allow-untyped-calls

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects


def dice(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Return the Dice coefficient of two masks; 0 if both are empty."""
    return _ratio(2 * _count(predicted & truth), _count(predicted) + _count(truth))


def intersection_over_union(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Return the Jaccard index of two masks; 0 if both are empty."""
    return _ratio(_count(predicted & truth), _count(predicted | truth))


def centreline_dice(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Return the clDice of two masks (Shit et al. 2021); 0 if either is empty.

    It is the harmonic mean of the shares of each skeleton (Lee et al. 1994) that lie in the other
    mask.

    Parameters
    ----------
    predicted, truth : ndarray of bool, shape (z, x, y)
        The two masks.
    """
    predicted_line, true_line = skeleton_mask(predicted), skeleton_mask(truth)
    precision = _ratio(_count(predicted_line & truth), _count(predicted_line))
    sensitivity = _ratio(_count(true_line & predicted), _count(true_line))
    return _ratio(2 * precision * sensitivity, precision + sensitivity)


def _count(mask: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(mask))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def skeleton_mask(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the skeleton of a mask, or the mask itself if nothing of it is left by thinning."""
    from skimage.morphology import skeletonize

    line = np.zeros_like(mask)
    if not mask.any():
        return line
    (box,) = find_objects(mask.view(np.uint8))
    # Thinning depends on the order of axes, and that of TopCoW's evaluation is (x, y, z).
    thinned = skeletonize(mask[box].transpose(1, 2, 0), method="lee").transpose(2, 0, 1)
    line[box] = thinned if thinned.any() else mask[box]
    return line
