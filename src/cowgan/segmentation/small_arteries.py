"""Detection of the small arteries of the Circle of Willis, which are absent in many people."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cowgan.measure.overlap import intersection_over_union

DetectionOutcome = Literal["TP", "FN", "FP", "TN"]

SMALL_ARTERIES = frozenset({"R-PCom", "L-PCom", "PCom", "ACom", "3rd-A2"})
"""Names of the arteries whose detection is judged."""

LEAST_OVERLAP = 0.25
"""Intersection over union from which an artery counts as detected, as in TopCoW."""


def detection(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> DetectionOutcome:
    """Judge whether an artery was detected, by the rules of TopCoW.

    An artery that is there but predicted elsewhere counts as missed (``"FN"``), not as two errors.
    """
    if truth.any():
        found = intersection_over_union(predicted, truth) >= LEAST_OVERLAP
        return "TP" if found else "FN"
    return "FP" if predicted.any() else "TN"


@dataclass(frozen=True)
class DetectionRates:
    """Precision, recall and F1 score of the detection of an artery; 0 where undefined."""

    precision: float
    recall: float
    f1: float


def detection_rates(outcomes: Iterable[DetectionOutcome]) -> DetectionRates:
    """Summarise the detection of one artery over cases."""
    count = Counter(outcomes)
    detected, missed, made_up = count["TP"], count["FN"], count["FP"]
    if not detected:
        return DetectionRates(0, 0, 0)
    return DetectionRates(
        detected / (detected + made_up),
        detected / (detected + missed),
        2 * detected / (2 * detected + made_up + missed),
    )
