"""The mean over readers against published analyses, and its coverage by simulation."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from turing_readings import examples, is_plain, panel_of_ratings, reading_of_ratings, van_dyke

from cowgan.errors import CowganError
from cowgan.turing.statistics import (
    ReaderModel,
    Undefined,
    auc,
    balanced_accuracy,
    mean_auc,
    mean_balanced_accuracy,
    simulate_ratings,
)
from cowgan.turing.statistics.answers import RATINGS
from cowgan.turing.statistics.mrmc import (
    estimate_mean,
    estimate_mean_accuracy,
    estimate_mean_auc,
)

# Undefined quantities raise an error instead of a warning.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

GENERATED = np.array([True] * 6 + [False] * 6)
studies = st.integers(3, 5).flatmap(
    lambda readers: st.lists(
        st.lists(st.sampled_from(RATINGS), min_size=12, max_size=12),
        min_size=readers,
        max_size=readers,
    )
)


def areas_by_pairs(ratings, generated):
    difference = ratings[:, generated][:, :, None] - ratings[:, ~generated][:, None]
    return ((difference > 0) + (difference == 0) / 2).mean(axis=(1, 2))


def interval_by_matrix(values, covariance, level=0.95):
    """Obuchowski and Rockette's formulas with the covariance of every two readers."""
    readers = len(values)
    between = values.var(ddof=1)
    shared = max((covariance.sum() - np.trace(covariance)) / (readers * (readers - 1)), 0)
    error = np.sqrt(between / readers + shared)
    df = (between + readers * shared) ** 2 / (between**2 / (readers - 1))
    half = stats.t.ppf(0.5 + level / 2, df) * error
    return error, df, values.mean() - half, values.mean() + half


AREAS = {
    "cine": (0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066),
    "spin echo": (0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169),
}


# RJafroc 1.2.0, ORH analysis of dataset02 with jackknife covariances, as printed in the test
# results of that package: analysis 1 (random readers and cases), part c.
@pytest.mark.parametrize(
    ("modality", "mean", "error", "df", "low", "high"),
    [
        ("cine", 0.89703704, 0.03317360, 12.74, 0.82522360, 0.96885048),
        ("spin echo", 0.94083736, 0.02156637, 12.71, 0.89413783, 0.98753689),
    ],
)
def test_formulas_give_the_published_analysis(modality, mean, error, df, low, high):
    panel = van_dyke(modality)
    areas = areas_by_pairs(panel.ratings, panel.generated)
    assert areas == pytest.approx(AREAS[modality], abs=1e-8)
    # Jackknife pseudovalues: what each area owes to each case.
    without = [
        areas_by_pairs(np.delete(panel.ratings, case, 1), np.delete(panel.generated, case))
        for case in range(114)
    ]
    pseudovalues = 114 * areas[:, np.newaxis] - 113 * np.transpose(without)
    found = estimate_mean(areas, pseudovalues, np.zeros((5, 2)))
    assert found.mean == pytest.approx(mean, abs=1e-8)
    assert found.standard_error == pytest.approx(error, abs=1e-8)
    assert found.df == pytest.approx(df, abs=0.005)
    half = stats.t.ppf(0.975, found.df) * found.standard_error
    assert (found.mean - half, found.mean + half) == pytest.approx((low, high), abs=1e-8)


# MRMCaov 0.2.0 for MATLAB, cov = unbiased, from its README; DeLong's covariance differs from
# the unbiased one in the third digit.
@pytest.mark.parametrize(
    ("modality", "shared", "error", "df", "limits"),
    [
        ("cine", 0.00047718, 0.033071, 12.588, (0.82535, 0.96872)),
        ("spin echo", 0.00020095, 0.021491, 12.534, (0.89423, 0.98744)),
    ],
)
def test_delong_is_close_to_the_unbiased_analysis(modality, shared, error, df, limits):
    found = mean_auc(van_dyke(modality))
    interval = found.interval()
    assert list(found.of_reader.values()) == pytest.approx(AREAS[modality], abs=1e-8)
    assert found.covariance == pytest.approx(shared, rel=4e-3)
    assert found.standard_error == pytest.approx(error, rel=1e-3)
    assert found.df == pytest.approx(df, rel=3e-3)
    assert (interval.low, interval.high) == pytest.approx(limits, abs=1e-4)
    assert is_plain(found)
    assert is_plain(interval)


