"""Tests of the features of Inception-v3."""

import pickle

import numpy as np
import pytest
import torch
from pretrained_files import random_weights

from cowgan.errors import CowganError
from cowgan.features.inception import InceptionFeatures, inception, slice_pictures
from cowgan.volume import Volume, default_affine


@pytest.fixture(scope="module")
def extractor(tmp_path_factory):
    with torch.device("meta"):
        network = inception()
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    state = random_weights(shapes) | {"fc.bias": torch.zeros(1008)}
    path = tmp_path_factory.mktemp("inception") / "pt_inception.pth"
    torch.save(state, path)
    return InceptionFeatures(path)


def volume_of(data):
    return Volume(np.asarray(data, np.float32), default_affine(np.shape(data)))


@pytest.fixture
def volume():
    return volume_of(np.random.RandomState(7).standard_normal((2, 24, 20)).astype(np.float32) ** 2)


def test_features_are_those_of_pytorch_fid(extractor, volume):
    # pytorch-fid 0.3.0 on torchvision 0.28.0 with these weights, on the pictures that the paper's
    # squeeze_and_normalize_nifti and convert_nifti_to_png make of this volume.
    expected = [
        [0.008492440, 2.742098093, 5.843973160, 7.910150051, 0.003430572, 0.465975672],
        [0.006348137, 2.709941626, 5.839811325, 7.814348221, 0.010206463, 0.337861866],
    ]
    rows = extractor(volume)
    assert rows.shape == (2, extractor.dimensions) == (2, 2048)
    np.testing.assert_allclose(rows[:, ::409], expected, atol=3e-5)
    np.testing.assert_allclose(rows.mean(1), [2.197013140, 2.179737568], rtol=1e-5)


def test_pictures_are_the_first_slices_scaled_twice_and_rounded_down():
    data = np.random.default_rng(0).random((40, 12, 10)).astype(np.float32)
    data[3] = 0.5
    found = slice_pictures(volume_of(data))
    assert found.shape == (32, 12, 10)
    for number, picture in enumerate(found):
        one = data[number].astype(float)
        if number == 3:
            assert not picture.any()
            continue
        scaled = 255 * (one - one.min()) / (one.max() - one.min())
        assert (picture.min(), picture.max()) == (0, 255)
        np.testing.assert_allclose(picture, scaled - 0.5, atol=0.501)


def test_features_do_not_depend_on_gain(extractor, volume):
    np.testing.assert_array_equal(extractor(volume_of(2 * volume.data)), extractor(volume))


def test_a_copy_in_another_process_gives_the_same_features(extractor, volume):
    copy = pickle.loads(pickle.dumps(extractor))
    assert len(pickle.dumps(extractor)) < 1000
    np.testing.assert_array_equal(copy(volume), extractor(volume))
    assert copy.recipe.sha256 == extractor.recipe.sha256


def test_other_weights_are_refused(tmp_path, single_sentence):
    path = tmp_path / "weights.pth"
    torch.save({"Mixed_7c.branch1x1.bn.weight": torch.zeros(320)}, path)
    with pytest.raises(CowganError, match="Inception-v3") as refusal:
        InceptionFeatures(path)
    single_sentence(refusal)


def test_a_flat_volume_has_no_features(extractor):
    with pytest.raises(CowganError, match="same value"):
        extractor(volume_of(np.ones((4, 24, 20))))
