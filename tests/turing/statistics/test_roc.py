"""ROC curves and areas of one reader."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from turing_readings import (
    Z95,
    examples,
    hanley_mcneil,
    is_plain,
    panel_of_ratings,
    reading_of_ratings,
    van_dyke,
)

from cowgan.turing.statistics import (
    ReaderModel,
    Undefined,
    auc,
    mean_roc_curve,
    roc_curve,
    simulate_ratings,
)
from cowgan.turing.statistics.answers import RATINGS

# Undefined quantities raise an error instead of a warning.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

ratings = st.lists(st.sampled_from(RATINGS), min_size=2, max_size=25)


def two_kinds(generated, real):
    return reading_of_ratings([True] * len(generated) + [False] * len(real), [*generated, *real])


def reader_of(panel, row):
    return reading_of_ratings(panel.generated, panel.ratings[row])


def logit(p):
    return math.log(p / (1 - p))


# scikit-learn 1.9.1: roc_auc_score and roc_curve(drop_intermediate=False).
def test_curve_and_area_equal_those_of_scikit_learn():
    reading = hanley_mcneil()
    curve = roc_curve(reading)
    assert auc(reading).estimate == pytest.approx(0.8931710615280595)
    assert curve.area == pytest.approx(0.8931710615280595)
    points = dict.fromkeys(zip(curve.false_alarm_rates, curve.hit_rates, strict=True))
    expected = [
        (0.0, 0.0),
        (0.03448276, 0.64705882),
        (0.22413793, 0.8627451),
        (0.32758621, 0.90196078),
        (0.43103448, 0.94117647),
        (1.0, 1.0),
    ]
    assert np.array(list(points)) == pytest.approx(np.array(expected), abs=1e-8)


def test_the_area_equals_that_of_hanley_and_mcneil():
    # Their article: 0.893, with a standard error of 0.032 by an older estimator.
    found = auc(hanley_mcneil())
    spread = (logit(found.high) - logit(found.low)) / 2 / Z95
    assert found.estimate == pytest.approx(0.893, abs=5e-4)
    assert spread * found.estimate * (1 - found.estimate) == pytest.approx(0.032, abs=2e-3)


# MLstatkit 0.1.91, Delong_test(return_ci=True): limits on the plain scale.
@pytest.mark.parametrize(
    ("row", "area", "limits"),
    [
        (0, 0.9196457326674, (0.8609736601674458, 0.9783178052109764)),
        (4, 0.8297906602254, (0.7485345731558349, 0.9110467472950511)),
    ],
)
def test_delong_variance_equals_that_of_mlstatkit(row, area, limits):
    found = auc(reader_of(van_dyke("cine"), row))
    error = (limits[1] - limits[0]) / 2 / Z95
    assert found.estimate == pytest.approx(area)
    assert found.method == "DeLong, logit"
    for limit, sign in ((found.low, -1), (found.high, 1)):
        expected = logit(area) + sign * Z95 * error / (area * (1 - area))
        assert logit(limit) == pytest.approx(expected)


@examples
@given(ratings, ratings)
def test_area_is_the_share_of_pairs_in_the_right_order(generated, real):
    pairs = itertools.product(generated, real)
    expected = np.mean([(a > b) + (a == b) / 2 for a, b in pairs])
    reading = two_kinds(generated, real)
    assert auc(reading).estimate == pytest.approx(expected)
    assert roc_curve(reading).area == pytest.approx(expected)


@examples
@given(ratings, ratings)
def test_limits_are_nested_plain_and_within_bounds(generated, real):
    intervals = [auc(two_kinds(generated, real), level) for level in (0.5, 0.9, 0.95, 0.99)]
    assert all(is_plain(interval) for interval in intervals)
    for inner, outer in itertools.pairwise(intervals):
        assert 0 <= outer.low <= inner.low <= inner.estimate <= inner.high <= outer.high <= 1
    assert intervals[-1].high - intervals[-1].low > 0


@examples
@given(ratings, ratings)
def test_reversed_ratings_and_exchanged_kinds_mirror_the_area(generated, real):
    found = auc(two_kinds(generated, real))
    for mirror in (
        auc(two_kinds([-rating for rating in generated], [-rating for rating in real])),
        auc(two_kinds(real, generated)),
    ):
        assert mirror.estimate == pytest.approx(1 - found.estimate)
        assert (mirror.low, mirror.high) == pytest.approx((1 - found.high, 1 - found.low))


@examples
@given(ratings, ratings, st.permutations(RATINGS))
def test_only_the_order_of_ratings_counts(generated, real, shuffled):
    used = sorted({*generated, *real})
    renamed = dict(zip(used, sorted(shuffled[: len(used)]), strict=True))
    original = auc(two_kinds(generated, real))
    other = auc(two_kinds([renamed[r] for r in generated], [renamed[r] for r in real]))
    assert other == original


@examples
@given(ratings, ratings, st.data())
def test_a_higher_rating_of_a_generated_case_never_lowers_the_area(generated, real, data):
    index = data.draw(st.integers(0, len(generated) - 1))
    higher = data.draw(st.sampled_from([r for r in RATINGS if r >= generated[index]]))
    raised = [*generated[:index], higher, *generated[index + 1 :]]
    assert auc(two_kinds(raised, real)).estimate >= auc(two_kinds(generated, real)).estimate - 1e-12


def test_perfect_and_reversed_readers_have_an_interval_with_a_width():
    perfect = auc(two_kinds([5] * 20, [-5] * 20))
    assert (perfect.estimate, perfect.high, perfect.method) == (1.0, 1.0, "score")
    assert 0.8 < perfect.low < 0.95
    reverse = auc(two_kinds([-5] * 20, [5] * 20))
    assert (reverse.low, reverse.estimate) == (0.0, 0.0)
    assert reverse.high == pytest.approx(1 - perfect.low)


def test_the_score_interval_of_a_perfect_reader_follows_its_equation():
    # Newcombe's method 5 at 20 and 20 cases, by the formula of Hanley and McNeil.
    low = auc(two_kinds([5] * 20, [-5] * 20)).low
    q1, q2 = low / (2 - low), 2 * low**2 / (1 + low)
    variance = (low * (1 - low) + 19 * (q1 - low**2) + 19 * (q2 - low**2)) / 400
    assert (1 - low) / math.sqrt(variance) == pytest.approx(Z95)


def test_a_reader_with_constant_ratings_has_a_wide_interval():
    found = auc(two_kinds([-3] * 50, [-3] * 50))
    assert (found.estimate, found.method) == (0.5, "score")
    assert found.high - found.low > 0.2


@pytest.mark.parametrize(("generated", "real"), [([5], []), ([5], [-5]), ([], []), ([1] * 9, [2])])
def test_too_few_cases_of_a_class_are_reported(generated, real):
    with pytest.raises(Undefined, match=f"{len(generated)} generated and {len(real)} real"):
        auc(two_kinds(generated, real))


def test_a_curve_needs_one_case_of_each_class():
    assert roc_curve(two_kinds([5], [-5])).area == 1
    with pytest.raises(Undefined, match="reader R01 has 2 generated and 0 real"):
        roc_curve(two_kinds([5, 1], []))


@pytest.mark.parametrize("modality", ["cine", "spin echo"])
def test_the_area_of_the_mean_curve_is_the_mean_of_the_areas(modality):
    panel = van_dyke(modality)
    areas = [auc(reader_of(panel, row)).estimate for row in range(5)]
    curve = mean_roc_curve(panel)
    assert curve.area == pytest.approx(np.mean(areas), abs=1e-12)
    for rates in (curve.false_alarm_rates, curve.hit_rates):
        assert rates[0] == 0
        assert rates[-1] == pytest.approx(1)
        assert np.all(np.diff(rates) >= -1e-12)


def test_the_mean_curve_of_identical_readers_is_their_curve():
    generated, row = [True, True, True, False, False], [5, 2, -1, 1, -4]
    curve = mean_roc_curve(panel_of_ratings(generated, [row] * 3))
    single = roc_curve(reading_of_ratings(generated, row))
    mean_points, points = (
        {tuple(point) for point in np.round([one.false_alarm_rates, one.hit_rates], 9).T.tolist()}
        for one in (curve, single)
    )
    assert mean_points == points


def test_unanswered_cases_are_left_out_of_a_reader_s_curve():
    panel = panel_of_ratings([True, True, False, False], [[5, 0, -5, 0], [5, 5, -5, -5]])
    assert mean_roc_curve(panel).area == pytest.approx(1)


@pytest.mark.parametrize(("n", "d_prime"), [(50, 0.0), (100, 0.0), (100, 1.5)])
def test_intervals_have_their_nominal_coverage(n, d_prime):
    model = ReaderModel(criterion_sd=0.4, case_sd=0.6, distance_sd=0.0)
    drawn, generated = simulate_ratings(np.random.RandomState(7), 600, 1, n, d_prime, model)
    # Ten ratings lose a little of the area of the axis they are made from.
    many, kinds = simulate_ratings(np.random.RandomState(8), 1, 100, 20000, d_prime, model)
    truth = np.mean([auc(reading_of_ratings(kinds[::20], row[::20])).estimate for row in many[0]])
    truth = 0.5 if d_prime == 0 else truth
    covered = 0
    for study in drawn:
        found = auc(reading_of_ratings(generated, study[0]))
        covered += found.low <= truth <= found.high
    assert 0.93 <= covered / len(drawn) <= 0.97
