"""Agreement against published examples and other packages."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from turing_readings import examples, is_plain, standard_error

from cowgan.turing.statistics import (
    Undefined,
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    krippendorff_alpha,
    percent_agreement,
)

# Undefined quantities raise an error instead of a warning.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
)
"""Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011, section D: four observers,
twelve units, 0 where missing."""

COMPLETE = KRIPPENDORFF[:, (KRIPPENDORFF > 0).all(axis=0)]

answers = hnp.arrays(
    np.int64, st.tuples(st.integers(2, 5), st.integers(2, 20)), elements=st.sampled_from((-1, 1))
)
gappy = hnp.arrays(
    np.int64, st.tuples(st.integers(2, 5), st.integers(2, 20)), elements=st.integers(-2, 2)
)
COEFFICIENTS = (fleiss_kappa, gwet_ac1, gwet_ac2, krippendorff_alpha)


def table_of_two(both, first_only, second_only, neither):
    first = [1] * (both + first_only) + [-1] * (second_only + neither)
    second = [1] * both + [-1] * first_only + [1] * second_only + [-1] * neither
    return np.array([first, second])


def or_none(coefficient, labels):
    try:
        return coefficient(labels)
    except Undefined:
        return None


# Values of that article: 0.743 nominal, 0.815 ordinal; all digits: krippendorff 0.9.0.
@pytest.mark.parametrize(
    ("metric", "alpha"), [("nominal", 0.743421052631579), ("ordinal", 0.8153875037548814)]
)
def test_alpha_equals_that_of_krippendorff(metric, alpha):
    assert krippendorff_alpha(KRIPPENDORFF, metric).estimate == pytest.approx(alpha, abs=1e-12)


# irrCAC 0.4.4, CAC(...).gwet() and .fleiss(), with identity and ordinal weights.
def test_coefficients_with_missing_labels_equal_those_of_irrcac():
    categories = range(1, 6)
    assert gwet_ac1(KRIPPENDORFF, categories).estimate == pytest.approx(0.7754440681, abs=1e-9)
    assert gwet_ac2(KRIPPENDORFF, categories).estimate == pytest.approx(0.8989397699, abs=1e-9)
    assert fleiss_kappa(KRIPPENDORFF).estimate == pytest.approx(0.7611692754, abs=1e-9)


def test_intervals_without_missing_labels_equal_those_of_irrcac():
    categories = range(1, 5)
    for found, estimate, low in (
        (gwet_ac1(COMPLETE, categories), 0.674300254453, 0.256130042381),
        (gwet_ac2(COMPLETE, categories), 0.797925124041, 0.435073622796),
        (fleiss_kappa(COMPLETE), 0.641456582633, 0.202650249578),
    ):
        assert found.estimate == pytest.approx(estimate, abs=1e-9)
        assert found.low == pytest.approx(low, abs=1e-8)
        assert found.high == 1.0


# statsmodels 0.15.0, cohens_kappa: 0.4 with a standard error of 0.12699606.
def test_cohen_s_kappa_equals_that_of_statsmodels():
    found = cohen_kappa(table_of_two(20, 5, 10, 15))
    assert found.estimate == pytest.approx(0.4)
    t_quantile = 2.0095752344892093  # 49 degrees of freedom
    error = standard_error(found.low, found.high, t_quantile)
    assert error == pytest.approx(0.12699606293110033 * np.sqrt(50 / 49), rel=1e-6)


# Fleiss's example of 14 psychiatrists and 10 patients in many textbooks, 0.210;
# statsmodels 0.15.0: 0.20993070442195522.
def test_fleiss_kappa_equals_that_of_statsmodels():
    counts = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    labels = np.array([np.repeat(np.arange(1, 6), row) for row in counts]).T
    assert fleiss_kappa(labels).estimate == pytest.approx(0.20993070442195522)


def test_kappa_paradox():
    """Readers who rarely say "generated" agree on 90 % of cases, and kappa is below zero."""
    labels = table_of_two(0, 5, 5, 90)
    assert percent_agreement(labels).estimate == pytest.approx(0.9)
    assert cohen_kappa(labels).estimate == pytest.approx(-1 / 19)
    # By hand: chance is 2 * 0.05 * 0.95 = 0.095.
    assert gwet_ac1(labels).estimate == pytest.approx((0.9 - 0.095) / 0.905)


def test_readers_with_constant_answers_agree_but_kappa_is_undefined():
    labels = np.full((3, 20), -1)
    for coefficient in (fleiss_kappa, krippendorff_alpha):
        with pytest.raises(Undefined, match="All answers are the same"):
            coefficient(labels)
    with pytest.raises(Undefined, match="All answers are the same"):
        cohen_kappa(labels[:2])
    for coefficient in (gwet_ac1, gwet_ac2, percent_agreement):
        found = coefficient(labels)
        assert (found.estimate, found.low, found.high) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("shape", [(1, 20), (3, 1), (3, 0), (0, 5)])
def test_agreement_needs_two_cases_with_two_answers(shape):
    for coefficient in (*COEFFICIENTS, percent_agreement):
        with pytest.raises(Undefined, match="two or more cases with two or more answers"):
            coefficient(np.ones(shape, dtype=np.int64))
    with pytest.raises(Undefined, match="two or more cases with two or more answers"):
        cohen_kappa(np.array([[1, -1, 0], [0, 0, 1]]))


@examples
@given(gappy)
def test_results_are_plain_and_levels_nested(labels):
    for coefficient in (*COEFFICIENTS, percent_agreement):
        if (found := or_none(coefficient, labels)) is None:
            continue
        assert is_plain(found)
        intervals = [coefficient(labels, level=level) for level in (0.5, 0.9, 0.95)]
        for inner, outer in itertools.pairwise(intervals):
            assert outer.low <= inner.low <= found.estimate + 1e-12
            assert found.estimate - 1e-12 <= inner.high <= outer.high <= 1


@examples
@given(gappy, st.randoms())
def test_the_order_of_raters_and_cases_does_not_matter(labels, random):
    raters, cases = list(range(labels.shape[0])), list(range(labels.shape[1]))
    random.shuffle(raters)
    random.shuffle(cases)
    for coefficient in COEFFICIENTS:
        one, other = or_none(coefficient, labels), or_none(coefficient, labels[raters][:, cases])
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert (one.estimate, one.low) == pytest.approx((other.estimate, other.low), abs=1e-9)


@examples
@given(gappy)
def test_reversing_the_scale_changes_nothing(labels):
    for coefficient in COEFFICIENTS:
        one, other = or_none(coefficient, labels), or_none(coefficient, -labels)
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.estimate == pytest.approx(other.estimate, abs=1e-9)


@examples
@given(answers)
def test_with_two_complete_raters_all_coefficients_are_near_scott_s_pi(labels):
    """Alpha is Scott's pi, which is Fleiss' kappa of two, with a correction for few cases."""
    two = labels[:2]
    if (pi := or_none(fleiss_kappa, two)) is None:
        return
    n = 2 * two.shape[1]
    alpha = krippendorff_alpha(two, "nominal").estimate
    assert 1 - alpha == pytest.approx((1 - pi.estimate) * (n - 1) / n)
    assert krippendorff_alpha(two, "ordinal").estimate == pytest.approx(alpha)
    # Cohen's expects less agreement the more the habits of the two differ.
    assert cohen_kappa(two).estimate >= pi.estimate - 1e-12


def ratings_of(rng, readers, cases, shared):
    seen = shared * rng.standard_normal(cases) + rng.standard_normal((readers, cases))
    steps = 1 + np.digitize(np.abs(seen) / np.hypot(1, shared), [0.25, 0.52, 0.84, 1.28])
    labels = np.where(seen > 0, steps, -steps)
    labels[rng.random(labels.shape) < 0.05] = 0
    return labels


def test_standard_errors_with_missing_labels_are_those_of_the_jackknife():
    labels = ratings_of(np.random.default_rng(9), 4, 80, 0.6)
    for coefficient, view in (
        (krippendorff_alpha, np.array),
        (gwet_ac2, np.array),
        (gwet_ac1, np.sign),
        (fleiss_kappa, np.sign),
    ):
        found = coefficient(view(labels))
        without = [coefficient(view(np.delete(labels, case, 1))).estimate for case in range(80)]
        jackknife = np.std(without) * 79**0.5
        t_quantile = 1.990450210230129  # 79 degrees of freedom
        error = standard_error(found.low, found.high, t_quantile)
        assert error == pytest.approx(jackknife, rel=0.03)


@pytest.mark.parametrize("shared", [0.0, 0.6])
def test_intervals_have_their_nominal_coverage(shared):
    rng = np.random.default_rng(5)
    many = ratings_of(rng, 4, 40000, shared)
    drawn = [ratings_of(rng, 4, 80, shared) for _ in range(400)]
    for coefficient, view in (
        (krippendorff_alpha, np.array),
        (gwet_ac2, np.array),
        (gwet_ac1, np.sign),
        (fleiss_kappa, np.sign),
    ):
        truth = coefficient(view(many)).estimate
        found = [coefficient(view(labels)) for labels in drawn]
        assert 0.91 <= np.mean([one.low <= truth <= one.high for one in found]) <= 0.98
