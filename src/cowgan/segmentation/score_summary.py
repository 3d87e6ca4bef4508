"""Scores of many cases in one table: means by subject, detection, and variants of the circle."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import get_args

from cowgan.data.subjects import subject_of
from cowgan.segmentation.bootstrap import mean_interval
from cowgan.segmentation.circle_variants import CircleMatch, Circulation, balanced_accuracy
from cowgan.segmentation.metrics import ArteryScore
from cowgan.segmentation.small_arteries import detection_rates
from cowgan.segmentation.subject_values import (
    CaseScores,
    Quantity,
    averaged,
    values_by_subject,
)


@dataclass(frozen=True)
class SummaryRow:
    """A quantity over all cases.

    Parameters
    ----------
    artery : str
        Name in the label scheme, `cowgan.segmentation.metrics.ALL`,
        `cowgan.segmentation.subject_values.MEAN`, or a circulation.
    metric : str
        A field of `ArteryScore`, or a rate over cases: ``"detection_f1"``,
        ``"variant_match"``, ``"topology_match"``, ``"variant_balanced_accuracy"`` and
        ``"topology_balanced_accuracy"``.
    n : int
        Number of subjects; of the F1 and the balanced accuracies, of cases.
    mean, median : float or None
        Over subjects; None without any. A rate over cases has no median.
    low, high : float or None
        95 % bootstrap interval of the mean; None for rates over cases and for few subjects.
    missing_in_prediction, missing_in_truth : int or None
        Cases in which the artery is in the other map only.
    """

    artery: str
    metric: str
    n: int
    mean: float | None = None
    median: float | None = None
    low: float | None = None
    high: float | None = None
    missing_in_prediction: int | None = None
    missing_in_truth: int | None = None


def summarise(
    scores: CaseScores, circles: Mapping[str, Sequence[CircleMatch]], seed: int = 0
) -> list[SummaryRow]:
    """Summarise the scores of many cases.

    Parameters
    ----------
    scores : mapping of str to sequence of ArteryScore
        Rows of each case; see `cowgan.segmentation.metrics.score`.
    circles : mapping of str to sequence of CircleMatch
        Of each case; empty sequences for schemes without variants.
    seed : int
        Seed of the bootstrap.
    """
    return [
        *_metrics(scores, seed),
        *_detections(scores),
        *_circle_shares(circles, seed),
        *_circle_accuracies(circles),
    ]


def missing_cases(scores: CaseScores, artery: str) -> tuple[int, int]:
    """Return in how many cases an artery is in the truth only, and in the prediction only."""
    rows = [row for of_case in scores.values() for row in of_case if row.artery == artery]
    missed = sum(bool(row.true_voxels) and not row.predicted_voxels for row in rows)
    made_up = sum(bool(row.predicted_voxels) and not row.true_voxels for row in rows)
    return missed, made_up


def _metrics(scores: CaseScores, seed: int) -> Iterator[SummaryRow]:
    missing = {row.artery: missing_cases(scores, row.artery) for row in _first(scores)}
    for quantity, subjects in values_by_subject(scores).items():
        yield _row(quantity, subjects, seed, *missing.get(quantity.artery, (None, None)))


def _row(
    quantity: Quantity,
    subjects: Mapping[str, float],
    seed: int,
    missed: int | None = None,
    made_up: int | None = None,
) -> SummaryRow:
    values = list(subjects.values())
    found = mean_interval(values, seed)
    return SummaryRow(
        *quantity,
        len(values),
        fmean(values) if values else None,
        median(values) if values else None,
        found.low if found else None,
        found.high if found else None,
        missed,
        made_up,
    )


def _detections(scores: CaseScores) -> Iterator[SummaryRow]:
    for artery in (row.artery for row in _first(scores) if row.detection):
        outcomes = [
            row.detection
            for rows in scores.values()
            for row in rows
            if row.artery == artery and row.detection
        ]
        yield SummaryRow(artery, "detection_f1", len(outcomes), detection_rates(outcomes).f1)


def _circle_shares(circles: Mapping[str, Sequence[CircleMatch]], seed: int) -> Iterator[SummaryRow]:
    found: dict[Quantity, dict[str, list[float]]] = {}
    for case, matches in circles.items():
        for match in matches:
            for metric in ("variant_match", "topology_match"):
                of_subjects = found.setdefault(Quantity(match.circulation, metric), {})
                of_subjects.setdefault(subject_of(case), []).append(getattr(match, metric))
    for quantity, subjects in averaged(found).items():
        yield _row(quantity, subjects, seed)


def _circle_accuracies(circles: Mapping[str, Sequence[CircleMatch]]) -> Iterator[SummaryRow]:
    for circulation in get_args(Circulation):
        matches = [one for of in circles.values() for one in of if one.circulation == circulation]
        if not matches:
            continue
        variants = [match.true_variant for match in matches]
        for of in ("variant", "topology"):
            accuracy = balanced_accuracy(variants, (getattr(one, f"{of}_match") for one in matches))
            yield SummaryRow(circulation, f"{of}_balanced_accuracy", len(matches), accuracy)


def _first(scores: CaseScores) -> Sequence[ArteryScore]:
    return next(iter(scores.values()))
