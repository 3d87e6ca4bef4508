"""Correlation of pictures, such as MIPs, within a set and with training volumes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cowgan.evaluation.feature_rows import Rows


def correlation_rows(pictures: ArrayLike) -> Rows:
    """Return pictures as centred rows of unit length, whose products are Pearson correlations.

    Parameters
    ----------
    pictures : array_like
        Shape (n, rows, columns).

    Returns
    -------
    ndarray
        Shape (n, rows * columns); nan where a picture has a single grey level.
    """
    stacked = np.asarray(pictures, np.float64)
    rows = stacked.reshape(len(stacked), -1)
    centred = rows - rows.mean(1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    # Rounding may leave a flat picture with a length above zero.
    length[np.ptp(rows, axis=1) == 0] = np.nan
    return np.asarray(centred / length)


def with_mirror_images(pictures: ArrayLike) -> NDArray[np.floating]:
    """Return pictures, then their mirror images along the columns, shape (2 n, rows, columns)."""
    stacked = np.asarray(pictures)
    return np.concatenate([stacked, stacked[:, :, ::-1]])


def mean_and_nearest(rows: Rows) -> tuple[float, float]:
    """Return the mean correlation of all pairs, and of each row with its nearest, on average.

    Parameters
    ----------
    rows : ndarray
        At least two, see `correlation_rows`; nan in any of them makes both results nan.
    """
    n = len(rows)
    pairs = np.clip(rows @ rows.T, -1, 1)[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    return float(pairs.mean()), float(pairs.max(1).mean())


def nearest(rows: Rows, references: Rows) -> tuple[Rows, NDArray[np.intp]]:
    """Return the correlation of each row with its nearest reference, and that one's index."""
    correlations = rows @ references.T
    return correlations.max(1), correlations.argmax(1)


def nearest_of_other_subjects(
    rows: Rows, subjects: Sequence[str], references: Rows, reference_subjects: Sequence[str]
) -> Rows:
    """Return the correlation of each row with its nearest reference of another subject.

    It shows how similar different people are, and so calibrates `nearest` of generated volumes.

    Parameters
    ----------
    rows, references : ndarray
        See `correlation_rows`.
    subjects, reference_subjects : sequence of str
        The subject of each; -1 is the result where there is no reference of another one.
    """
    correlations = rows @ references.T
    correlations[np.array(subjects)[:, None] == np.array(reference_subjects)] = -1
    return np.asarray(correlations.max(1))
