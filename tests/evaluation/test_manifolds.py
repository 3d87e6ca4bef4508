import numpy as np
import pytest

from cowgan.evaluation.manifolds import coverage, density, recall


def normal(count: int, seed: int, scale: float = 1.0) -> np.ndarray:
    return scale * np.random.default_rng(seed).normal(size=(count, 6))


def test_recall_falls_with_diversity_and_coverage_with_missing_kinds() -> None:
    real, alike = normal(300, 0), normal(300, 1)
    narrow = normal(300, 2, 0.2)
    assert recall(real, alike) > 0.8
    assert recall(real, narrow) < 0.1
    assert coverage(real, alike) > 0.8
    half = alike[alike[:, 0] > 0.5]
    assert coverage(real, half) < 0.8 * coverage(real, alike)
    assert recall(real, real) == coverage(real, real) == 1


def test_measures_on_a_line_are_those_counted_by_hand() -> None:
    real = np.array([[0.0], [1.0], [3.0], [10.0]])
    generated = np.array([[0.5], [2.5], [2.6]])
    # Nearest other real: 1, 1, 2 and 7 away. Nearest other generated: 2, 0.1 and 0.1 away.
    assert coverage(real, generated, k=1) == 3 / 4
    assert density(real, generated, k=1) == (2 + 1 + 1) / 3
    assert recall(real, generated, k=1) == 2 / 4


def test_density_is_about_one_for_one_distribution_and_above_in_its_middle() -> None:
    real = normal(300, 0)
    assert density(real, normal(300, 1)) == pytest.approx(1, abs=0.15)
    assert density(real, normal(300, 2, 0.2)) > 2


def test_sets_smaller_than_the_neighbourhood_take_the_farthest_neighbour() -> None:
    real = np.array([[0.0], [1.0], [3.0]])
    assert coverage(real, np.array([[2.9]])) == 1
    assert coverage(real, np.array([[3.5]])) == pytest.approx(1 / 3)
