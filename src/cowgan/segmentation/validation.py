"""Scores of a segmentation network on cases that it does not learn from."""

from collections.abc import Mapping

import numpy as np

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.errors import CowganError
from cowgan.measure.overlap import dice
from cowgan.progress import Progress, Silent, advance
from cowgan.segmentation.circle_variants import compare_circles
from cowgan.segmentation.label_pairs import ScoredPair
from cowgan.segmentation.labelled_cases import LabelledCases, as_volume
from cowgan.segmentation.metrics import score
from cowgan.segmentation.segmenter import ArterySegmenter, Segmenter

MEAN_DICE = "mean_dice"
"""Column of the mean Dice over arteries in the log of a run."""


def dice_column(scheme: LabelScheme, value: int) -> str:
    """Return the column of the Dice of an artery."""
    return f"dice_{scheme.labels[value]}"


def validate(segmenter: Segmenter, cases: LabelledCases) -> Mapping[str, float]:
    """Return the mean Dice of each artery over the cases that have it, and the mean of these."""
    values: dict[str, list[float]] = {}
    for case in cases.cases:
        labels = segmenter(as_volume(case.image, cases.spacing_mm)).labels
        for value in segmenter.classes.values:
            truth = case.labels == value
            if truth.any():
                values.setdefault(dice_column(cases.scheme, value), []).append(
                    dice(labels == value, truth)
                )
    means = {name: float(np.mean(found)) for name, found in values.items()}
    return {MEAN_DICE: float(np.mean(list(means.values()))) if means else 0.0, **means}


def score_cases(
    segmenter: ArterySegmenter, cases: LabelledCases, progress: Progress | None = None
) -> dict[str, ScoredPair]:
    """Segment cases and return all metrics by case name.

    Labels that networks do not learn are background in the truth as well.

    Raises
    ------
    CowganError
        The network's labels are of another scheme than those of the cases.
    Cancelled
        The user cancelled.
    """
    if segmenter.scheme is not cases.scheme:
        raise CowganError(
            f"The network gives labels of {segmenter.scheme.name}, and the cases have labels of "
            f"{cases.scheme.name}."
        )
    progress, found = progress or Silent(), {}
    for done, case in enumerate(cases.cases):
        advance(progress, done, len(cases), case.name)
        labels = segmenter(as_volume(case.image, cases.spacing_mm)).labels
        truth = segmenter.classes.learned(case.labels)
        rows = score(labels, truth, cases.scheme, cases.spacing_mm)
        found[case.name] = ScoredPair(rows, compare_circles(labels, truth, cases.scheme), ())
    advance(progress, len(cases), len(cases))
    return found