def placements_by_pairs(ratings, axis):
    difference = ratings[:, GENERATED][:, :, None] - ratings[:, ~GENERATED][:, None]
    return ((difference > 0) + (difference == 0) / 2).mean(axis=axis + 1)


@examples
@given(studies)
def test_means_equal_the_formulas_with_a_matrix(rows):
    panel = panel_of_ratings(GENERATED, rows)
    above, below = (placements_by_pairs(panel.ratings, axis) for axis in (1, 0))
    covariance = np.cov(above) / 6 + np.cov(below) / 6
    values = above.mean(axis=1)
    found = mean_auc(panel)
    assert found.estimate == pytest.approx(values.mean())
    if found.df is not None and found.standard_error > 0:
        error, df, low, high = interval_by_matrix(values, covariance)
        assert found.standard_error == pytest.approx(error, abs=1e-9)
        assert found.df == pytest.approx(df, rel=1e-6)
        interval = found.interval()
        assert (interval.low, interval.high) == pytest.approx((max(low, 0), min(high, 1)))


@examples
@given(studies, st.randoms())
def test_neither_the_order_of_readers_nor_of_cases_matters(rows, random):
    panel = panel_of_ratings(GENERATED, rows)
    readers, cases = list(range(len(rows))), list(range(12))
    random.shuffle(readers)
    random.shuffle(cases)
    shuffled = panel_of_ratings(GENERATED[cases], panel.ratings[readers][:, cases])
    for mean in (mean_auc, mean_balanced_accuracy):
        one, other = mean(panel).interval(), mean(shuffled).interval()
        assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-9)


@examples
@given(studies)
def test_reversed_ratings_mirror_the_mean(rows):
    panel = panel_of_ratings(GENERATED, rows)
    mirrored = panel_of_ratings(GENERATED, -panel.ratings)
    for mean in (mean_auc, mean_balanced_accuracy):
        one, other = mean(panel), mean(mirrored)
        assert one.interval().low == pytest.approx(1 - other.interval().high, abs=1e-9)
        assert one.test().p == pytest.approx(other.test().p, abs=1e-9)


@examples
@given(studies)
def test_levels_are_nested_and_tests_agree_with_them(rows):
    panel = panel_of_ratings(GENERATED, rows)
    for mean in (mean_auc(panel), mean_balanced_accuracy(panel)):
        intervals = [mean.interval(level) for level in (0.5, 0.9, 0.95, 0.99)]
        assert all(is_plain(interval) for interval in intervals)
        for inner, outer in itertools.pairwise(intervals):
            assert 0 <= outer.low <= inner.low <= inner.estimate + 1e-12
            assert inner.estimate - 1e-12 <= inner.high <= outer.high <= 1
        excludes = not intervals[2].low <= 0.5 <= intervals[2].high
        assert excludes == (mean.test().p < 0.05)
        within = intervals[1].low > 0.36 and intervals[1].high < 0.64
        assert within == (mean.equivalence_test(0.14).p < 0.05)


def test_the_means_are_those_of_the_readers():
    panel = van_dyke("cine")
    signed = panel_of_ratings(panel.generated, np.where(panel.ratings > 3, 1, -1) * panel.ratings)
    of_auc, of_accuracy = mean_auc(signed), mean_balanced_accuracy(signed)
    for row, reader in enumerate(signed.readers):
        reading = reading_of_ratings(signed.generated, signed.ratings[row])
        assert of_auc.of_reader[reader] == pytest.approx(auc(reading).estimate)
        assert of_accuracy.of_reader[reader] == pytest.approx(balanced_accuracy(reading).estimate)
    assert of_accuracy.estimate == pytest.approx(np.mean(list(of_accuracy.of_reader.values())))
    assert (of_auc.generated, of_auc.real, of_auc.n) == (45, 69, 114)


@pytest.mark.parametrize("readers", [1, 2])
def test_fewer_than_three_readers_are_refused(readers):
    panel = panel_of_ratings(GENERATED, [[*range(1, 6), 1, *range(-5, 0), 1]] * readers)
    for mean in (mean_auc, mean_balanced_accuracy):
        with pytest.raises(CowganError, match=f"at least 3 readers, and this is {readers}"):
            mean(panel)


