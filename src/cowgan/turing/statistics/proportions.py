"""Right and wrong answers of one reader.

At chance half of the answers are right, but so are those of a reader who always gives one
answer; read accuracy with the 2 x 2 table and with `detection.criterion`.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special, stats

from cowgan.estimates import (
    Interval,
    PValue,
    Undefined,
    check_level,
    check_margin,
)
from cowgan.turing.statistics.answers import Counts, ReaderAnswers

ProportionMethod = Literal["wilson", "exact"]
"""Wilson's score interval, or Clopper and Pearson's exact one."""

_METHOD_NAMES = {"wilson": "Wilson", "exact": "Clopper-Pearson"}


@dataclass(frozen=True)
class BayesResult:
    """Bayesian evidence for chance in one reader's accuracy.

    Parameters
    ----------
    probability_within : float
        Posterior probability that the accuracy lies within 0.5 plus or minus `margin`,
        from Jeffreys' prior.
    margin : float
        Half width of that region of practical equivalence.
    bf01 : float
        Bayes factor of an accuracy of exactly 0.5 against any other, all equally likely.
    n : int
        Number of answers.
    """

    probability_within: float
    margin: float
    bf01: float
    n: int


def accuracy(
    reading: ReaderAnswers, level: float = 0.95, method: ProportionMethod = "wilson"
) -> Interval:
    """Return the share of right answers."""
    counts = _answered(reading)
    return share_interval(counts.correct, counts.n, level, method)


def sensitivity(
    reading: ReaderAnswers, level: float = 0.95, method: ProportionMethod = "wilson"
) -> Interval:
    """Return the share of generated cases that are called generated."""
    counts = reading.counts
    return _share(reading, "generated", counts.hits, counts.generated, level, method)


def specificity(
    reading: ReaderAnswers, level: float = 0.95, method: ProportionMethod = "wilson"
) -> Interval:
    """Return the share of real cases that are called real."""
    counts = reading.counts
    return _share(reading, "real", counts.correct_rejections, counts.real, level, method)


def balanced_accuracy(reading: ReaderAnswers, level: float = 0.95) -> Interval:
    """Return the mean of sensitivity and specificity.

    The limits combine their Wilson intervals (square-and-add; Newcombe, Stat Med 17:873,
    1998).
    """
    parts = (sensitivity(reading, level), specificity(reading, level))
    estimate = sum(part.estimate for part in parts) / 2
    below = math.hypot(*(part.estimate - part.low for part in parts)) / 2
    above = math.hypot(*(part.high - part.estimate for part in parts)) / 2
    low, high = max(estimate - below, 0.0), min(estimate + above, 1.0)
    return Interval(estimate, low, high, level, reading.counts.n, "Wilson, combined")


def binomial_test(reading: ReaderAnswers) -> PValue:
    """Test an accuracy of 0.5, exactly and on both sides.

    Very conservative for a reader who prefers one answer; see `fisher_test`.
    """
    counts = _answered(reading)
    p = stats.binomtest(counts.correct, counts.n, 0.5).pvalue
    return PValue(float(p), counts.n, "exact binomial, two-sided, accuracy 0.5")


def fisher_test(reading: ReaderAnswers) -> PValue:
    """Test whether the answers depend on the truth, given how often each was given."""
    counts = _answered(reading)
    table = [
        [counts.hits, counts.misses],
        [counts.false_alarms, counts.correct_rejections],
    ]
    p = stats.fisher_exact(table)[1]
    return PValue(min(float(p), 1.0), counts.n, "Fisher, two-sided, no association")


def equivalence_test(reading: ReaderAnswers, margin: float) -> PValue:
    """Test that the accuracy is further from 0.5 than `margin`: two exact one-sided tests.

    A small p speaks for equivalence to chance within the margin, which a reader who always
    gives one answer reaches too.
    """
    check_margin(margin)
    counts = _answered(reading)
    above = stats.binom.sf(counts.correct - 1, counts.n, 0.5 - margin)
    below = stats.binom.cdf(counts.correct, counts.n, 0.5 + margin)
    return PValue(float(max(above, below)), counts.n, f"two one-sided exact binomial, ±{margin:g}")


def bayes(reading: ReaderAnswers, margin: float) -> BayesResult:
    """Return how likely the accuracy is chance, within a margin and exactly."""
    check_margin(margin)
    counts = _answered(reading)
    right, wrong = counts.correct, counts.n - counts.correct
    below, above = special.betainc(right + 0.5, wrong + 0.5, (0.5 - margin, 0.5 + margin))
    log_bf01 = counts.n * np.log(0.5) - special.betaln(right + 1, wrong + 1)
    return BayesResult(float(above - below), margin, float(np.exp(log_bf01)), counts.n)


def share_interval(
    count: int, n: int, level: float, method: ProportionMethod = "wilson"
) -> Interval:
    """Return the interval of `count` independent events among `n`, one or more."""
    check_level(level)
    limits = stats.binomtest(count, n).proportion_ci(level, method)
    # Wilson's formula can miss 0 and 1 by a rounding error.
    low = float(limits.low) if count else 0.0
    high = float(limits.high) if count < n else 1.0
    return Interval(count / n, low, high, level, n, _METHOD_NAMES[method])


def _answered(reading: ReaderAnswers) -> Counts:
    if not reading.counts.n:
        raise Undefined(f"Reader {reading.reader} has given no answer.")
    return reading.counts


def _share(
    reading: ReaderAnswers, kind: str, count: int, n: int, level: float, method: ProportionMethod
) -> Interval:
    if not n:
        raise Undefined(f"Reader {reading.reader} has answered no {kind} case.")
    return share_interval(count, n, level, method)
