"""Tests of intensity scaling."""

import numpy as np
import pytest

from cowgan.errors import CowganError
from cowgan.volume.intensity import rescale


@pytest.fixture
def data() -> np.ndarray:
    data = np.random.default_rng(0).normal(100, 20, (20, 20, 20)).astype(np.float32)
    data[3, 3, 3] = 30_000
    return data


def test_robust_scaling_is_not_moved_by_a_single_bright_voxel(data):
    scaled = rescale(data)
    low, high = np.percentile(data, (0.1, 99.9))
    np.testing.assert_allclose(scaled, np.clip((data - low) / (high - low), 0, 1), atol=1e-6)
    assert 0.4 < np.median(scaled) < 0.6


def test_minmax_is_the_papers(data):
    scaled = rescale(data, "minmax")
    np.testing.assert_allclose(scaled, (data - data.min()) / np.ptp(data), atol=1e-6)


def test_what_was_not_imaged_is_black_and_counts_for_nothing(data):
    inside = np.ones(data.shape, bool)
    inside[:10] = False
    scaled = rescale(np.where(inside, data, -1e6), "robust", inside)
    assert not scaled[:10].any()
    np.testing.assert_array_equal(scaled[10:], rescale(data[10:]))


@pytest.mark.parametrize("method", ["robust", "minmax"])
def test_a_constant_image_is_refused(method, single_sentence):
    with pytest.raises(CowganError) as refusal:
        rescale(np.full((4, 4, 4), 3, np.float32), method)
    single_sentence(refusal)


def test_an_unknown_method_is_refused(data, single_sentence):
    with pytest.raises(CowganError) as refusal:
        rescale(data, "zscore")  # type: ignore[arg-type]
    assert "robust, minmax" in single_sentence(refusal)
