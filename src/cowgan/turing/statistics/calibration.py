"""Whether one reader's confidence means anything."""

from dataclasses import dataclass

import numpy as np

from cowgan.estimates import Interval, Undefined
from cowgan.turing.statistics.answers import HIGHEST, Answer, ReaderAnswers
from cowgan.turing.statistics.proportions import share_interval
from cowgan.turing.statistics.roc import auc


@dataclass(frozen=True)
class Calibration:
    """Stated against actual accuracy of one reader.

    The levels are taken as evenly spaced from a guess, 50 % sure, to certainty.

    Parameters
    ----------
    stated : dict of int to float
        How sure each confidence level says the reader is.
    accuracy : dict of int to Interval
        How often the answers of a level are right, for the levels used.
    brier : float
        Mean squared difference of stated probability and truth; 0.25 for guesses, 0 at best.
    overconfidence : float
        Mean stated minus actual accuracy.
    n : int
        Number of answers.
    """

    stated: dict[int, float]
    accuracy: dict[int, Interval]
    brier: float
    overconfidence: float
    n: int


def calibration(reading: ReaderAnswers, level: float = 0.95) -> Calibration:
    """Compare confidence with accuracy.

    Raises
    ------
    Undefined
        There is no answer.
    """
    if not reading.answers:
        raise Undefined(f"Reader {reading.reader} has given no answer.")
    confidence, correct = np.abs(reading.ratings), reading.correct
    stated = {step: 0.5 + 0.5 * (step - 1) / (HIGHEST - 1) for step in range(1, HIGHEST + 1)}
    sure = np.array([stated[int(step)] for step in confidence])
    used = {step: correct[confidence == step] for step in stated if (confidence == step).any()}
    return Calibration(
        stated,
        {step: share_interval(int(right.sum()), len(right), level) for step, right in used.items()},
        float(((sure - correct) ** 2).mean()),
        float(sure.mean() - correct.mean()),
        len(correct),
    )


def confidence_auc(reading: ReaderAnswers, level: float = 0.95) -> Interval:
    """Return how often a right answer is given with more confidence than a wrong one.

    The area under the type 2 ROC curve (Galvin et al., Psychon Bull Rev 10:843, 2003):
    0.5 if confidence says nothing about being right.

    Raises
    ------
    Undefined
        Fewer than two right or two wrong answers.
    """
    right = reading.correct
    if min(right.sum(), (~right).sum()) < 2:
        raise Undefined(
            f"Confidence of right and wrong answers cannot be compared: reader {reading.reader} "
            f"has {right.sum()} right and {(~right).sum()} wrong."
        )
    answers = tuple(
        Answer(answer.case, answer.correct, abs(answer.rating)) for answer in reading.answers
    )
    return auc(ReaderAnswers(reading.reader, answers), level)
