"""Tests of the features of EfficientNet-Lite0."""

import pickle

import numpy as np
import pytest
import torch

from cowgan.errors import CowganError
from cowgan.features.efficientnet import Backbone, EfficientNetFeatures
from cowgan.volume import Volume, default_affine

SHAPE = (32, 64, 64)


@pytest.fixture(scope="module")
def extractor():
    return EfficientNetFeatures()


def volume_of(data):
    return Volume(np.asarray(data, np.float32), default_affine(data.shape))


@pytest.fixture
def volume():
    return volume_of(np.random.default_rng(0).random(SHAPE) ** 4)


def test_a_row_holds_the_features_of_each_projection_and_of_slices(extractor, volume):
    (row,) = extractor(volume)
    assert row.shape == (extractor.dimensions,) == (448,)
    scaled = torch.from_numpy(volume.data)
    low, high = np.percentile(volume.data, (0.1, 99.9))
    axial = ((scaled.amax(0) - low) / (high - low)).clamp(0, 1)[None, None]
    axial = torch.nn.functional.interpolate(axial, size=(128, 128), mode="bilinear")
    expected = Backbone()(axial)[-1].mean((0, 2, 3))
    np.testing.assert_allclose(row[:112], expected, atol=1e-4)


def test_features_do_not_depend_on_gain_and_offset(extractor, volume):
    other = volume_of(300 * volume.data + 50)
    np.testing.assert_allclose(extractor(other), extractor(volume), atol=1e-3)


def test_a_copy_in_another_process_gives_the_same_features(extractor, volume):
    copy = pickle.loads(pickle.dumps(extractor))
    assert len(pickle.dumps(extractor)) < 10_000
    np.testing.assert_array_equal(copy(volume), extractor(volume))
    assert copy.recipe.sha256 == extractor.recipe.sha256


def test_a_flat_volume_has_no_features(extractor):
    with pytest.raises(CowganError, match="same value"):
        extractor(volume_of(np.ones(SHAPE)))
