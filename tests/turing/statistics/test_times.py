"""Times, learning and fatigue of one reader."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from turing_readings import examples, is_plain, reading_of_counts, reading_of_ratings

from cowgan.turing.statistics import (
    Undefined,
    accuracy_trend,
    first_and_second_half,
    pace_trend,
    response_times,
)

# Undefined quantities raise an error instead of a warning.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

# fmt: off
CORRECT = [0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1]
SECONDS = [61, 55, 58, 44, 52, 47, 49, 38, 41, 40, 36, 42,
           33, 37, 30, 35, 31, 29, 33, 28, 27, 30, 26, 25]
# fmt: on


def reading_in_order(correct, seconds=None):
    """Every other case is generated."""
    generated = [number % 2 == 0 for number in range(len(correct))]
    ratings = [
        2 if truth == bool(right) else -2 for truth, right in zip(generated, correct, strict=True)
    ]
    return reading_of_ratings(generated, ratings, seconds)


# statsmodels 0.15.0, Logit of the answers on trial / 10.
def test_accuracy_trend_equals_that_of_statsmodels():
    found = accuracy_trend(reading_in_order(CORRECT))
    assert found.estimate == pytest.approx(2.7400899898802127)
    assert (found.low, found.high) == pytest.approx((0.70058656, 10.71686727))
    assert is_plain(found)


# statsmodels 0.15.0, OLS of log time on trial / 10.
def test_pace_trend_equals_that_of_statsmodels():
    found = pace_trend(reading_in_order(CORRECT, SECONDS))
    assert found.estimate == pytest.approx(0.7023401886195251)
    assert (found.low, found.high) == pytest.approx((0.6676978, 0.73877994))
    assert is_plain(found)


def test_times_by_outcome():
    reading = reading_of_ratings(
        [True, True, False, False, False, True],
        [4, -1, -2, 3, -5, 1],
        [10.0, 30.0, 20.0, 50.0, 40.0, 20.0],
    )
    found = response_times(reading)
    every = found.every
    assert (every.n, every.median_s) == (6, 25.0)
    assert (every.lower_quartile_s, every.upper_quartile_s) == (20.0, 37.5)
    assert {name: (times.n, times.median_s) for name, times in found.of_outcome.items()} == {
        "hit": (2, 15.0),
        "miss": (1, 30.0),
        "false alarm": (1, 50.0),
        "correct rejection": (2, 30.0),
    }
    assert is_plain(found)


# scipy 1.17.1, mannwhitneyu: 0.13336455621949262.
def test_right_and_wrong_answers_are_compared():
    found = response_times(reading_in_order(CORRECT, SECONDS))
    assert found.right_or_wrong.p == pytest.approx(0.13336455621949262)
    all_right = response_times(reading_in_order([1] * 5, SECONDS[:5]))
    assert all_right.right_or_wrong is None
    assert set(all_right.of_outcome) == {"hit", "correct rejection"}


def test_answers_without_a_time_are_left_out_of_times_only():
    reading = reading_of_ratings([True, False, True], [1, -1, -1], [10.0, None, 30.0])
    assert response_times(reading).every.n == 2
    assert reading.counts.n == 3


# statsmodels 0.15.0, confint_proportions_2indep(56, 70, 42, 70, method="newcomb").
def test_gain_between_halves_has_newcombe_s_interval():
    reading = reading_in_order([1] * 42 + [0] * 28 + [1] * 56 + [0] * 14)
    found = first_and_second_half(reading)
    assert (found.first.estimate, found.second.estimate) == (0.6, 0.8)
    assert found.gain.estimate == pytest.approx(0.2)
    limits = (0.04809283873922751, 0.34009005637419165)
    assert (found.gain.low, found.gain.high) == pytest.approx(limits)
    assert is_plain(found)


@examples
@given(st.lists(st.booleans(), min_size=2, max_size=60))
def test_reversing_the_order_negates_the_gain(correct):
    even = correct if len(correct) % 2 == 0 else correct[1:] + correct[:1] + [True]
    there = first_and_second_half(reading_in_order(even)).gain
    back = first_and_second_half(reading_in_order(even[::-1])).gain
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-12)
    assert -1 <= there.low <= there.estimate <= there.high <= 1


@examples
@given(st.lists(st.booleans(), min_size=0, max_size=60))
def test_a_trend_is_estimated_or_undefined(correct):
    reading = reading_in_order(correct)
    try:
        found = accuracy_trend(reading)
    except Undefined as undefined:
        assert "do not mix" in undefined.sentence
        changes = np.abs(np.diff(np.array(correct, dtype=int))).sum() if correct else 0
        assert changes <= 1
        return
    assert is_plain(found)
    back = accuracy_trend(reading_in_order(correct[::-1]))
    assert found.estimate * back.estimate == pytest.approx(1)


def test_trends_of_simulated_readers():
    rng = np.random.default_rng(2)
    trials = np.arange(110)
    odds = np.exp(-0.5 + 0.15 * trials / 10)
    covered, noted = 0, 0
    for _ in range(300):
        found = accuracy_trend(reading_in_order(rng.random(110) < odds / (1 + odds)))
        covered += found.low <= np.exp(0.15) <= found.high
        steady = accuracy_trend(reading_in_order(rng.random(110) < 0.5))
        noted += not steady.low <= 1 <= steady.high
    assert 0.92 <= covered / 300 <= 0.98
    assert noted / 300 <= 0.09


def test_too_few_answers_are_reported():
    with pytest.raises(Undefined, match="No answer of reader R01 has a time"):
        response_times(reading_of_counts(2, 2, 2, 2))
    with pytest.raises(Undefined, match="fewer than three answers with a time"):
        pace_trend(reading_in_order([1, 0], [3.0, 4.0]))
    with pytest.raises(Undefined, match="fewer than two answers"):
        first_and_second_half(reading_in_order([1]))
