"""Tests of the threshold that networks must surpass."""

import numpy as np
import pytest

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.segmentation.labelled_cases import LabelledCase, LabelledCases
from cowgan.segmentation.threshold_baseline import ALL_DICE, ThresholdBaseline


def cases(*given: tuple[str, list[float], list[int]]) -> LabelledCases:
    return LabelledCases(
        [
            LabelledCase(
                f"{subject}-{number}",
                subject,
                np.array(image, np.float16)[None, None],
                np.array(labels, np.uint8)[None, None],
            )
            for number, (subject, image, labels) in enumerate(given)
        ],
        TERRITORIES,
        (1.0, 1.0, 1.0),
    )


def test_the_best_threshold_of_known_subjects_is_tested_on_others() -> None:
    known = cases(("a", [0.1, 0.3, 0.62, 0.9], [0, 0, 2, 5]), ("b", [0.2, 0.58, 0.7], [0, 0, 4]))
    test = cases(("c", [0.1, 0.5, 0.61, 0.8], [0, 3, 0, 3]), ("c", [0.9, 0.1], [2, 0]))
    found = ThresholdBaseline.of(known, test)
    assert 0.58 < found.threshold <= 0.62
    assert found.arm.values == {ALL_DICE: {"c": pytest.approx((0.5 + 1.0) / 2)}}


def test_it_is_the_best_of_all_thresholds() -> None:
    random = np.random.RandomState(0)
    labels = random.choice([0, 2, 3], 4000, p=[0.8, 0.1, 0.1])
    image = np.clip(random.normal(np.where(labels > 0, 0.6, 0.4), 0.1), 0, 1)
    known = cases(("a", image.tolist(), labels.tolist()))
    truth, stored = labels > 0, known.cases[0].image.ravel()
    best = max(
        2 * np.sum((stored >= t) & truth) / (np.sum(stored >= t) + truth.sum())
        for t in np.arange(200) / 200
    )
    found = ThresholdBaseline.of(known, known)
    assert found.arm.values[ALL_DICE]["a"] == pytest.approx(best)
    above = stored >= found.threshold
    assert best == pytest.approx(2 * np.sum(above & truth) / (above.sum() + truth.sum()))


def test_other_vessels_are_background_as_for_networks() -> None:
    known = cases(("a", [0.9, 0.8, 0.1], [1, 2, 0]))
    assert ThresholdBaseline.of(known, known).arm.values[ALL_DICE]["a"] == pytest.approx(2 / 3)
