"""Distances against frozen values of independent libraries, closed forms and their invariances."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cowgan.errors import CowganError
from cowgan.evaluation.distances import (
    frechet_distance,
    frechet_infinity,
    kernel_distance,
    sliced_wasserstein,
)

SETS = ("ordinary", "wide", "duplicates")
MEASURES = (frechet_distance, kernel_distance, sliced_wasserstein)


@pytest.fixture(scope="module", params=SETS)
def frozen(request, shared_dir: Path) -> tuple[str, np.ndarray, np.ndarray, dict[str, float]]:
    """Return two sets, and what other libraries make of them."""
    folder = shared_dir / "expected" / "evaluation"
    with np.load(folder / f"{request.param}.npz") as stored:
        sets = stored["real"], stored["gen"]
    values = json.loads((folder / "values.json").read_text(encoding="utf-8"))
    return request.param, *sets, values[request.param]


def test_frechet_distance_is_that_of_other_libraries(frozen) -> None:
    name, real, generated, expected = frozen
    found = frechet_distance(real, generated)
    assert found == pytest.approx(expected["fd_svd"], rel=1e-9)
    # Roots of singular covariances are wrong from the seventh digit on.
    tolerance = 1e-10 if name == "ordinary" else 2e-6
    for library in ("scipy_sqrtm", "monai", "torchmetrics", "torch_fidelity"):
        assert found == pytest.approx(expected[f"fd_{library}"], rel=tolerance)


def test_kernel_distance_is_that_of_other_libraries(frozen) -> None:
    _, real, generated, expected = frozen
    assert kernel_distance(real, generated) == pytest.approx(expected["mmd2_full"], abs=1e-10)
    n = min(len(real), len(generated))
    found = kernel_distance(real[:n], generated[:n])
    for library in ("torch_fidelity", "torchmetrics"):
        value = expected[f"mmd2_full_equal_n_{library}"]
        assert found == pytest.approx(value, abs=1e-13)


def test_frechet_distance_of_normal_distributions_is_the_closed_form() -> None:
    random = np.random.default_rng(0)
    real = random.normal(size=(50_000, 3)) * [1, 2, 3]
    generated = random.normal(size=(50_000, 3)) * [1, 1, 4] + [0.5, 0, 0]
    assert frechet_distance(real, generated) == pytest.approx(0.25 + 1 + 1, rel=0.03)


def test_extrapolation_removes_the_bias_of_few_volumes() -> None:
    random = np.random.default_rng(1)
    real, alike, other = random.normal(size=(3, 2000, 40))
    biased = frechet_distance(real, alike)
    assert biased > 0.3
    assert abs(frechet_infinity(real, alike)) < 0.25 * biased
    # The means differ by 0.5 in each of four features.
    other[:, :4] += 0.5
    assert frechet_infinity(real, other) == pytest.approx(1, abs=0.25)
    assert frechet_infinity(real, other) == frechet_infinity(real, other)


def test_extrapolation_from_too_few_volumes_is_refused(single_sentence) -> None:
    with pytest.raises(CowganError) as refusal:
        frechet_infinity(np.eye(64)[:50], np.eye(64)[:50])
    assert "109" in single_sentence(refusal)


def test_sliced_distance_is_exact_in_one_dimension_and_for_unequal_sets() -> None:
    one, other = np.array([[0.0], [1.0]]), np.array([[0.0], [0.0], [3.0]])
    # Thirds of the mass move by 0, half by 0 and half by 1, and 2.
    assert sliced_wasserstein(one, other) == pytest.approx((0 * 2 + 1 + 4 + 4) / 6)
    doubled = np.repeat(other, 2, axis=0)
    assert sliced_wasserstein(one, doubled) == pytest.approx(sliced_wasserstein(one, other))


def test_sliced_distance_of_a_shift_is_its_square() -> None:
    rows = np.random.default_rng(2).normal(size=(30, 50))
    shift = np.zeros(50)
    shift[3] = 2.0
    assert sliced_wasserstein(rows, rows + shift, 2000) == pytest.approx(4, rel=0.15)


@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.integers(2, 30), st.integers(1, 12))
def test_distances_are_symmetric_ignore_order_and_grow_from_zero(seed, n, m, features) -> None:
    random = np.random.default_rng(seed)
    real, generated = random.normal(size=(n, features)), random.normal(size=(m, features))
    for measure in MEASURES:
        found = measure(real, generated)
        assert measure(generated, real) == pytest.approx(found, abs=1e-9)
        assert measure(random.permutation(real), generated) == pytest.approx(found, abs=1e-9)
        assert measure(real, generated + 100) > found
    for measure in (frechet_distance, sliced_wasserstein):
        assert measure(real, real) == pytest.approx(0, abs=1e-9)
        assert measure(real, generated) >= 0


@pytest.mark.parametrize(
    ("real", "generated", "message"),
    [
        (np.ones((1, 3)), np.ones((5, 3)), "at least 2 real"),
        (np.ones((5, 3)), np.ones((5, 4)), "one extractor"),
        (np.ones((5, 3)), np.ones(5), "one row per volume"),
        (np.full((5, 3), np.nan), np.ones((5, 3)), "not finite"),
    ],
)
@pytest.mark.parametrize("measure", MEASURES)
def test_sets_that_do_not_fit_are_refused(
    measure, real, generated, message, single_sentence
) -> None:
    with pytest.raises(CowganError) as refusal:
        measure(real, generated)
    assert message in single_sentence(refusal)
