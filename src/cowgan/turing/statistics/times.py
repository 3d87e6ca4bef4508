"""Response times of one reader, and signs of learning and fatigue."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from cowgan.estimates import Interval, PValue, Undefined, check_level
from cowgan.turing.statistics.answers import Answer, ReaderAnswers
from cowgan.turing.statistics.proportions import share_interval

PER_TRIALS = 10
"""Trends are expressed per this number of trials."""

_OUTCOMES: dict[str, Callable[[Answer], bool]] = {
    "hit": lambda answer: answer.generated and answer.correct,
    "miss": lambda answer: answer.generated and not answer.correct,
    "false alarm": lambda answer: not answer.generated and not answer.correct,
    "correct rejection": lambda answer: not answer.generated and answer.correct,
}
_MAX_STEPS = 100
_SMALL_STEP = 1e-10


@dataclass(frozen=True)
class Times:
    """Spread of the times of some answers.

    Parameters
    ----------
    n : int
        Number of answers with a known time.
    median_s, lower_quartile_s, upper_quartile_s : float
        In seconds.
    """

    n: int
    median_s: float
    lower_quartile_s: float
    upper_quartile_s: float


@dataclass(frozen=True)
class ResponseTimes:
    """Times of one reader's answers.

    Parameters
    ----------
    every : Times
        All answers; none is left out as too fast or too slow.
    of_outcome : dict of str to Times
        Of ``"hit"``, ``"miss"``, ``"false alarm"`` and ``"correct rejection"``, those that
        occur.
    right_or_wrong : PValue or None
        Whether right and wrong answers take equally long; None if there is but one sort.
    """

    every: Times
    of_outcome: dict[str, Times]
    right_or_wrong: PValue | None


@dataclass(frozen=True)
class Halves:
    """Accuracy of the first and the second half of one reader's trials.

    Parameters
    ----------
    first, second : Interval
        The accuracies.
    gain : Interval
        Second minus first.
    """

    first: Interval
    second: Interval
    gain: Interval


def response_times(reading: ReaderAnswers) -> ResponseTimes:
    """Return medians and quartiles, overall and by outcome.

    Raises
    ------
    Undefined
        No answer has a time.
    """
    timed = [answer for answer in reading.answers if answer.seconds is not None]
    groups = {
        outcome: [answer.seconds for answer in timed if belongs(answer)]
        for outcome, belongs in _OUTCOMES.items()
    }
    right, wrong = (
        [answer.seconds for answer in timed if answer.correct is correct]
        for correct in (True, False)
    )
    comparison = None
    if right and wrong:
        p = float(stats.mannwhitneyu(right, wrong).pvalue)
        comparison = PValue(p, len(timed), "Wilcoxon rank-sum, two-sided")
    return ResponseTimes(
        _times(_seconds(reading)[1]),
        {outcome: _times(np.array(seconds)) for outcome, seconds in groups.items() if seconds},
        comparison,
    )


def first_and_second_half(reading: ReaderAnswers, level: float = 0.95) -> Halves:
    """Return accuracies of the halves, the middle trial of an odd number in the second.

    Raises
    ------
    Undefined
        Fewer than two answers.
    """
    n = len(reading.correct)
    if n < 2:
        raise Undefined(f"Reader {reading.reader} has given fewer than two answers.")
    first, second = (
        share_interval(int(half.sum()), len(half), level)
        for half in (reading.correct[: n // 2], reading.correct[n // 2 :])
    )
    gain = second.estimate - first.estimate
    # Newcombe, Stat Med 17:873, 1998, method 10.
    below = np.hypot(second.estimate - second.low, first.high - first.estimate)
    above = np.hypot(second.high - second.estimate, first.estimate - first.low)
    return Halves(
        first,
        second,
        Interval(gain, float(gain - below), float(gain + above), level, n, "Newcombe"),
    )


def accuracy_trend(reading: ReaderAnswers, level: float = 0.95) -> Interval:
    """Return the odds ratio of a right answer after `PER_TRIALS` more trials.

    Above 1 the reader learns, below 1 tires. By logistic regression on the trial, with
    Wald limits.

    Raises
    ------
    Undefined
        All answers are right or all wrong, or all of one sort come before the others.
    """
    check_level(level)
    correct = reading.correct
    trials = np.arange(len(correct), dtype=np.float64)
    right, wrong = trials[correct], trials[~correct]
    if not (len(right) and len(wrong)) or right.max() < wrong.min() or wrong.max() < right.min():
        raise Undefined(
            f"The right and wrong answers of reader {reading.reader} do not mix, so no trend "
            "can be fitted to them."
        )
    slope, error = _logistic_slope((trials - trials.mean()) / PER_TRIALS, correct)
    half = float(stats.norm.ppf(0.5 + level / 2)) * error
    ratio, low, high = (float(np.exp(value)) for value in (slope, slope - half, slope + half))
    return Interval(ratio, low, high, level, len(correct), "logistic regression, Wald")


def pace_trend(reading: ReaderAnswers, level: float = 0.95) -> Interval:
    """Return by which factor times change after `PER_TRIALS` more trials.

    Below 1 the reader grows faster. By linear regression of the logarithm on the trial.

    Raises
    ------
    Undefined
        Fewer than three answers have a time.
    """
    check_level(level)
    trials, seconds = _seconds(reading)
    if len(seconds) < 3:
        raise Undefined(f"Reader {reading.reader} has fewer than three answers with a time.")
    fit = stats.linregress(trials / PER_TRIALS, np.log(seconds))
    # Of equal times, rounding can make the square root of a negative number.
    error = fit.stderr if np.isfinite(fit.stderr) else 0.0
    half = float(stats.t.ppf(0.5 + level / 2, len(seconds) - 2)) * error
    factor, low, high = (
        float(np.exp(value)) for value in (fit.slope, fit.slope - half, fit.slope + half)
    )
    return Interval(factor, low, high, level, len(seconds), "log-linear regression")


def _seconds(reading: ReaderAnswers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the trials with a time, and the times."""
    timed = [
        (trial, answer.seconds)
        for trial, answer in enumerate(reading.answers)
        if answer.seconds is not None
    ]
    if not timed:
        raise Undefined(f"No answer of reader {reading.reader} has a time.")
    trials, seconds = np.array(timed, dtype=np.float64).T
    return trials, seconds


def _times(seconds: NDArray[np.float64]) -> Times:
    lower, median, upper = (float(value) for value in np.quantile(seconds, (0.25, 0.5, 0.75)))
    return Times(len(seconds), median, lower, upper)


def _logistic_slope(x: NDArray[np.float64], y: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the slope of the log odds of `y` and its standard error, by Newton's method."""
    design = np.stack([np.ones_like(x), x], axis=1)
    coefficients = np.zeros(2)
    for _ in range(_MAX_STEPS):
        fitted = 1 / (1 + np.exp(-design @ coefficients))
        information = design.T @ (design * (fitted * (1 - fitted))[:, np.newaxis])
        step = np.linalg.solve(information, design.T @ (y - fitted))
        coefficients += step
        if np.abs(step).max() < _SMALL_STEP:
            break
    return float(coefficients[1]), float(np.linalg.inv(information)[1, 1] ** 0.5)
