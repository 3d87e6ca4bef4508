"""Signal detection: how well one reader tells the kinds apart, and prefers one answer.

Rates are log-linear, (hits + 0.5) / (generated + 1) and so on, so that they are never 0 or
1 (Hautus, Behav Res Methods 27:46, 1995). Intervals are normal, with the variance of
Gourevitch and Galanter (Psychometrika 32:25, 1967).
"""

import math

from scipy import stats

from cowgan.estimates import Interval, Undefined, check_level
from cowgan.turing.design.trials import Design
from cowgan.turing.statistics.answers import ReaderAnswers

_METHOD = "log-linear, Gourevitch-Galanter"


def d_prime(reading: ReaderAnswers, level: float = 0.95, design: Design = "rating") -> Interval:
    """Return the distance of generated from real cases in standard deviations of either.

    0 is chance. In 2AFC two volumes inform each answer, so the same distance gives fewer
    errors; it is smaller by the square root of 2 than the answers alone would suggest.
    """
    generated, real, variance = _scores(reading)
    scale = math.sqrt(0.5) if design == "2afc" else 1.0
    return _interval(scale * (generated - real), scale**2 * variance, level, reading.counts.n)


def criterion(reading: ReaderAnswers, level: float = 0.95) -> Interval:
    """Return the preference for one answer: positive for real, negative for generated."""
    generated, real, variance = _scores(reading)
    return _interval(-(generated + real) / 2, variance / 4, level, reading.counts.n)


def _scores(reading: ReaderAnswers) -> tuple[float, float, float]:
    """Return z of hit and false alarm rate, and the sum of their variances."""
    counts = reading.counts
    if not counts.generated or not counts.real:
        raise Undefined(f"Reader {reading.reader} has not answered cases of both kinds.")
    scores, variance = [], 0.0
    for called, n in ((counts.hits, counts.generated), (counts.false_alarms, counts.real)):
        rate = (called + 0.5) / (n + 1)
        score = float(stats.norm.ppf(rate))
        variance += rate * (1 - rate) / (n * float(stats.norm.pdf(score)) ** 2)
        scores.append(score)
    return scores[0], scores[1], variance


def _interval(estimate: float, variance: float, level: float, n: int) -> Interval:
    check_level(level)
    half = float(stats.norm.ppf(0.5 + level / 2)) * math.sqrt(variance)
    # Adding zero turns -0.0 into 0.0.
    return Interval(estimate + 0.0, estimate - half, estimate + half, level, n, _METHOD)
