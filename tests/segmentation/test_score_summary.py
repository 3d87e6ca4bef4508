"""Tests of scores by subject and of their summary."""

import pytest

from cowgan.segmentation.circle_variants import CircleMatch
from cowgan.segmentation.metrics import ALL, ArteryScore
from cowgan.segmentation.score_summary import SummaryRow, summarise
from cowgan.segmentation.subject_values import MEAN, Quantity, values_by_subject


def case(ba=None, acom=None):
    """Return rows of a case: Dice, predicted and true voxels of either artery."""
    rows = [ArteryScore(ALL, None, 0.5, predicted_voxels=9, true_voxels=9)]
    for name, value, given in (("BA", 1, ba), ("ACom", 10, acom)):
        dice, predicted, true = given or (None, None, None)
        outcome = {(True, True): "TP", (False, True): "FN", (True, False): "FP"}
        rows.append(
            ArteryScore(
                name,
                value,
                dice,
                detection=outcome.get((bool(predicted), bool(true)), "TN") if value == 10 else None,
                predicted_voxels=predicted,
                true_voxels=true,
            )
        )
    return rows


SCORES = {
    "sub-1_ses-1": case(ba=(0.8, 5, 5)),
    "sub-1_ses-2": case(ba=(0.6, 5, 5), acom=(0.0, 0, 3)),
    "sub-2": case(ba=(0.9, 5, 5), acom=(0.0, 4, 0)),
    "sub-3": case(ba=(0.2, 5, 5), acom=(0.4, 4, 4)),
}


def test_cases_of_a_subject_are_averaged_first():
    found = values_by_subject(SCORES, ["dice"])
    assert found[Quantity("BA", "dice")] == pytest.approx(
        {"sub-1": 0.7, "sub-2": 0.9, "sub-3": 0.2}
    )
    assert found[Quantity("ACom", "dice")] == {"sub-1": 0, "sub-2": 0, "sub-3": 0.4}
    assert found[Quantity(MEAN, "dice")] == pytest.approx(
        {"sub-1": (0.8 + 0.3) / 2, "sub-2": 0.45, "sub-3": 0.3}
    )


def test_arteries_that_are_not_there_can_be_left_out():
    found = values_by_subject(SCORES, ["dice"], only_true=True)
    assert found[Quantity("ACom", "dice")] == {"sub-1": 0, "sub-3": 0.4}
    assert found[Quantity(MEAN, "dice")]["sub-2"] == 0.9


def rows_of(summary):
    return {(row.artery, row.metric): row for row in summary}


def test_a_summary_counts_subjects_and_missing_arteries():
    rows = rows_of(summarise(SCORES, {name: [] for name in SCORES}))
    found = rows["BA", "dice"]
    assert (found.n, found.mean, found.median) == (3, pytest.approx(0.6), pytest.approx(0.7))
    assert (found.low, found.high) == (None, None)
    found = rows["ACom", "dice"]
    assert (found.missing_in_prediction, found.missing_in_truth) == (1, 1)
    assert rows["ACom", "detection_f1"] == SummaryRow("ACom", "detection_f1", 4, 0.5)
    assert rows["BA", "hd95_mm"].n == 0
    assert ("BA", "detection_f1") not in rows
    assert not {"anterior", "posterior"} & {artery for artery, _ in rows}


def test_intervals_need_six_subjects_and_hold_the_mean():
    scores = {f"case {number}": case(ba=(number / 10, 5, 5)) for number in range(6)}
    found = rows_of(summarise(scores, {name: [] for name in scores}))["BA", "dice"]
    assert found.mean == pytest.approx(0.25)
    assert 0 < found.low < 0.25 < found.high < 0.5


def test_variants_count_by_subject_and_by_variant():
    whole, open_one = (True,) * 4, (True, False, True, True)
    circles = {
        "sub-1_ses-1": [CircleMatch("anterior", whole, True, True)],
        "sub-1_ses-2": [CircleMatch("anterior", whole, False, False)],
        "sub-2": [CircleMatch("anterior", open_one, True, False)],
        "sub-3": [CircleMatch("anterior", whole, True, False)],
    }
    rows = rows_of(summarise(SCORES, circles))
    assert rows["anterior", "variant_match"].mean == pytest.approx(2.5 / 3)
    assert rows["anterior", "topology_match"].mean == pytest.approx(0.5 / 3)
    found = rows["anterior", "variant_balanced_accuracy"]
    assert (found.n, found.mean) == (4, pytest.approx((2 / 3 + 1) / 2))
    assert rows["anterior", "topology_balanced_accuracy"].mean == pytest.approx(1 / 6)
    assert ("posterior", "variant_match") not in rows
