import numpy as np
import pytest

from cowgan.evaluation.distances import kernel_distance


def test_kernel_distance_is_the_published_estimate() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(size=(9, 6)), 2 * random.normal(size=(7, 6))

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return (float(x @ y) / 6 + 1) ** 3

    def within(rows: np.ndarray) -> float:
        pairs = [kernel(a, b) for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j]
        return float(np.mean(pairs))

    across = np.mean([kernel(a, b) for a in one for b in other])
    expected = within(one) + within(other) - 2 * across
    assert kernel_distance(one, other) == pytest.approx(expected)
