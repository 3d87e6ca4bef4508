"""The mean over readers, with readers and cases both drawn at random.

Obuchowski and Rockette's analysis of one modality against chance, with the degrees of
freedom of Hillis (Stat Med 26:596, 2007): the variance of the mean is that between readers
plus what readers share because they read the same cases. It speaks of readers and cases
like these, which an analysis of pooled trials cannot.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from cowgan.errors import CowganError
from cowgan.estimates import Interval, PValue, check_level, check_margin
from cowgan.turing.statistics.answers import ReaderPanel
from cowgan.turing.statistics.roc import (
    auc_variance,
    placements,
    require_kinds,
    score_interval,
)

PanelMeasure = Literal["AUC", "balanced accuracy"]
"""Measures averaged over readers; either is 0.5 at chance."""

LEAST_READERS = 3
"""With two readers the 95 % interval holds the truth in 89 to 92 % of simulated studies, with
three in 92 to 94 %, with five or more in 94 to 95 %."""

_METHOD = "Obuchowski-Rockette-Hillis"
_NEGLIGIBLE = 1e-15


@dataclass(frozen=True)
class ReaderMean:
    """A mean over readers.

    Parameters
    ----------
    measure : {"AUC", "balanced accuracy"}
        What is averaged.
    estimate : float
        The mean.
    of_reader : dict of str to float
        What it is the mean of.
    standard_error : float
        Zero if neither readers nor cases vary: no reader errs, or each gives one answer.
    df : float or None
        Degrees of freedom; None, without limit, if all readers have the same value.
    reader_variance : float
        Variance between readers, by whatever cause.
    covariance : float
        Mean covariance of two readers over the cases, not below 0.
    generated, real : int
        Number of cases of either kind that every reader has answered.
    """

    measure: PanelMeasure
    estimate: float
    of_reader: dict[str, float]
    standard_error: float
    df: float | None
    reader_variance: float
    covariance: float
    generated: int
    real: int

    @property
    def n(self) -> int:
        """Number of cases."""
        return self.generated + self.real

    def interval(self, level: float = 0.95) -> Interval:
        """Return the confidence interval.

        With a standard error of zero the readers are as one, and the interval is the score
        interval of one.
        """
        check_level(level)
        if self.standard_error == 0:
            return score_interval(self.estimate, self._variance, level, self.n)
        half = float(stats.t.ppf(0.5 + level / 2, self._degrees)) * self.standard_error
        low, high = max(self.estimate - half, 0.0), min(self.estimate + half, 1.0)
        return Interval(self.estimate, low, high, level, self.n, _METHOD)

    def test(self) -> PValue:
        """Test a mean of 0.5, on both sides."""
        p = 2 * stats.t.sf(abs(self._distance(0.5)), self._degrees)
        return PValue(float(p), self.n, f"{_METHOD}, two-sided, {self.measure} 0.5")

    def equivalence_test(self, margin: float) -> PValue:
        """Test that the mean is further from 0.5 than `margin`, by two one-sided tests.

        p is below 0.05 just if the 90 % interval lies within the margin.
        """
        check_margin(margin)
        above = stats.t.sf(self._distance(0.5 - margin), self._degrees)
        below = stats.t.cdf(self._distance(0.5 + margin), self._degrees)
        method = f"{_METHOD}, two one-sided, {self.measure} ±{margin:g}"
        return PValue(float(max(above, below)), self.n, method)

    @property
    def _degrees(self) -> float:
        return math.inf if self.df is None else self.df

    def _distance(self, value: float) -> float:
        error = self.standard_error or self._variance(value) ** 0.5
        return (self.estimate - value) / error

    def _variance(self, true: float) -> float:
        """Return the variance for one reader, were `true` the truth."""
        if self.measure == "AUC":
            return auc_variance(self.generated, self.real)(true)
        return true * (1 - true) * (1 / self.generated + 1 / self.real) / 4


def mean_auc(panel: ReaderPanel) -> ReaderMean:
    """Return the mean area under the ROC curve of the ratings, the primary result.

    Raises
    ------
    CowganError
        Fewer than three readers.
    Undefined
        Fewer than two cases of either kind that every reader has answered.
    """
    return _mean("AUC", panel)


def mean_balanced_accuracy(panel: ReaderPanel) -> ReaderMean:
    """Return the mean of sensitivity and specificity; in 2AFC, the share of right answers.

    Raises
    ------
    CowganError
        Fewer than three readers.
    Undefined
        Fewer than two cases of either kind that every reader has answered.
    """
    return _mean("balanced accuracy", panel)


@dataclass(frozen=True, eq=False)
class MeanEstimate:
    """Means over readers of one or more studies; all arrays have the shape of the studies.

    Parameters
    ----------
    mean, standard_error : ndarray
        Of the mean.
    df : ndarray
        Degrees of freedom, infinite where all readers have one value.
    between, shared : ndarray
        Variance between readers, and mean covariance of two readers over the cases.
    """

    mean: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    df: NDArray[np.float64]
    between: NDArray[np.float64]
    shared: NDArray[np.float64]


def estimate_mean(
    values: NDArray[np.float64], of_generated: NDArray[np.float64], of_real: NDArray[np.float64]
) -> MeanEstimate:
    """Return the mean of values of readers and what is needed for its interval.

    Parameters
    ----------
    values : ndarray
        Shape (..., readers).
    of_generated, of_real : ndarray
        Shape (..., readers, cases): what a value owes to each case. Their means over the
        cases have the error of the value.
    """
    readers = values.shape[-1]
    between = _without_rounding(values.var(axis=-1, ddof=1))
    shared = _without_rounding(_mean_covariance(of_generated) + _mean_covariance(of_real))
    error = np.sqrt(between / readers + shared)
    ratio = np.divide(shared, between, out=np.full_like(shared, np.inf), where=between > 0)
    df = (readers - 1) * (1 + readers * ratio) ** 2
    return MeanEstimate(values.mean(axis=-1), error, df, between, shared)


def estimate_mean_auc(
    ratings: NDArray[np.int64], generated: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], MeanEstimate]:
    """Return the areas of readers, shape (..., readers), and their mean.

    Parameters
    ----------
    ratings : ndarray of int
        Shape (..., readers, cases): signed ratings, none missing.
    generated : ndarray of bool
        Shape (cases,).
    """
    above, below = placements(ratings, generated)
    areas = above.mean(axis=-1)
    return areas, estimate_mean(areas, above, below)


def estimate_mean_accuracy(
    ratings: NDArray[np.int64], generated: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], MeanEstimate]:
    """Return the same as `estimate_mean_auc` for balanced accuracy."""
    halves = ((ratings > 0) == generated) / 2
    of_generated, of_real = halves[..., generated], halves[..., ~generated]
    accuracies = of_generated.mean(axis=-1) + of_real.mean(axis=-1)
    return accuracies, estimate_mean(accuracies, of_generated, of_real)


def _mean(measure: PanelMeasure, panel: ReaderPanel) -> ReaderMean:
    readers = len(panel.readers)
    if readers < LEAST_READERS:
        raise CowganError(
            f"A statement about readers in general needs at least {LEAST_READERS} readers, and "
            f"this is {readers}; report each one alone."
        )
    complete = panel.complete()
    require_kinds(complete.generated, 2, "the set of cases that every reader has answered")
    estimate = estimate_mean_auc if measure == "AUC" else estimate_mean_accuracy
    values, found = estimate(complete.ratings, complete.generated)
    df = float(found.df)
    return ReaderMean(
        measure,
        float(found.mean),
        dict(zip(panel.readers, values.tolist(), strict=True)),
        float(found.standard_error),
        df if math.isfinite(df) else None,
        float(found.between),
        float(found.shared),
        int(complete.generated.sum()),
        int((~complete.generated).sum()),
    )


def _mean_covariance(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean covariance of the means of two readers, shape (..., readers, cases).

    The variance of a sum is the sum of all covariances, so no matrix is needed.
    """
    readers, cases = parts.shape[-2:]
    total = parts.sum(axis=-2).var(axis=-1, ddof=1) - parts.var(axis=-1, ddof=1).sum(axis=-1)
    mean: NDArray[np.float64] = total / (readers * (readers - 1) * cases)
    return mean


def _without_rounding(variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return zero for what is negative, or a difference of equal numbers by rounding."""
    return np.where(variance < _NEGLIGIBLE, 0.0, variance)
