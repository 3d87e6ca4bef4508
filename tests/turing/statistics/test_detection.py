"""d' and criterion."""

import itertools
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from turing_readings import examples, is_plain, reading_of_counts

from cowgan.turing.statistics import Undefined, criterion, d_prime

# Undefined quantities raise an error instead of a warning.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

cells = st.tuples(*[st.integers(0, 20)] * 4).filter(lambda n: sum(n[:2]) and sum(n[2:]))
z = NormalDist().inv_cdf


# Four readers of 50 and 50 cases, all with an accuracy of 0.44. d' and c by the formulas of
# Hautus 1995 in Python's own NormalDist, agreeing with a hand calculation to two digits.
@pytest.mark.parametrize(
    ("counts", "rounded"),
    [
        ((22, 28, 28, 22), (-0.30, 0.00)),
        ((10, 40, 16, 34), (-0.36, 0.64)),
        ((40, 10, 46, 4), (-0.53, -1.09)),
        ((44, 6, 50, 0), (-1.20, -1.74)),
    ],
)
def test_readers_of_equal_accuracy_can_differ_in_bias(counts, rounded):
    reading = reading_of_counts(*counts)
    hit_rate, false_alarm_rate = (counts[0] + 0.5) / 51, (counts[2] + 0.5) / 51
    assert d_prime(reading).estimate == pytest.approx(z(hit_rate) - z(false_alarm_rate))
    assert criterion(reading).estimate == pytest.approx(
        -(z(hit_rate) + z(false_alarm_rate)) / 2, abs=1e-12
    )
    assert d_prime(reading).estimate == pytest.approx(rounded[0], abs=0.006)
    assert criterion(reading).estimate == pytest.approx(rounded[1], abs=0.006)


def test_the_interval_of_a_biased_reader_is_wide():
    found = d_prime(reading_of_counts(44, 6, 50, 0))
    assert (found.low, found.high) == pytest.approx((-2.33, -0.06), abs=0.005)


def test_unbiased_2afc_d_prime_is_root_two_times_z_of_proportion_correct():
    # 30 of 40 right whichever side: rates (30.5 / 41) on both.
    found = d_prime(reading_of_counts(30, 10, 10, 30), design="2afc")
    assert found.estimate == pytest.approx(2**0.5 * z(30.5 / 41))
    yes_no = d_prime(reading_of_counts(30, 10, 10, 30))
    assert found.high - found.low == pytest.approx((yes_no.high - yes_no.low) / 2**0.5)


@examples
@given(cells)
def test_renaming_classes_or_answers_mirrors_the_measures(n):
    hits, misses, false_alarms, rejections = n
    reading = reading_of_counts(*n)
    # Truth and answers renamed at once: as sensitive, with the opposite preference.
    renamed = reading_of_counts(rejections, false_alarms, misses, hits)
    assert d_prime(reading).estimate == pytest.approx(d_prime(renamed).estimate, abs=1e-12)
    assert criterion(reading).estimate == pytest.approx(-criterion(renamed).estimate, abs=1e-12)
    # Truth renamed only: as reversed, with the same preference.
    reverse = reading_of_counts(false_alarms, rejections, hits, misses)
    assert d_prime(reading).low == pytest.approx(-d_prime(reverse).high, abs=1e-12)
    assert criterion(reading).low == pytest.approx(criterion(reverse).low, abs=1e-12)


@examples
@given(cells)
def test_levels_are_nested_and_results_plain(n):
    for quantity in (d_prime, criterion):
        intervals = [quantity(reading_of_counts(*n), level) for level in (0.5, 0.9, 0.95)]
        for inner, outer in itertools.pairwise(intervals):
            assert outer.low < inner.low < inner.estimate < inner.high < outer.high
        assert all(is_plain(interval) for interval in intervals)


@examples
@given(cells.filter(lambda n: n[1] > 0))
def test_one_more_hit_raises_d_prime(n):
    hits, misses, false_alarms, rejections = n
    better = reading_of_counts(hits + 1, misses - 1, false_alarms, rejections)
    assert d_prime(better).estimate > d_prime(reading_of_counts(*n)).estimate


@pytest.mark.parametrize("n", [25, 50])
@pytest.mark.parametrize("rate", [0.5, 0.3])
def test_intervals_cover_the_truth_at_chance(n, rate):
    """Over all likely tables of n and n cases, at two preferences."""
    coverage = {d_prime: 0.0, criterion: 0.0}
    truth = {d_prime: 0.0, criterion: -z(rate)}
    likely = [k for k in range(n + 1) if stats.binom.pmf(k, n, rate) > 1e-4]
    for hits, false_alarms in itertools.product(likely, likely):
        reading = reading_of_counts(hits, n - hits, false_alarms, n - false_alarms)
        weight = stats.binom.pmf(hits, n, rate) * stats.binom.pmf(false_alarms, n, rate)
        for quantity, value in truth.items():
            found = quantity(reading)
            coverage[quantity] += weight * (found.low <= value <= found.high)
    assert all(0.93 <= share <= 0.975 for share in coverage.values()), coverage


def test_both_kinds_are_needed():
    with pytest.raises(Undefined, match="R01 has not answered cases of both kinds"):
        d_prime(reading_of_counts(5, 5, 0, 0))
    with pytest.raises(Undefined, match="R01 has not answered cases of both kinds"):
        criterion(reading_of_counts(0, 0, 5, 5))
