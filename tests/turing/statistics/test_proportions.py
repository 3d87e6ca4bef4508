"""Accuracy of one reader against other packages, and against its own definition."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from turing_readings import examples, is_plain, reading_of_correct, reading_of_counts

from cowgan.errors import CowganError
from cowgan.turing.statistics import (
    ReaderAnswers,
    Undefined,
    accuracy,
    balanced_accuracy,
    bayes,
    binomial_test,
    equivalence_test,
    fisher_test,
    sensitivity,
    specificity,
)

# Undefined quantities raise an error instead of a warning.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

counts = st.tuples(*[st.integers(0, 12)] * 4).filter(lambda cells: sum(cells) > 0)
both_kinds = counts.filter(lambda cells: sum(cells[:2]) and sum(cells[2:]))


# statsmodels 0.15.0, proportion_confint(method="wilson") and (method="beta").
@pytest.mark.parametrize(
    ("right", "n", "wilson", "exact"),
    [
        (44, 100, (0.3467202663, 0.5377189535), (0.3408360237, 0.5428125029)),
        (22, 50, (0.3116219921, 0.5769397198), (0.2999072209, 0.5874558771)),
        (7, 10, (0.3967781475, 0.8922087326), (0.3475471500, 0.9332604888)),
        (20, 20, (0.8388748419, 1.0), (0.8315665290, 1.0)),
        (0, 20, (0.0, 0.1611251581), (0.0, 0.1684334710)),
        (1, 1, (0.2065493144, 1.0), (0.025, 1.0)),
    ],
)
def test_intervals_equal_those_of_statsmodels(right, n, wilson, exact):
    reading = reading_of_correct(right, n)
    for method, expected in (("wilson", wilson), ("exact", exact)):
        found = accuracy(reading, method=method)
        assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)
        assert (found.estimate, found.n) == (right / n, n)
        assert 0 <= found.low <= found.high <= 1


# statsmodels 0.15.0: binom_test and binom_tost.
def test_tests_equal_those_of_statsmodels():
    assert binomial_test(reading_of_correct(44, 100)).p == pytest.approx(0.2712530240738354)
    assert binomial_test(reading_of_correct(22, 50)).p == pytest.approx(0.4798876616983279)
    for right, p in ((44, 0.23653118016911676), (50, 0.027099197757009065)):
        assert equivalence_test(reading_of_correct(right, 100), 0.1).p == pytest.approx(p)


# pingouin 0.7.0, 1 / bayesfactor_binom(k, n, 0.5).
@pytest.mark.parametrize(
    ("right", "n", "bf01"), [(44, 100, 3.93420853870), (15, 20, 0.31050109863)]
)
def test_bayes_factor_equals_that_of_pingouin(right, n, bf01):
    assert bayes(reading_of_correct(right, n), 0.1).bf01 == pytest.approx(bf01)


def test_the_posterior_is_the_integral_of_its_density():
    density = lambda p: p ** (44 - 0.5) * (1 - p) ** (56 - 0.5)  # noqa: E731
    p = np.linspace(0, 1, 200001)
    within = np.abs(p - 0.5) < 0.1
    found = bayes(reading_of_correct(44, 100), 0.1).probability_within
    assert found == pytest.approx(density(p)[within].sum() / density(p).sum(), abs=1e-4)


# 44 % of various numbers of trials, worked out beforehand with statsmodels and pingouin: none
# of them shows equivalence within 0.1.
@pytest.mark.parametrize(
    ("n", "p", "p_equivalence", "within", "bf01"),
    [
        (25, 0.69, 0.41, 0.61, 3.5),
        (50, 0.48, 0.33, 0.71, 4.0),
        (100, 0.27, 0.24, 0.79, 3.9),
        (200, 0.10, 0.14, 0.88, 2.7),
        (300, 0.043, 0.088, 0.92, 1.6),
    ],
)
def test_tests_of_an_accuracy_of_44_percent(n, p, p_equivalence, within, bf01):
    reading = reading_of_correct(round(0.44 * n), n)
    found = bayes(reading, 0.1)
    assert binomial_test(reading).p == pytest.approx(p, abs=0.005)
    assert equivalence_test(reading, 0.1).p == pytest.approx(p_equivalence, abs=0.005)
    assert found.probability_within == pytest.approx(within, abs=0.005)
    assert found.bf01 == pytest.approx(bf01, abs=0.05)


# scipy 1.17.1, fisher_exact; an accuracy of 0.44 that no binomial test tells from chance.
def test_fisher_s_test_finds_discrimination_hidden_by_bias():
    hidden = reading_of_counts(hits=44, misses=6, false_alarms=50, correct_rejections=0)
    assert fisher_test(hidden).p == pytest.approx(0.026661076308390468)
    assert binomial_test(hidden).p > 0.25


def test_sensitivity_and_specificity_by_hand():
    reading = reading_of_counts(hits=30, misses=10, false_alarms=12, correct_rejections=48)
    assert (sensitivity(reading).estimate, sensitivity(reading).n) == (0.75, 40)
    assert (specificity(reading).estimate, specificity(reading).n) == (0.8, 60)
    assert balanced_accuracy(reading).estimate == pytest.approx(0.775)


def power(n, truth, decides):
    decided = [k for k in range(n + 1) if decides(reading_of_correct(k, n)).p < 0.05]
    return stats.binom.pmf(decided, n, truth).sum()


# Number of trials of one reader from which on the power stays above 80 %, as power rises in
# a zigzag.
@pytest.mark.parametrize(("truth", "n"), [(0.70, 54), (0.75, 36)])
def test_trials_needed_to_find_an_accuracy(truth, n):
    assert min(power(n + more, truth, binomial_test) for more in range(4)) >= 0.8
    assert min(power(n - less, truth, binomial_test) for less in (1, 2)) < 0.8


@pytest.mark.parametrize(("margin", "n"), [(0.15, 100), (0.20, 58)])
def test_trials_needed_to_show_equivalence(margin, n):
    def decides(reading):
        return equivalence_test(reading, margin)

    assert min(power(n + more, 0.5, decides) for more in range(4)) >= 0.8
    assert min(power(n - less, 0.5, decides) for less in (1, 2)) < 0.8


@examples
@given(both_kinds)
def test_exchanging_the_kinds_exchanges_sensitivity_and_specificity(cells):
    hits, misses, false_alarms, rejections = cells
    reading = reading_of_counts(*cells)
    exchanged = reading_of_counts(rejections, false_alarms, misses, hits)
    assert sensitivity(reading) == specificity(exchanged)
    assert accuracy(reading) == accuracy(exchanged)
    assert fisher_test(reading).p == pytest.approx(fisher_test(exchanged).p)
    assert balanced_accuracy(reading).low == pytest.approx(balanced_accuracy(exchanged).low)


@examples
@given(both_kinds)
def test_answering_the_opposite_mirrors_accuracy(cells):
    hits, misses, false_alarms, rejections = cells
    reading = reading_of_counts(*cells)
    opposite = reading_of_counts(misses, hits, rejections, false_alarms)
    for quantity in (accuracy, balanced_accuracy):
        there, back = quantity(reading), quantity(opposite)
        assert there.estimate == pytest.approx(1 - back.estimate)
        assert (there.low, there.high) == pytest.approx((1 - back.high, 1 - back.low))
    for test in (binomial_test, fisher_test, lambda one: equivalence_test(one, 0.1)):
        assert test(reading).p == pytest.approx(test(opposite).p)
    assert bayes(reading, 0.1).bf01 == pytest.approx(bayes(opposite, 0.1).bf01)


@examples
@given(both_kinds)
def test_higher_levels_contain_lower_ones(cells):
    reading = reading_of_counts(*cells)
    for quantity in (accuracy, sensitivity, specificity, balanced_accuracy):
        intervals = [quantity(reading, level) for level in (0.5, 0.9, 0.95, 0.99)]
        for inner, outer in itertools.pairwise(intervals):
            assert outer.low <= inner.low <= inner.estimate <= inner.high <= outer.high


@examples
@given(counts, st.floats(0.01, 0.3), st.floats(0.01, 0.15))
def test_a_wider_margin_is_easier_to_stay_within(cells, margin, more):
    reading = reading_of_counts(*cells)
    assert equivalence_test(reading, margin + more).p <= equivalence_test(reading, margin).p
    narrow, wide = bayes(reading, margin), bayes(reading, margin + more)
    assert wide.probability_within >= narrow.probability_within


@pytest.mark.parametrize("n", [50, 100, 200])
@pytest.mark.parametrize("method", ["wilson", "exact"])
def test_intervals_cover_the_truth_at_chance(n, method):
    covered = [
        k
        for k in range(n + 1)
        if (found := accuracy(reading_of_correct(k, n), method=method)).low <= 0.5 <= found.high
    ]
    coverage = stats.binom.pmf(covered, n, 0.5).sum()
    assert 0.93 <= coverage <= 0.97
    if method == "exact":
        assert coverage >= 0.95


@pytest.mark.parametrize("cells", [(1, 0, 0, 0), (0, 0, 1, 0), (50, 0, 0, 50), (0, 9, 9, 0)])
def test_extreme_readers_have_plain_results(cells):
    reading = reading_of_counts(*cells)
    for result in (
        accuracy(reading),
        binomial_test(reading),
        fisher_test(reading),
        equivalence_test(reading, 0.1),
        bayes(reading, 0.1),
    ):
        assert is_plain(result)


def test_unanswered_trials_have_no_accuracy():
    with pytest.raises(Undefined, match="R07 has given no answer"):
        accuracy(ReaderAnswers("R07", ()))
    with pytest.raises(Undefined, match="R07 has given no answer"):
        bayes(ReaderAnswers("R07", ()), 0.1)
    only_real = reading_of_counts(0, 0, 3, 4, reader="R03")
    with pytest.raises(Undefined, match="R03 has answered no generated case"):
        sensitivity(only_real)
    with pytest.raises(Undefined, match="R03 has answered no generated case"):
        balanced_accuracy(only_real)


def test_levels_and_margins_out_of_range_are_refused():
    reading = reading_of_counts(5, 5, 5, 5)
    for level in (0.0, 1.0, 95):
        with pytest.raises(CowganError, match="level must lie between 0 and 1"):
            accuracy(reading, level)
    for margin in (0.0, 0.5, 10):
        with pytest.raises(CowganError, match=r"margin of equivalence must lie between 0 and 0\.5"):
            equivalence_test(reading, margin)
