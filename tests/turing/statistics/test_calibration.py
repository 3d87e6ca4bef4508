"""Confidence against accuracy of one reader."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from turing_readings import examples, is_plain, reading_of_counts, reading_of_ratings

from cowgan.turing.statistics import ReaderAnswers, Undefined, calibration, confidence_auc
from cowgan.turing.statistics.answers import RATINGS

# Undefined quantities raise an error instead of a warning.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

# fmt: off
CORRECT = [0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1]
CONFIDENCE = [1, 3, 2, 1, 5, 4, 2, 3, 1, 5, 5, 4, 3, 2, 4, 5, 1, 3, 4, 5, 2, 2, 3, 4]
# fmt: on


def reading_of_confidence(correct, confidence):
    generated = [number % 2 == 0 for number in range(len(correct))]
    signs = [
        1 if truth == bool(right) else -1 for truth, right in zip(generated, correct, strict=True)
    ]
    return reading_of_ratings(generated, np.multiply(signs, confidence))


# scikit-learn 1.9.1: brier_score_loss with probabilities 0.5 to 1 and roc_auc_score.
def test_scores_equal_those_of_scikit_learn():
    reading = reading_of_confidence(CORRECT, CONFIDENCE)
    assert calibration(reading).brier == pytest.approx(0.13932291666666666)
    assert confidence_auc(reading).estimate == pytest.approx(0.9453125)


def test_accuracy_of_each_level_by_hand():
    found = calibration(reading_of_confidence([1, 1, 0, 1, 0], [5, 5, 5, 1, 1]))
    assert found.stated == {1: 0.5, 2: 0.625, 3: 0.75, 4: 0.875, 5: 1.0}
    assert {level: (one.estimate, one.n) for level, one in found.accuracy.items()} == {
        1: (0.5, 2),
        5: (pytest.approx(2 / 3), 3),
    }
    assert found.overconfidence == pytest.approx(0.8 - 0.6)
    assert found.brier == pytest.approx((0 + 0 + 1 + 0.25 + 0.25) / 5)
    assert is_plain(found)


def test_ideal_and_guessing_readers():
    ideal = calibration(reading_of_confidence([1] * 10, [5] * 10))
    assert (ideal.brier, ideal.overconfidence) == (0.0, 0.0)
    guessing = calibration(reading_of_confidence([1, 0] * 5, [1] * 10))
    assert (guessing.brier, guessing.overconfidence) == (0.25, 0.0)
    assert confidence_auc(reading_of_confidence([1, 0] * 5, [1] * 10)).estimate == 0.5


@examples
@given(st.lists(st.tuples(st.booleans(), st.sampled_from(RATINGS)), min_size=1, max_size=40))
def test_brier_score_is_bounded_and_indifferent_to_the_kind(pairs):
    truth, ratings = zip(*pairs, strict=True)
    found = calibration(reading_of_ratings(truth, ratings))
    assert 0 <= found.brier <= 1
    assert sum(one.n for one in found.accuracy.values()) == found.n == len(pairs)
    assert is_plain(found)
    other = calibration(reading_of_ratings([not one for one in truth], np.negative(ratings)))
    assert other.brier == pytest.approx(found.brier)


def test_confidence_needs_right_and_wrong_answers():
    with pytest.raises(Undefined, match="R01 has 10 right and 0 wrong"):
        confidence_auc(reading_of_counts(5, 0, 0, 5))
    with pytest.raises(Undefined, match="R07 has given no answer"):
        calibration(ReaderAnswers("R07", ()))
