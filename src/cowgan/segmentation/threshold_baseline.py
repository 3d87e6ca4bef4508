"""One intensity threshold as a segmentation of all arteries: what a network must surpass."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cowgan.segmentation.classes import Classes
from cowgan.segmentation.comparison import Arm
from cowgan.segmentation.labelled_cases import LabelledCases
from cowgan.segmentation.metrics import ALL
from cowgan.segmentation.subject_values import Quantity, averaged

ALL_DICE = Quantity(ALL, "dice")
"""Dice of all arteries as one mask: all that a threshold can be scored by."""

_LEVELS = 200
"""Thresholds that are tried."""


@dataclass(frozen=True, eq=False)
class ThresholdBaseline:
    """What one threshold reaches.

    Parameters
    ----------
    threshold : float
        Least intensity, from 0 to 1, of what is called an artery.
    arm : Arm
        `ALL_DICE` of each test subject.
    """

    threshold: float
    arm: Arm

    @classmethod
    def of(cls, known: LabelledCases, test: LabelledCases) -> "ThresholdBaseline":
        """Choose the threshold with the best mean Dice over known cases, and test it on others.

        Parameters
        ----------
        known, test : LabelledCases
            Intensities from 0 to 1; all labels that networks learn are arteries.
        """
        best = int(np.argmax(np.mean(_dice_by_level(known), axis=0)))
        values: dict[str, list[float]] = {}
        for case, dice in zip(test.cases, _dice_by_level(test), strict=True):
            values.setdefault(case.subject, []).append(dice[best])
        return cls(best / _LEVELS, Arm("one threshold", averaged({ALL_DICE: values})))


def _dice_by_level(cases: LabelledCases) -> NDArray[np.float64]:
    """Return the Dice of ``image >= level / _LEVELS`` and all arteries, by case and level."""
    classes = Classes.of(cases.scheme)
    found = []
    for case in cases.cases:
        levels = np.floor(np.clip(case.image.astype(np.float32), 0, 1) * _LEVELS).astype(np.intp)
        above, arteries_above = (
            np.bincount(of.ravel(), minlength=_LEVELS + 1)[::-1].cumsum()[::-1]
            for of in (levels, levels[classes.of_labels(case.labels) > 0])
        )
        found.append(2 * arteries_above / (above + arteries_above[0]))
    return np.array(found)