def test_only_cases_that_all_have_answered_count():
    rng = np.random.default_rng(3)
    ratings = rng.choice(RATINGS, (4, 40))
    generated = np.arange(40) % 2 == 0
    with_gaps = ratings.copy()
    with_gaps[0, 5], with_gaps[2, 8], with_gaps[3, 9] = 0, 0, 0
    kept = np.delete(np.arange(40), [5, 8, 9])
    found = mean_auc(panel_of_ratings(generated, with_gaps))
    assert found.n == 37
    assert (
        found.interval() == mean_auc(panel_of_ratings(generated[kept], ratings[:, kept])).interval()
    )


def test_missing_common_cases_are_reported():
    ratings = np.kron(np.eye(3, dtype=int), np.ones(4, dtype=int))
    with pytest.raises(Undefined, match="every reader has answered has 0 generated and 0 real"):
        mean_auc(panel_of_ratings([True, True, False, False] * 3, ratings))


def test_identical_readers_equal_a_single_one():
    row = [5, 4, -1, 2, -2, 3, -5, -4, 1, -2, 2, -1]
    found = mean_auc(panel_of_ratings(GENERATED, [row] * 4))
    assert found.df is None
    assert found.reader_variance == 0
    half = stats.norm.ppf(0.975) * found.standard_error
    assert found.interval().high == pytest.approx(min(found.estimate + half, 1))
    assert found.covariance == pytest.approx(found.standard_error**2)


@pytest.mark.parametrize(
    ("of_generated", "of_real", "estimate"), [(5, -5, 1.0), (-5, 5, 0.0), (-2, -2, 0.5)]
)
def test_readers_without_any_variance_have_an_interval_with_a_width(
    of_generated, of_real, estimate
):
    panel = panel_of_ratings(GENERATED, [[of_generated] * 6 + [of_real] * 6] * 3)
    for mean in (mean_auc(panel), mean_balanced_accuracy(panel)):
        interval = mean.interval()
        assert mean.standard_error == 0
        assert mean.estimate == estimate
        assert interval.high - interval.low > 0.1
        assert (mean.test().p < 0.01) == (estimate != 0.5)
        assert is_plain(mean.test())
        assert is_plain(mean.equivalence_test(0.14))


def covers(estimate, readers, cases, distance_sd, level, studies=4000, seed=11):
    model = ReaderModel(criterion_sd=0.4, case_sd=0.6, distance_sd=distance_sd)
    ratings, generated = simulate_ratings(
        np.random.RandomState(seed), studies, readers, cases, 0.0, model
    )
    found = estimate(ratings, generated)[1]
    half = stats.t.ppf(0.5 + level / 2, found.df) * found.standard_error
    return np.mean(np.abs(found.mean - 0.5) <= half)


BOTH = pytest.mark.parametrize("estimate", [estimate_mean_auc, estimate_mean_accuracy])


@BOTH
@pytest.mark.parametrize(
    ("readers", "cases", "distance_sd"), [(5, 60, 0.0), (5, 60, 0.3), (5, 100, 0.2), (8, 60, 0.3)]
)
def test_intervals_cover_chance(estimate, readers, cases, distance_sd):
    assert 0.93 <= covers(estimate, readers, cases, distance_sd, 0.95) <= 0.97
    assert 0.88 <= covers(estimate, readers, cases, distance_sd, 0.90) <= 0.92


@BOTH
@pytest.mark.parametrize("distance_sd", [0.0, 0.3])
def test_intervals_of_three_readers_have_slightly_low_coverage(estimate, distance_sd):
    """By the method: degrees of freedom are too many where three readers agree by luck."""
    for cases in (60, 100):
        assert 0.915 <= covers(estimate, 3, cases, distance_sd, 0.95) <= 0.95


def test_intervals_of_two_readers_have_poor_coverage():
    assert covers(estimate_mean_auc, 2, 100, 0.3, 0.95) < 0.91


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("distance_sd", [0.0, 0.2, 0.3])
@pytest.mark.parametrize(("readers", "cases"), [(5, 100), (5, 150), (8, 60), (10, 100), (10, 200)])
def test_intervals_of_large_studies_cover_chance(estimate, distance_sd, readers, cases):
    assert 0.935 <= covers(estimate, readers, cases, distance_sd, 0.95, 10000) <= 0.965
