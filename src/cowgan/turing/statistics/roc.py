"""Receiver operating characteristic of the signed rating."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, optimize, stats

from cowgan.estimates import Interval, Undefined, check_level
from cowgan.turing.statistics.answers import HIGHEST, RATINGS, ReaderAnswers, ReaderPanel

_SLOTS = np.arange(2 * HIGHEST + 1)
_TINY = 1e-12


@dataclass(frozen=True)
class RocCurve:
    """A curve from (0, 0) to (1, 1).

    Parameters
    ----------
    false_alarm_rates, hit_rates : tuple of float
        Its points, joined by straight lines.
    """

    false_alarm_rates: tuple[float, ...]
    hit_rates: tuple[float, ...]

    @property
    def area(self) -> float:
        """Area under the curve."""
        return float(integrate.trapezoid(self.hit_rates, self.false_alarm_rates))


def roc_curve(reading: ReaderAnswers) -> RocCurve:
    """Return a point for each rating from which on a case counts as called generated."""
    require_kinds(reading.generated, 1, f"reader {reading.reader}")
    return _curve(reading.ratings, reading.generated)


def mean_roc_curve(panel: ReaderPanel) -> RocCurve:
    """Return the mean of the curves of all readers, each over the cases answered.

    Heights over the diagonal of chance are averaged, at right angles to it (Chen and
    Samuelson, Br J Radiol 87:20140016, 2014). So the area is the mean of the areas, which
    averaging hit rates does not achieve where a curve rises straight up.
    """
    curves = []
    for reader, ratings in zip(panel.readers, panel.ratings, strict=True):
        answered = ratings != 0
        require_kinds(panel.generated[answered], 1, f"reader {reader}")
        curve = _curve(ratings[answered], panel.generated[answered])
        hits, false_alarms = np.array(curve.hit_rates), np.array(curve.false_alarm_rates)
        curves.append((hits + false_alarms, hits - false_alarms))
    along = np.unique(np.concatenate([position for position, _ in curves]))
    height = np.mean([np.interp(along, *curve) for curve in curves], axis=0)
    return RocCurve(tuple(((along - height) / 2).tolist()), tuple(((along + height) / 2).tolist()))


def auc(reading: ReaderAnswers, level: float = 0.95) -> Interval:
    """Return the area under the curve: how often a generated case is rated above a real one.

    Equal ratings count half. The limits are DeLong's on the logit scale (DeLong et al.,
    Biometrics 44:837, 1988; Pohar Perme and Manevski, Stat Methods Med Res 28:3755, 2019).
    Where DeLong's variance is zero, with kinds perfectly apart or all ratings equal, they
    are those of `score_interval`.

    Raises
    ------
    Undefined
        Fewer than two answers to either kind.
    """
    check_level(level)
    require_kinds(reading.generated, 2, f"reader {reading.reader}")
    above, below = placements(reading.ratings, reading.generated)
    estimate = float(above.mean())
    variance = float(above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below))
    n = len(reading.ratings)
    if variance == 0:
        return score_interval(estimate, auc_variance(len(above), len(below)), level, n)
    centre = math.log(estimate / (1 - estimate))
    half = stats.norm.ppf(0.5 + level / 2) * math.sqrt(variance) / (estimate * (1 - estimate))
    low, high = (1 / (1 + math.exp(-limit)) for limit in (centre - half, centre + half))
    return Interval(estimate, low, high, level, n, "DeLong, logit")


def placements(
    ratings: NDArray[np.int64], generated: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the components whose means are the area and whose spread DeLong's variance.

    Parameters
    ----------
    ratings : ndarray of int
        Shape (..., cases): signed ratings, none missing.
    generated : ndarray of bool
        Shape (cases,).

    Returns
    -------
    above : ndarray
        Shape (..., generated cases): share of real cases rated below each, equal ones half.
    below : ndarray
        Shape (..., real cases): share of generated cases rated above each, equal ones half.
    """
    positive, negative = (ratings[..., kind] + HIGHEST for kind in (generated, ~generated))
    above = np.take_along_axis(_share_below(negative), positive, axis=-1)
    below = 1 - np.take_along_axis(_share_below(positive), negative, axis=-1)
    return above, below


def rank_auc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return areas under curves of continuous scores, from ranks; equal scores count half.

    Parameters
    ----------
    scores : ndarray
        Shape (cases,) or (cases, columns).
    positive : ndarray of bool
        Of the same shape, or one to which `scores` broadcast: cases whose scores should be
        higher.

    Returns
    -------
    ndarray
        Shape () or (columns,).
    """
    n, n_positive = len(positive), positive.sum(axis=0)
    ranks = np.broadcast_to(stats.rankdata(scores, axis=0), positive.shape)
    above = np.where(positive, ranks, 0.0).sum(axis=0) - n_positive * (n_positive + 1) / 2
    return np.asarray(above / (n_positive * (n - n_positive)))


def auc_variance(generated: int, real: int) -> Callable[[float], float]:
    """Return the variance of an area as a function of its true value.

    For exponential ratings, made symmetric (Newcombe, Stat Med 25:559, 2006, method 5).
    """
    others = (generated + real) / 2 - 1

    def variance(area: float) -> float:
        factor = 1 + others * ((1 - area) / (2 - area) + area / (1 + area))
        return area * (1 - area) * factor / (generated * real)

    return variance


def score_interval(
    estimate: float, variance: Callable[[float], float], level: float, n: int
) -> Interval:
    """Return the true values, from 0 to 1, that the estimate does not contradict.

    Unlike an interval from the estimated variance it has a width at 0 and 1 as well.
    """
    check_level(level)
    z = float(stats.norm.ppf(0.5 + level / 2))

    def excess(true: float) -> float:
        return abs(true - estimate) - z * math.sqrt(variance(true))

    # At 0 and 1 the variance vanishes and an estimate there would be its own limit.
    inside = min(max(estimate, _TINY), 1 - _TINY)
    low = float(optimize.brentq(excess, 0, inside)) if estimate > 0 else 0.0
    high = float(optimize.brentq(excess, inside, 1)) if estimate < 1 else 1.0
    return Interval(estimate, low, high, level, n, "score")


def require_kinds(generated: NDArray[np.bool_], least: int, whose: str) -> None:
    """Raise `Undefined` unless there are `least` or more cases of either kind."""
    positive = int(generated.sum())
    if min(positive, len(generated) - positive) < least:
        raise Undefined(
            f"A comparison of ratings needs answers to {least} or more cases of either kind; "
            f"{whose} has {positive} generated and {len(generated) - positive} real."
        )


def _curve(ratings: NDArray[np.int64], generated: NDArray[np.bool_]) -> RocCurve:
    called = ratings >= np.array(RATINGS[::-1])[:, np.newaxis]
    rates = (called[:, kind].mean(axis=1).tolist() for kind in (~generated, generated))
    false_alarms, hits = ((0.0, *rate) for rate in rates)
    return RocCurve(false_alarms, hits)


def _share_below(slots: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return, for each possible rating, the share of the last axis below it, equal ones half."""
    counts = (slots[..., np.newaxis] == _SLOTS).sum(axis=-2)
    shares: NDArray[np.float64] = (counts.cumsum(axis=-1) - counts / 2) / slots.shape[-1]
    return shares
