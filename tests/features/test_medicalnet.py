"""Tests of the features of MedicalNet."""

import pickle

import numpy as np
import pytest
import torch
from pretrained_files import medicalnet_weights, write_medicalnet

from cowgan.errors import CowganError
from cowgan.features.medicalnet import MedicalNetFeatures, normalised
from cowgan.volume import Volume, default_affine


@pytest.fixture(scope="module")
def state():
    return medicalnet_weights()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_medicalnet(tmp_path_factory.mktemp("medicalnet"))


@pytest.fixture(scope="module")
def extractor(weights):
    return MedicalNetFeatures(weights)


def volume_of(data):
    return Volume(np.asarray(data, np.float32), default_affine(np.shape(data)))


@pytest.fixture
def volume():
    return volume_of(np.random.RandomState(7).standard_normal((16, 48, 40)).astype(np.float32) ** 2)


def test_features_are_those_of_another_implementation(extractor, volume):
    # medmetric 0.1.1 with these weights, on what the paper's squeeze_and_normalize_nifti and
    # GANDataset make of this volume; its one voxel of noise, which has no seed there, is ours.
    expected = [0.570446849, 2.073361397, 2.602072477, 1.214153528]
    expected += [1.339460254, 8.222064972, 0.099992119, 6.523773670]
    (row,) = extractor(volume)
    assert row.shape == (extractor.dimensions,) == (512,)
    np.testing.assert_allclose(row[::64], expected, rtol=1e-5)
    assert row.mean() == pytest.approx(3.386876, rel=1e-5)


def test_input_is_standardised_above_zero_and_noise_at_zero():
    data = np.random.default_rng(0).random((16, 24, 20)) + 1
    data[:8] = 0
    found = normalised(volume_of(data))
    inside, noise = found[:, :, 8:], found[:, :, :8]
    scaled = data.transpose(1, 2, 0)[:, :, 8:]
    np.testing.assert_allclose(inside, (scaled - scaled.mean()) / scaled.std(), atol=1e-5)
    assert noise.mean() == pytest.approx(0, abs=0.1)
    assert noise.std() == pytest.approx(1, abs=0.1)
    np.testing.assert_array_equal(normalised(volume_of(data)), found)
    other = data + np.eye(24, 20)
    assert not np.allclose(normalised(volume_of(other))[:, :, :8], noise)


def test_features_do_not_depend_on_gain_and_offset(extractor, volume):
    other = volume_of(2 * volume.data)
    np.testing.assert_array_equal(extractor(other), extractor(volume))


def test_a_copy_in_another_process_gives_the_same_features(extractor, volume):
    copy = pickle.loads(pickle.dumps(extractor))
    assert len(pickle.dumps(extractor)) < 1000
    np.testing.assert_array_equal(copy(volume), extractor(volume))
    assert copy.recipe.sha256 == extractor.recipe.sha256


def test_a_file_without_module_and_with_the_head_of_segmentation_loads(state, weights, tmp_path):
    plain = {name.removeprefix("module."): value for name, value in state.items()}
    path = tmp_path / "weights.pth"
    torch.save({**plain, "conv_seg.0.weight": torch.zeros(3)}, path)
    assert MedicalNetFeatures(path).recipe.sha256 != MedicalNetFeatures(weights).recipe.sha256


def lacking(tensors):
    return dict(list(tensors.items())[1:])


def of_another_size(tensors):
    return {name: value[:1] for name, value in tensors.items()}


def undefined(tensors):
    return {name: value * torch.nan for name, value in tensors.items()}


@pytest.mark.parametrize("change", [lacking, of_another_size, undefined])
def test_other_weights_are_refused(change, state, tmp_path, single_sentence):
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": change(state)}, path)
    with pytest.raises(CowganError, match="MedicalNet") as refusal:
        MedicalNetFeatures(path)
    single_sentence(refusal)


@pytest.mark.parametrize("content", [{"a": torch.zeros(3)}, {"state_dict": 3}, torch.zeros(3), 5])
def test_torch_files_of_something_else_are_refused(content, tmp_path, single_sentence):
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    with pytest.raises(CowganError, match=r"weights\.pth does not hold") as refusal:
        MedicalNetFeatures(path)
    single_sentence(refusal)


@pytest.mark.parametrize("content", [b"", b"\0" * 99, b"<!doctype html>", b"PK\x03\x04", b"abc"])
def test_other_files_are_refused(content, tmp_path, single_sentence):
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    for wrong in (path, tmp_path / "missing.pth", tmp_path):
        with pytest.raises(CowganError) as refusal:
            MedicalNetFeatures(wrong)
        single_sentence(refusal)


@pytest.mark.parametrize("values", [1, 2])
def test_a_volume_of_too_few_values_has_no_features(values, extractor):
    data = np.arange(16 * 24 * 20).reshape(16, 24, 20) % values
    with pytest.raises(CowganError, match="same value"):
        extractor(volume_of(data))
