"""Tests of differences between volumes."""

import numpy as np
import pytest

from cowgan.errors import CowganError
from cowgan.volume import Volume, default_affine
from cowgan.volume.differences import brighter, mean_absolute_difference

SHAPE = (2, 3, 4)


def volume(data: np.ndarray, **provenance: object) -> Volume:
    return Volume(data, default_affine(data.shape), provenance)


def test_each_side_of_a_difference_holds_what_the_other_lacks():
    rng = np.random.default_rng(0)
    one, other = (volume(rng.random(SHAPE), synthetic=True) for _ in range(2))
    more, less = brighter(one, other), brighter(other, one)
    np.testing.assert_allclose(more.data - less.data, one.data - other.data, atol=1e-6)
    assert not (more.data * less.data).any()
    assert more.synthetic
    expected = np.mean(np.abs(one.data.astype(float) - other.data))
    assert mean_absolute_difference(one, other) == pytest.approx(expected)


def test_volumes_of_different_size_are_refused():
    with pytest.raises(CowganError, match="same size and place"):
        brighter(volume(np.zeros(SHAPE)), volume(np.zeros((2, 3, 5))))
