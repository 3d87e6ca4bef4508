"""Metrics of segmentations by subject: what statistics are made of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import NamedTuple

import numpy as np

from cowgan.data.subjects import subject_of
from cowgan.segmentation.metrics import ALL, ArteryScore

MEAN = "mean"
"""Name of the mean over arteries."""

METRICS = tuple(
    field.name
    for field in fields(ArteryScore)
    if field.name not in ("artery", "value", "detection", "predicted_voxels", "true_voxels")
)
"""The metrics that are averaged."""

CaseScores = Mapping[str, Sequence[ArteryScore]]
"""Rows of each case, by its name."""


class Quantity(NamedTuple):
    """A metric of an artery."""

    artery: str
    metric: str


SubjectValues = Mapping[Quantity, Mapping[str, float]]
"""Value of each quantity in each subject that has it."""


def values_by_subject(
    scores: CaseScores, metrics: Sequence[str] = METRICS, *, only_true: bool = False
) -> dict[Quantity, dict[str, float]]:
    """Return metrics by subject, each averaged over the cases of the subject.

    Parameters
    ----------
    scores : mapping of str to sequence of ArteryScore
        Rows of each case; see `cowgan.segmentation.metrics.score`.
    metrics : sequence of str
        Fields of `ArteryScore`.
    only_true : bool
        Leave out arteries that are not in the truth, so that the same subjects count whatever was
        predicted. Otherwise arteries that are predicted or there count, as in TopCoW.

    Returns
    -------
    dict
        Quantities in the order of the rows, and after each metric's the mean over arteries. One
        that no subject has is empty.
    """
    found: dict[Quantity, dict[str, list[float]]] = {}
    for case, rows in scores.items():
        for metric in metrics:
            of_arteries = []
            for row in rows:
                value = getattr(row, metric)
                of_subjects = found.setdefault(Quantity(row.artery, metric), {})
                if value is None or (only_true and not row.true_voxels):
                    continue
                of_subjects.setdefault(subject_of(case), []).append(value)
                if row.artery != ALL:
                    of_arteries.append(value)
            means = found.setdefault(Quantity(MEAN, metric), {})
            if of_arteries:
                means.setdefault(subject_of(case), []).append(float(np.mean(of_arteries)))
    return averaged(found)


def averaged(
    found: Mapping[Quantity, Mapping[str, Iterable[float]]],
) -> dict[Quantity, dict[str, float]]:
    """Return the mean of the values of each subject, such as those of its cases."""
    return {
        quantity: {subject: float(np.mean(list(values))) for subject, values in subjects.items()}
        for quantity, subjects in found.items()
    }
