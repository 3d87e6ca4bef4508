"""Differences between two volumes on the same grid."""

import numpy as np

from cowgan.errors import CowganError
from cowgan.volume.volume import Volume


def brighter(one: Volume, other: Volume) -> Volume:
    """Return the positive part of the difference of two volumes.

    Parameters
    ----------
    one, other : Volume
        On the same grid.

    Returns
    -------
    Volume
        Its provenance names both.

    Raises
    ------
    CowganError
        The volumes do not lie on the same grid.
    """
    if one.shape != other.shape or not np.allclose(one.affine, other.affine, atol=1e-4):
        raise CowganError("Only volumes of the same size and place can be compared.")
    provenance = {
        "synthetic": one.synthetic or other.synthetic,
        "difference": {"of": one.provenance, "from": other.provenance},
    }
    return Volume(np.maximum(one.data - other.data, 0), one.affine, provenance)


def mean_absolute_difference(one: Volume, other: Volume) -> float:
    """Return the mean absolute difference of two volumes, in units of their intensity."""
    return float(np.abs(one.data - other.data).mean(dtype=np.float64))
