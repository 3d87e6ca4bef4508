"""Agreement within readers, from cases shown twice.

Ten repeats leave kappa uncertain by half the scale; no reader should be left out for a low one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cowgan.estimates import Interval, Undefined
from cowgan.turing.statistics.agreement import cohen_kappa, gwet_ac1
from cowgan.turing.statistics.answers import ReaderAnswers
from cowgan.turing.statistics.proportions import share_interval


@dataclass(frozen=True)
class RepeatAgreement:
    """Agreement of one reader's answers to cases shown twice.

    Parameters
    ----------
    share : Interval
        Share of cases answered the same twice.
    kappa : Interval or None
        Cohen's; None where one answer was given throughout, which leaves it undefined.
    ac1 : Interval or None
        Gwet's; None for a single repeat.
    """

    share: Interval
    kappa: Interval | None
    ac1: Interval | None


@dataclass(frozen=True)
class PooledRepeats:
    """Agreement of readers with themselves, all their repeats together.

    A description without intervals, as repeats of one reader are not independent.

    Parameters
    ----------
    readers, n : int
        How many readers, and repeats.
    share : float
        Share of repeats answered as the first time.
    kappa : float or None
        Cohen's; None where one answer was given throughout.
    ac1 : float
        Gwet's.
    """

    readers: int
    n: int
    share: float
    kappa: float | None
    ac1: float


def repeat_agreement(reading: ReaderAnswers, level: float = 0.95) -> RepeatAgreement:
    """Return how far the two answers to each case shown twice agree.

    Raises
    ------
    Undefined
        There is no repeat.
    """
    labels = _first_and_second(reading)
    same = int((labels[0] == labels[1]).sum())
    return RepeatAgreement(
        share_interval(same, labels.shape[1], level),
        _or_none(cohen_kappa, labels, level),
        _or_none(gwet_ac1, labels, level),
    )


def pooled_repeats(readings: Sequence[ReaderAnswers]) -> PooledRepeats:
    """Return how far readers agree with themselves, all repeats together.

    Raises
    ------
    Undefined
        There are fewer than two repeats in all.
    """
    parts = [_first_and_second(reading) for reading in readings if reading.repeats]
    if sum(part.shape[1] for part in parts) < 2:
        raise Undefined("Agreement of readers with themselves needs two or more repeats.")
    labels = np.concatenate(parts, axis=1)
    kappa = _or_none(cohen_kappa, labels, 0.95)
    return PooledRepeats(
        len(parts),
        labels.shape[1],
        float((labels[0] == labels[1]).mean()),
        None if kappa is None else kappa.estimate,
        gwet_ac1(labels).estimate,
    )


def _first_and_second(reading: ReaderAnswers) -> NDArray[np.int64]:
    if not reading.repeats:
        raise Undefined(f"Reader {reading.reader} has answered no case twice.")
    first = {answer.case: answer.rating for answer in reading.answers}
    pairs = [(first[repeat.case], repeat.rating) for repeat in reading.repeats]
    return np.sign(np.array(pairs, dtype=np.int64)).T


def _or_none(
    coefficient: Callable[..., Interval], labels: NDArray[np.int64], level: float
) -> Interval | None:
    try:
        return coefficient(labels, level=level)
    except Undefined:
        return None
