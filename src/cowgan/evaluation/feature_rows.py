"""Sets of features: arrays of shape (n, features), one row per volume."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cowgan.errors import CowganError

Rows = NDArray[np.float64]

FEWEST = 2
"""Rows that a set needs: of a single one nothing can be said."""

_MIN_RELATIVE_SPREAD = 0.1


def check_features(features: ArrayLike, name: str, convert: bool = True) -> NDArray[Any]:
    """Return features as finite numbers of shape (n, features).

    Parameters
    ----------
    features : array_like
        One row per volume.
    name : str
        What to call the set, such as "real".
    convert : bool
        Return double precision; otherwise the type stays, and large sets are not copied.

    Raises
    ------
    CowganError
        The array has another shape, fewer than two rows, or values that are not finite.
    """
    rows = np.asarray(features, np.float64 if convert else None)
    if rows.ndim != 2 or not rows.shape[1]:
        raise CowganError(
            f"The {name} features need one row per volume, but their shape is {rows.shape}."
        )
    if len(rows) < FEWEST:
        raise CowganError(
            f"Measures need at least {FEWEST} {name} volumes, but there are {len(rows)}."
        )
    if not np.isfinite(rows).all():
        raise CowganError(f"The {name} features hold values that are not finite numbers.")
    return rows


def check_pair(
    real: ArrayLike, generated: ArrayLike, convert: bool = True
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return real and generated features that can be compared.

    Parameters
    ----------
    real, generated : array_like
        One row per volume.
    convert : bool
        See `check_features`.

    Raises
    ------
    CowganError
        As for `check_features`, or the sets differ in the number of features.
    """
    one = check_features(real, "real", convert)
    other = check_features(generated, "generated", convert)
    if one.shape[1] != other.shape[1]:
        raise CowganError(
            f"Real volumes have {one.shape[1]} features and generated ones {other.shape[1]}; "
            "only features of one extractor can be compared."
        )
    return one, other


class Standardisation:
    """Scales features by the mean and standard deviation of real ones.

    Features that hardly vary are not blown up: a tenth of the mean deviation is added to each.

    Parameters
    ----------
    real : array_like
        Features of real volumes.
    """

    def __init__(self, real: ArrayLike) -> None:
        rows = check_features(real, "real")
        spread = rows.std(0, ddof=1)
        self._mean, self._scale = rows.mean(0), spread + _MIN_RELATIVE_SPREAD * spread.mean()
        if not self._scale.all():
            raise CowganError("All real volumes have the same features.")

    def __call__(self, features: ArrayLike) -> Rows:
        """Return scaled features."""
        return np.asarray((np.asarray(features, np.float64) - self._mean) / self._scale)
