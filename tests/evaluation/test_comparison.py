"""Tests of measures beside their floor, with intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cowgan.errors import Cancelled, CowganError
from cowgan.evaluation.comparison import MIN_SUBJECTS, compare, compare_models
from cowgan.evaluation.distances import kernel_distance
from cowgan.evaluation.feature_rows import Standardisation
from cowgan.evaluation.measures import (
    COVERAGE,
    DENSITY,
    FRECHET_DISTANCE,
    KERNEL_DISTANCE,
    MEASURES,
    PRECISION,
    RECALL,
    SLICED_WASSERSTEIN,
    VENDI,
)
from cowgan.features.extractor import Recipe
from cowgan.features.store import FeatureBank

FEATURES = 24
SPREAD = np.arange(1, FEATURES + 1) ** -0.5


def bank(n, scale=1.0, shift=0.0, seed=0, copies=1, name="v", recipe="noise"):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(n, FEATURES)) * SPREAD * scale + shift
    rows = np.repeat(rows, copies, axis=0)
    subjects = [f"{name}{i // copies}" for i in range(len(rows))]
    names = [f"{name}{i}" for i in range(len(rows))]
    return FeatureBank(Recipe(recipe, 1), name, names, subjects, rows[:, None].astype(np.float32))


@pytest.fixture(scope="module")
def real():
    return bank(160, seed=1, name="real")


def test_volumes_of_the_same_distribution_are_like_real(real):
    found = compare(real, bank(120, seed=2))
    assert (found.n_real, found.n_generated, found.n_subset) == (160, 120, 80)
    assert all(result.like_real for result in found.results)
    for result in found.results:
        assert result.real.low <= result.real.median <= result.real.high


def test_a_generator_without_variety_is_found_out(real):
    found = compare(real, bank(120, scale=0.6, seed=2))
    assert not found[RECALL].like_real
    assert not found[DENSITY].like_real
    assert not found[SLICED_WASSERSTEIN].like_real
    # The bias of the Fréchet distance hides it, unless it is read two-sided.
    assert not found[FRECHET_DISTANCE].like_real
    assert found[PRECISION].estimate.estimate > found[PRECISION].real.high


def test_a_generator_beside_the_truth_is_found_out(real):
    found = compare(real, bank(120, shift=0.5, seed=2))
    for measure in (KERNEL_DISTANCE, SLICED_WASSERSTEIN, PRECISION, COVERAGE):
        assert not found[measure].like_real, measure.title


def test_repeating_a_few_volumes_is_found_out(real):
    found = compare(real, bank(6, seed=2, copies=20))
    assert not found[VENDI].like_real
    assert not found[COVERAGE].like_real


def test_the_estimate_is_over_all_volumes_and_its_interval_is_centred(real):
    made = bank(120, shift=0.2, seed=2)
    found = compare(real, made)
    scale = Standardisation(real.rows)
    expected = kernel_distance(scale(real.rows), scale(made.rows))
    for result in found.results:
        low, high = result.measure.bounds
        assert (
            low <= result.estimate.low <= result.estimate.estimate <= result.estimate.high <= high
        )
        if low < result.estimate.low and result.estimate.high < high:
            middle = (result.estimate.low + result.estimate.high) / 2
            assert middle == pytest.approx(result.estimate.estimate)
    assert found[KERNEL_DISTANCE].estimate.estimate == pytest.approx(expected)


def test_intervals_hold_the_value_of_other_samples():
    found = [
        compare(
            bank(60, seed=2 * seed, name="real"), bank(60, shift=0.3, seed=2 * seed + 1), repeats=20
        )[KERNEL_DISTANCE].estimate
        for seed in range(20)
    ]
    truth = np.mean([one.estimate for one in found])
    assert sum(one.low <= truth <= one.high for one in found) >= 18


def test_several_scans_of_a_subject_count_once():
    few = bank(40, seed=3, name="real")
    repeated = bank(40, seed=3, copies=5, name="real")
    made = bank(40, seed=4)
    once, many = compare(few, made), compare(repeated, made)
    assert once.results == many.results
    assert many.n_real == 40


def test_the_holdout_is_compared_with_training_subjects(real):
    held_out = bank(30, seed=5, name="held out")
    found = compare(held_out, bank(120, seed=2), real)
    assert (found.n_real, found.n_subset) == (30, 30)
    assert found[COVERAGE].real.median > 0.8
    # Copies of the training side are farther from held-out subjects than from their originals.
    learned = FeatureBank(real.recipe, "copies", real.names, real.names, real.features + 1e-3)
    to_training = compare(real, learned)[SLICED_WASSERSTEIN]
    to_holdout = compare(held_out, learned, real)[SLICED_WASSERSTEIN]
    assert to_training.generated.median < to_training.real.low
    assert to_holdout.generated.median > to_holdout.real.low


def test_results_repeat(real):
    made = bank(60, seed=2)
    assert compare(real, made, repeats=3) == compare(real, made, repeats=3)


def test_the_better_of_two_models_has_an_interval_off_zero(real):
    better, worse = bank(100, shift=0.05, seed=6), bank(100, shift=0.6, seed=6)
    differences = {one.measure: one for one in compare_models(real, better, worse)}
    kernel = differences[KERNEL_DISTANCE]
    assert kernel.difference.estimate == pytest.approx(kernel.second - kernel.first)
    assert kernel.difference.low > 0
    assert differences[COVERAGE].difference.high < 0


def test_a_model_does_not_differ_from_itself(real):
    made = bank(50, seed=6)
    for one in compare_models(real, made, made, repeats=5):
        assert (one.difference.estimate, one.difference.low, one.difference.high) == (0, 0, 0)


@settings(max_examples=5, deadline=None)
@given(st.floats(0.1, 100), st.floats(-50, 50))
def test_units_of_features_do_not_matter(gain, offset):
    real, made = bank(30, seed=1, name="real"), bank(30, seed=2)
    scaled = [
        FeatureBank(of.recipe, of.title, of.names, of.subjects, gain * of.features + offset)
        for of in (real, made)
    ]
    for one, other in zip(
        compare(real, made, repeats=2).results, compare(*scaled, repeats=2).results, strict=True
    ):
        assert one.estimate.estimate == pytest.approx(other.estimate.estimate, rel=1e-2, abs=1e-3)


@pytest.mark.parametrize(
    ("n_real", "n_generated", "what"),
    [(MIN_SUBJECTS - 1, 50, "real subjects"), (50, MIN_SUBJECTS - 1, "generated volumes")],
)
def test_too_few_volumes_are_refused(n_real, n_generated, what):
    with pytest.raises(CowganError, match=what):
        compare(bank(n_real, name="real"), bank(n_generated, seed=1))


def test_features_of_different_recipes_are_never_compared(real):
    with pytest.raises(CowganError, match="recipe"):
        compare(real, bank(50, recipe="other"))


def test_it_can_be_cancelled(real):
    class CancelAtOnce:
        cancelled = True

        def report(self, done: int, total: int, message: str = "") -> None: ...

    with pytest.raises(Cancelled):
        compare(real, bank(50), progress=CancelAtOnce())


def test_all_measures_are_reported_in_order(real):
    assert tuple(one.measure for one in compare(real, bank(50), repeats=2).results) == MEASURES
