"""Posterior communicating arteries, by what they connect."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import generate_binary_structure, label

MIDDLE, BACK, FRONT = 0.04, 0.38, 0.62
"""Fractions of the volume: the margin left out on either side of the middle, and, counted from the
back, the end of the posterior arteries and the start of the anterior ones. On 60 anatomies with
labelled arteries, the result is right on 93 % of the sides with them."""

_NEIGHBOURS = generate_binary_structure(3, 3)


def sides_joined(mask: NDArray[np.bool_]) -> int:
    """Return the number of sides on which anterior and posterior arteries are connected.

    A posterior communicating artery connects them. The middle is left out, as arteries of both
    sides and both circulations touch there.

    Parameters
    ----------
    mask : ndarray of bool, shape (z, x, y)
        Vessels of a volume centred on the Circle of Willis, as `cowgan preprocess` makes it.
    """
    nx, ny = mask.shape[1:]
    margin = round(MIDDLE * nx)
    joined = 0
    for half in (slice(0, nx // 2 - margin), slice(nx // 2 + margin, nx)):
        number, _ = label(mask[:, half], _NEIGHBOURS)
        front = number[:, :, round(FRONT * ny) :]
        back = number[:, :, : round(BACK * ny)]
        joined += bool(np.intersect1d(front[front > 0], back[back > 0]).size)
    return joined
