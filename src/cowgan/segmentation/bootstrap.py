"""Bootstrap over subjects: intervals of means, and p values of mean differences."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cowgan.estimates import Interval, PValue
from cowgan.randomness import stream

RESAMPLES = 10_000

FEWEST_SUBJECTS = 6
"""Fewer cannot reach p < 0.05, even if all their differences have one sign."""

LEVEL = 0.95


def mean_interval(values: Sequence[float], seed: int = 0) -> Interval | None:
    """Return the mean with its percentile interval over resampled subjects.

    Parameters
    ----------
    values : sequence of float
        One value per subject; of pairs, their difference.
    seed : int
        Seed of the resamples.

    Returns
    -------
    Interval or None
        None if there are fewer than `FEWEST_SUBJECTS`.
    """
    if len(values) < FEWEST_SUBJECTS:
        return None
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(_resampled_means(values, seed), (tail, 100 - tail))
    return Interval(
        float(np.mean(values)), float(low), float(high), LEVEL, len(values), "bootstrap of subjects"
    )


def difference_p(differences: Sequence[float], seed: int = 0) -> PValue | None:
    """Return the two-sided p value of a mean difference, by the resamples of `mean_interval`.

    It is twice the share of resampled means on the rarer side of 0; those at 0 are on both.

    Parameters
    ----------
    differences : sequence of float
        Of each subject.
    seed : int
        Seed of the resamples.

    Returns
    -------
    PValue or None
        None if there are fewer than `FEWEST_SUBJECTS`.
    """
    if len(differences) < FEWEST_SUBJECTS:
        return None
    means = _resampled_means(differences, seed)
    rarer = min(np.count_nonzero(means <= 0), np.count_nonzero(means >= 0))
    p = min(1.0, 2 * (rarer + 1) / (RESAMPLES + 1))
    return PValue(float(p), len(differences), "paired bootstrap of subjects, no mean difference")


def _resampled_means(values: Sequence[float], seed: int) -> NDArray[np.float64]:
    n = len(values)
    drawn = stream("subject bootstrap", seed).randint(n, size=(RESAMPLES, n))
    return np.asarray(np.asarray(values, np.float64)[drawn].mean(axis=1))
