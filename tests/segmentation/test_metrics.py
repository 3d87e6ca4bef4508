"""Tests of the metrics of label maps, against the frozen values of TopCoW's evaluation code."""

import numpy as np
import pytest
from topcow_values import PAIRS, frozen_pair

from cowgan.anatomy.label_schemes import SEVEN_ARTERIES, TOPCOW_2024
from cowgan.errors import CowganError
from cowgan.segmentation.metrics import ALL, mean_over_arteries, score

THEIR_NAMES = {"R-PCom": "R-Pcom", "L-PCom": "L-Pcom", "ACom": "Acom", ALL: "MergedBin"}
SPACING_MM = (0.8, 0.5, 0.6)


@pytest.mark.parametrize("name", PAIRS)
def test_values_are_those_of_topcow(shared_dir, name):
    pair = frozen_pair(shared_dir, name)
    rows = score(pair.predicted, pair.truth, TOPCOW_2024, pair.spacing_mm)
    assert [row.artery for row in rows] == [ALL, *TOPCOW_2024.labels.values()]
    for row in rows:
        theirs = THEIR_NAMES.get(row.artery, row.artery)
        if f"Dice_{theirs}" not in pair.values:
            assert row.dice is None
            continue
        assert row.dice == pytest.approx(pair.values[f"Dice_{theirs}"], abs=1e-15)
        assert row.hd95_mm == pytest.approx(pair.values[f"HD95_{theirs}"], abs=1e-5)
        assert row.hd_mm == pytest.approx(pair.values[f"HD_{theirs}"], abs=1e-5)
        assert row.betti0_error == pair.values[f"B0err_{theirs}"]
    assert rows[0].cldice == pair.values["clDice"]
    assert {row.value: row.detection for row in rows if row.detection} == {
        int(value): verdict["Detection"]
        for value, verdict in pair.values["all_detection_dicts"].items()
    }


@pytest.mark.parametrize("name", PAIRS)
def test_means_over_arteries_are_those_of_topcow(shared_dir, name):
    pair = frozen_pair(shared_dir, name)
    rows = score(pair.predicted, pair.truth, TOPCOW_2024, pair.spacing_mm)
    for metric, theirs, within in (
        ("dice", "Dice_ClsAvgDice", 1e-15),
        ("hd95_mm", "HD95_ClsAvgHD95", 1e-5),
        ("hd_mm", "HD_ClsAvgHD", 1e-5),
        ("betti0_error", "B0err_ClsAvgB0err", 0),
    ):
        assert mean_over_arteries(rows, metric) == pytest.approx(pair.values[theirs], abs=within)


def basilar(rows):
    return next(row for row in rows if row.artery == "BA")


def test_a_ring_that_opens_loses_its_loop_and_some_volume():
    ring = np.zeros((5, 12, 12), np.uint8)
    ring[1:4, 2:10, 2:10] = 1
    ring[:, 5:7, 5:7] = 0
    opened = ring.copy()
    opened[:, 5:7, 7:] = 0
    (row,) = [row for row in score(opened, ring, TOPCOW_2024, SPACING_MM) if row.artery == "BA"]
    assert (row.betti0_error, row.betti1_error) == (0, 1)
    assert row.volume_error_mm3 == pytest.approx(-3 * 2 * 3 * 0.24)


def test_surfaces_agree_within_a_millimetre():
    truth = np.zeros((4, 40, 30), np.uint8)
    truth[1:3, 5:15, 5:25] = 1
    # 1 mm is two voxels along x.
    for moved, expected in ((2, 1.0), (3, 0.0)):
        there = np.zeros_like(truth)
        there[1:3, 5 + moved, 5:25] = 1
        here = np.zeros_like(truth)
        here[1:3, 5, 5:25] = 1
        assert basilar(score(there, here, TOPCOW_2024, SPACING_MM)).surface_dice == expected
    assert basilar(score(truth, truth, TOPCOW_2024, SPACING_MM)).surface_dice == 1


def test_a_small_artery_that_thins_away_still_agrees_with_itself():
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[3:5, 3:5, 3:5] = 10
    row = next(row for row in score(labels, labels, TOPCOW_2024, SPACING_MM) if row.value == 10)
    assert row.cldice == 1
    assert row.detection == "TP"


def test_merged_sides_are_scored_by_their_own_names():
    labels = np.zeros((4, 8, 8), np.uint8)
    labels[1, 2:5, 3] = 6
    rows = score(labels, np.zeros_like(labels), SEVEN_ARTERIES, SPACING_MM)
    assert {row.artery: row.detection for row in rows if row.detection} == {
        "PCom": "FP",
        "ACom": "TN",
    }


def test_different_shapes_and_unknown_labels_are_refused(single_sentence):
    labels = np.zeros((4, 8, 8), np.uint8)
    with pytest.raises(CowganError) as refusal:
        score(labels, labels[:, 1:], TOPCOW_2024, SPACING_MM)
    assert single_sentence(refusal) == (
        "The prediction has 4 x 8 x 8 voxels and the truth 4 x 7 x 8; compare label maps on the "
        "same grid."
    )
    labels[0, 0, 0] = 13
    for pair in ((labels, labels * 0), (labels * 0, labels)):
        with pytest.raises(CowganError, match="The label 13 is not one of TopCoW 2024"):
            score(*pair, TOPCOW_2024, SPACING_MM)
