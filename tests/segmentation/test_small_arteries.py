"""Tests of the detection of small arteries."""

import numpy as np
import pytest

from cowgan.segmentation.small_arteries import DetectionRates, detection, detection_rates


@pytest.mark.parametrize(
    ("predicted", "truth", "outcome"),
    [
        ([1, 0, 0, 0], [1, 1, 1, 1], "TP"),
        ([1, 0, 0, 0, 0], [1, 1, 1, 1, 1], "FN"),
        ([0, 0], [0, 1], "FN"),
        ([0, 1], [0, 0], "FP"),
        ([0, 0], [0, 0], "TN"),
    ],
)
def test_a_quarter_of_overlap_is_a_detection(predicted, truth, outcome):
    assert detection(np.array(predicted, bool), np.array(truth, bool)) == outcome


def test_rates_are_those_of_topcow():
    # Of the right posterior communicating artery and the third A2 over twelve cases.
    rates = detection_rates(["TP"] * 7 + ["FN"] * 4 + ["TN"])
    assert rates.precision == 1
    assert rates.recall == pytest.approx(0.6363636363636364)
    assert rates.f1 == pytest.approx(0.7777777777777778)
    rates = detection_rates(["TP", "FP"])
    assert (rates.precision, rates.recall) == (0.5, 1)
    assert rates.f1 == pytest.approx(0.6666666666666666)
    assert detection_rates(["FP", "FN", "TN"]) == DetectionRates(0, 0, 0)
