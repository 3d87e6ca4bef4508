"""Tests of distances between groups of subjects."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest, wasserstein_distance

from cowgan.evaluation import subject_differences
from cowgan.evaluation.subject_differences import Group, compare_groups, holm, summary

values = st.floats(-1e3, 1e3, allow_subnormal=False).map(lambda value: round(value, 3))


def samples(least: int):
    return st.integers(least, 30).flatmap(lambda n: arrays(np.float64, n, elements=values))


def group_of(values: np.ndarray, copies: int = 1, name: str = "s") -> Group:
    return Group(np.ravel(values), [f"{name}{i // copies}" for i in range(np.size(values))])


@pytest.fixture
def few_permutations(monkeypatch):
    monkeypatch.setattr(subject_differences, "PERMUTATIONS", 99)
    monkeypatch.setattr(subject_differences, "SPLITS", 5)


def drawn(random, subjects: int, copies: int, likeness: float, shift: float = 0.0) -> np.ndarray:
    """Draw values whose correlation within a subject is `likeness`."""
    own, shared = random.normal(size=(subjects, copies)), random.normal(size=(subjects, 1))
    return np.sqrt(likeness) * shared + np.sqrt(1 - likeness) * own + shift


@given(samples(4), samples(2))
def test_the_distance_is_that_of_scipy(real, generated):
    found = compare_groups(group_of(real), group_of(generated))
    assert found.distance == pytest.approx(wasserstein_distance(real, generated), abs=1e-9)


def test_each_subject_counts_the_same():
    real, generated = np.array([1.0, 2, 3, 10, 20]), np.array([4.0, 5])
    subjects = ["a", "b", "c", "d", "d"]
    weights = [1, 1, 1, 0.5, 0.5]
    found = compare_groups(Group(real, subjects), group_of(generated))
    expected = wasserstein_distance(real, generated, weights)
    assert found.distance == pytest.approx(expected)
    total = summary(Group(real, subjects))
    assert (total.n, total.mean) == (5, pytest.approx(np.average(real, weights=weights)))
    assert total.sd == pytest.approx(np.std([1, 1, 2, 2, 3, 3, 10, 20]))


# Likeness, and subjects and copies on either side.
@pytest.mark.parametrize(
    ("likeness", "real", "generated"),
    [
        (0.8, (20, 4), (20, 4)),
        (0.2, (40, 4), (15, 1)),
        (0.3, (15, 4), (60, 1)),
        (0, (9, 1), (20, 3)),
    ],
)
def test_five_percent_of_groups_alike_differ_at_five_percent(
    few_permutations, likeness, real, generated
):
    random = np.random.default_rng(0)
    p = np.array(
        [
            compare_groups(
                group_of(drawn(random, *real, likeness), real[1]),
                group_of(drawn(random, *generated, likeness), generated[1]),
                seed,
            ).p
            for seed in range(400)
        ]
    )
    for level in (0.05, 0.2, 0.5):
        assert binomtest(int((p <= level).sum()), len(p), level).pvalue > 0.005


def test_permuting_volumes_instead_would_find_differences_that_do_not_exist(few_permutations):
    random = np.random.default_rng(0)
    p = [
        compare_groups(*(group_of(drawn(random, 20, 4, 0.8)) for _ in range(2)), seed).p
        for seed in range(200)
    ]
    assert np.mean(np.array(p) <= 0.05) > 0.2


@pytest.mark.parametrize(("shift", "power"), [(0.5, 0.5), (1.5, 0.99)])
def test_a_shift_is_found(few_permutations, shift, power):
    random = np.random.default_rng(0)
    p = [
        compare_groups(
            group_of(drawn(random, 47, 1, 0)), group_of(drawn(random, 100, 1, 0, shift)), seed
        ).p
        for seed in range(50)
    ]
    assert np.mean(np.array(p) <= 0.05) >= power


def test_a_narrower_spread_with_the_same_mean_is_found():
    random = np.random.default_rng(0)
    real, generated = group_of(drawn(random, 80, 1, 0)), group_of(drawn(random, 80, 1, 0) / 3)
    assert compare_groups(real, generated).p < 0.01


def test_the_floor_is_what_halves_of_real_subjects_differ_by():
    random = np.random.default_rng(0)
    real = drawn(random, 40, 3, 0.9)
    found = compare_groups(group_of(real, 3), group_of(drawn(random, 30, 1, 0, 1.0)))
    assert found.floor.subjects == 20
    # Of 20 against 20 independent normal values.
    independent = np.median(
        [wasserstein_distance(*random.normal(size=(2, 20))) for _ in range(2000)]
    )
    assert found.floor.real_median == pytest.approx(independent, rel=0.2)
    assert found.floor.real_median < found.floor.real_95 < found.floor.generated_median
    few = compare_groups(group_of(real, 3), group_of(drawn(random, 7, 1, 0)))
    assert few.floor.subjects == 7
    assert few.floor.real_median > found.floor.real_median


def test_a_set_compared_with_itself_is_at_no_distance():
    group = group_of(np.arange(10.0))
    found = compare_groups(group, group)
    assert (found.distance, found.p) == (0, 1)


def test_ties_count_as_reached():
    counts = group_of(np.repeat([0.0, 1.0], [9, 1]))
    assert compare_groups(counts, counts).p == 1
    constant = group_of(np.ones(10))
    assert compare_groups(constant, constant).p == 1


def test_a_seed_gives_the_same_numbers_whatever_the_order_of_volumes():
    random = np.random.default_rng(0)
    groups = group_of(random.normal(size=30)), group_of(random.normal(size=20))
    assert compare_groups(*groups, 3) == compare_groups(*groups, 3)
    assert compare_groups(*groups, 3).p != compare_groups(*groups, 4).p


@pytest.mark.parametrize(("real", "generated"), [(3, 9), (9, 1), (0, 0), (9, 0)])
def test_too_few_subjects_are_not_compared(real, generated):
    assert compare_groups(group_of(np.arange(float(real))), group_of(np.ones(generated))) is None


def test_nothing_has_no_summary():
    assert summary(group_of(np.empty(0))) is None


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_rejects_what_the_step_down_procedure_does(p):
    corrected = holm(p)
    for level in (0.01, 0.05, 0.3):
        rejected, remaining = set(), sorted(range(len(p)), key=lambda i: p[i])
        while remaining and p[remaining[0]] * len(remaining) <= level:
            rejected.add(remaining.pop(0))
        assert {i for i, one in enumerate(corrected) if one <= level} == rejected
