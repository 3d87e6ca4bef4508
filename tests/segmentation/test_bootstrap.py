"""Tests of the bootstrap over subjects, against scipy's."""

import numpy as np
import pytest
from scipy import stats

from cowgan.segmentation.bootstrap import FEWEST_SUBJECTS, difference_p, mean_interval


@pytest.fixture
def values():
    return np.random.default_rng(1).normal(0.3, 1, 40).tolist()


def test_the_interval_is_that_of_scipy(values):
    found = mean_interval(values)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=2
    ).confidence_interval
    assert (found.estimate, found.n) == (pytest.approx(np.mean(values)), 40)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.015)
    assert found == mean_interval(values) != mean_interval(values, seed=1)


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.2, 0.6])
def test_p_is_below_5_percent_just_where_the_interval_excludes_0(values, shift):
    moved = (np.array(values) - np.mean(values) + shift).tolist()
    found = mean_interval(moved)
    assert (difference_p(moved).p < 0.05) == (found.low > 0 or found.high < 0)


def test_p_agrees_with_the_t_test_and_has_no_side(values):
    theirs = stats.ttest_1samp(values, 0).pvalue
    assert difference_p(values).p == pytest.approx(theirs, abs=0.02)
    assert difference_p([-value for value in values]).p == pytest.approx(difference_p(values).p)
    assert difference_p([0.0] * 8).p == 1


def test_a_handful_of_subjects_has_neither_interval_nor_p():
    few = [0.1] * (FEWEST_SUBJECTS - 1)
    assert mean_interval(few) is None
    assert difference_p(few) is None
    assert mean_interval([*few, 0.1]).low == pytest.approx(0.1)
