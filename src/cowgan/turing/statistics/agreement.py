"""Agreement between raters: several readers, or a reader at two times.

Where volumes cannot be told apart readers guess, so little agreement between them is to be
expected and is no sign of poor reading. Kappa falls towards zero when one answer is rare,
however often readers agree; so it is reported together with AC1 and the plain share.

Labels are whole numbers of shape (raters, cases), 0 where there is none: `ReaderPanel.answers` or
`ReaderPanel.ratings`. Cases are taken as drawn at random, raters as given. Limits are normal, by
linearisation, with Student's t on cases - 1 degrees of freedom; perfect agreement shows no
variation and so has limits of no width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from cowgan.estimates import Interval, Undefined, check_level
from cowgan.turing.statistics.answers import RATINGS

Metric = Literal["nominal", "ordinal"]
"""Whether labels are equal or not, or near or far."""

ANSWERS = (-1, 1)
"""Possible values of `ReaderPanel.answers`."""

_TOO_FEW = "Agreement needs two or more cases with two or more answers each."
_ALL_SAME = (
    "All answers are the same, so agreement cannot be told from chance: the coefficient is "
    "undefined."
)
_NEGLIGIBLE = 1e-12


def percent_agreement(labels: NDArray[np.int64], level: float = 0.95) -> Interval:
    """Return how often two raters of a case agree, not corrected for chance.

    Raises
    ------
    Undefined
        Fewer than two cases have two labels.
    """
    labelled = _Labelled.of(labels, _found(labels), "nominal")
    nothing = np.zeros(len(labelled.shares))
    found = _chance_corrected(labelled, 0.0, nothing, level, "share of agreeing pairs")
    return replace(found, low=max(found.low, 0.0))


def cohen_kappa(labels: NDArray[np.int64], level: float = 0.95) -> Interval:
    """Return the agreement of two raters beyond that of their habits (Cohen 1960).

    Parameters
    ----------
    labels : ndarray of int
        Shape (2, cases); cases without two labels are left out.
    level : float
        Confidence.

    Raises
    ------
    Undefined
        Both give one and the same label throughout, or fewer than two cases have two.
    """
    both = labels[:, (labels != 0).all(axis=0)]
    categories = _found(both)
    labelled = _Labelled.of(both, categories, "nominal")
    first, second = (_counts(row[np.newaxis], categories) for row in both)
    habit_first, habit_second = first.mean(axis=0), second.mean(axis=0)
    chance = float(habit_first @ habit_second)
    influence = first @ habit_second + second @ habit_first - 2 * chance
    return _chance_corrected(labelled, chance, influence, level, "Cohen's kappa")


def fleiss_kappa(labels: NDArray[np.int64], level: float = 0.95) -> Interval:
    """Return the agreement of any number of raters beyond that of their common habit.

    Labels may be missing (Fleiss, Psychol Bull 76:378, 1971; Gwet, Handbook of Inter-Rater
    Reliability, 2014).

    Raises
    ------
    Undefined
        All labels are the same, or fewer than two cases have two.
    """
    labelled = _Labelled.of(labels, _found(labels), "nominal")
    habit = labelled.shares.mean(axis=0)
    chance = float(habit @ habit)
    influence = 2 * (labelled.shares @ habit - chance)
    return _chance_corrected(labelled, chance, influence, level, "Fleiss' kappa")


def gwet_ac1(
    labels: NDArray[np.int64], categories: Sequence[int] = ANSWERS, level: float = 0.95
) -> Interval:
    """Return the agreement beyond that of guesses on hard cases.

    Defined, and close to the plain share, where one answer is rare (Gwet, Br J Math Stat
    Psychol 61:29, 2008).

    Parameters
    ----------
    labels : ndarray of int
        Shape (raters, cases).
    categories : sequence of int
        All labels that could have been given.
    level : float
        Confidence.

    Raises
    ------
    Undefined
        Fewer than two cases have two labels.
    """
    return _gwet(labels, categories, "nominal", level, "Gwet's AC1")


def gwet_ac2(
    labels: NDArray[np.int64], categories: Sequence[int] = RATINGS, level: float = 0.95
) -> Interval:
    """Return the same as `gwet_ac1` for ordered labels, near ones agreeing in part."""
    return _gwet(labels, categories, "ordinal", level, "Gwet's AC2, ordinal weights")


def krippendorff_alpha(
    labels: NDArray[np.int64], metric: Metric = "ordinal", level: float = 0.95
) -> Interval:
    """Return one minus the ratio of observed to expected disagreement.

    Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011; labels may be missing.

    Raises
    ------
    Undefined
        All labels are the same, or fewer than two cases have two.
    """
    check_level(level)
    counts = _counts(labels, _found(labels))
    counts = counts[counts.sum(axis=1) > 1]
    raters, totals = counts.sum(axis=1), counts.sum(axis=0)
    if len(counts) < 2:
        raise Undefined(_TOO_FEW)
    pairs = raters.sum() - 1
    distance = _distances(totals, metric)
    disagreement = np.einsum("ik,kl,il->i", counts, distance, counts) / (raters - 1)
    observed, expected = float(disagreement.sum()), float(totals @ distance @ totals)
    if expected == 0:
        raise Undefined(_ALL_SAME)
    ratio = float(pairs * observed / expected)
    # The derivative by the weight of a case, at a metric that stays as it is.
    change = (raters * observed + pairs * disagreement) / expected
    influence = 2 * ratio * (counts @ distance @ totals) / expected - change
    return _interval(
        1 - ratio, influence * len(counts), level, f"Krippendorff's alpha, {metric} metric"
    )


@dataclass(frozen=True, eq=False)
class _Labelled:
    """Cases with one or more labels.

    Parameters
    ----------
    shares : ndarray
        Shape (cases, categories): how a case's labels are spread.
    agreement : ndarray
        Shape (cases,): mean weight of the pairs of a case, 0 where it has no pair.
    paired : ndarray of bool
        Shape (cases,): whether a case has a pair.
    weights : ndarray
        Shape (categories, categories): 1 for equal labels.
    """

    shares: NDArray[np.float64]
    agreement: NDArray[np.float64]
    paired: NDArray[np.bool_]
    weights: NDArray[np.float64]

    @classmethod
    def of(
        cls, labels: NDArray[np.int64], categories: Sequence[int], metric: Metric
    ) -> "_Labelled":
        counts = _counts(labels, categories)
        counts = counts[counts.any(axis=1)]
        raters = counts.sum(axis=1)
        paired = raters > 1
        if paired.sum() < 2:
            raise Undefined(_TOO_FEW)
        weights = _weights(len(categories), metric)
        agreeing = (counts * (counts @ weights - 1)).sum(axis=1)
        pairs = np.where(paired, raters * (raters - 1), 1)
        return cls(counts / raters[:, np.newaxis], agreeing / pairs * paired, paired, weights)


def _gwet(
    labels: NDArray[np.int64],
    categories: Sequence[int],
    metric: Metric,
    level: float,
    method: str,
) -> Interval:
    labelled = _Labelled.of(labels, categories, metric)
    size = len(categories)
    factor = float(labelled.weights.sum()) / (size * (size - 1))
    habit = labelled.shares.mean(axis=0)
    chance = factor * float(habit @ (1 - habit))
    influence = 2 * (factor * labelled.shares @ (1 - habit) - chance)
    return _chance_corrected(labelled, chance, influence, level, method)


def _chance_corrected(
    labelled: _Labelled,
    chance: float,
    chance_influence: NDArray[np.float64],
    level: float,
    method: str,
) -> Interval:
    """Return (agreement - chance) / (1 - chance)."""
    check_level(level)
    paired = labelled.paired
    agreement = float(labelled.agreement[paired].mean())
    if 1 - chance < _NEGLIGIBLE:
        raise Undefined(_ALL_SAME)
    estimate = (agreement - chance) / (1 - chance)
    influence = paired * (labelled.agreement - agreement) / paired.mean()
    influence = (influence - (1 - estimate) * chance_influence) / (1 - chance)
    return _interval(estimate, influence, level, method)


def _interval(
    estimate: float, influence: NDArray[np.float64], level: float, method: str
) -> Interval:
    n = len(influence)
    half = float(stats.t.ppf(0.5 + level / 2, n - 1)) * float(influence.std(ddof=1)) / n**0.5
    # There is no lower bound: with gaps a coefficient can lie below -1.
    return Interval(estimate, estimate - half, min(estimate + half, 1.0), level, n, method)


def _found(labels: NDArray[np.int64]) -> list[int]:
    return [int(label) for label in np.unique(labels) if label]


def _counts(labels: NDArray[np.int64], categories: Sequence[int]) -> NDArray[np.float64]:
    """Return how often each case has each label, shape (cases, categories)."""
    counts = [(labels == category).sum(axis=0) for category in categories]
    return np.array(counts, dtype=np.float64).reshape(len(categories), labels.shape[1]).T


def _weights(size: int, metric: Metric) -> NDArray[np.float64]:
    if metric == "nominal":
        return np.eye(size)
    apart = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    weights: NDArray[np.float64] = 1 - apart * (apart + 1) / (size * (size - 1))
    return weights


def _distances(totals: NDArray[np.float64], metric: Metric) -> NDArray[np.float64]:
    """Return Krippendorff's squared distance of any two categories."""
    if metric == "nominal":
        return 1 - np.eye(len(totals))
    # Half a category's labels lie below its middle.
    middle = totals.cumsum() - totals / 2
    distance: NDArray[np.float64] = np.subtract.outer(middle, middle) ** 2
    return distance
