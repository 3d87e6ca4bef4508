"""Tests of the features of a discriminator."""

import math
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from published_formula import judge
from training_banks import TINY_NETWORK, Tubes, make_bank

from cowgan.bank.bank import Bank
from cowgan.checkpoint import Checkpoint, save
from cowgan.errors import CowganError
from cowgan.training.config import preset
from cowgan.training.discriminator_features import DiscriminatorFeatures
from cowgan.training.run import export_run, resume_run, start_run
from cowgan.training.run_state import read_state
from cowgan.training.state_files import part_of
from cowgan.training.stylegan2_discriminator import StyleGan2Discriminator
from cowgan.volume import Volume, default_affine

VOLUME = Tubes(1).make()


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> Bank:
    return make_bank(tmp_path_factory.mktemp("bank") / "bank")


def train(bank: Bank, folder: Path, name: str) -> Path:
    config = preset(name, TINY_NETWORK).with_changes(
        batch=2, accumulate=1, steps=2, precision="fp32"
    )
    start_run(folder, bank, config, "cpu")
    return folder


@pytest.fixture(scope="module")
def modern_run(bank, tmp_path_factory) -> Path:
    return train(bank, tmp_path_factory.mktemp("runs") / "modern", "modern")


@pytest.fixture(scope="module")
def paper_run(bank, tmp_path_factory) -> Path:
    return train(bank, tmp_path_factory.mktemp("runs") / "paper", "paper")


def discriminator_of(run: Path) -> dict[str, torch.Tensor]:
    return part_of(read_state(run)[0], "discriminator/")


def test_the_logit_is_a_linear_function_of_the_features(modern_run: Path) -> None:
    extractor = DiscriminatorFeatures(modern_run)
    (row,) = extractor(VOLUME)
    assert row.shape == (extractor.dimensions,) == (16,)
    weights = discriminator_of(modern_run)
    network = StyleGan2Discriminator(TINY_NETWORK)
    network.load_state_dict(weights)
    expected = network(torch.tensor(VOLUME.data)[None, None]).item()
    score = row @ weights["to_logit.weight"][0].numpy() / math.sqrt(16)
    assert score + weights["to_logit.bias"].item() == pytest.approx(expected, rel=1e-5)
    assert np.abs(row).max() > 0.01


def test_features_of_the_published_discriminator_give_the_logit_of_its_formula(
    paper_run: Path,
) -> None:
    extractor = DiscriminatorFeatures(paper_run)
    (row,) = extractor(VOLUME)
    assert row.shape == (extractor.dimensions,) == (16 * 2**3,)
    weights = discriminator_of(paper_run)
    expected = judge(weights, torch.tensor(VOLUME.data)[None, None], TINY_NETWORK.depth).item()
    score = row @ weights["to_logit.weight"][0].numpy() + weights["to_logit.bias"].item()
    assert score == pytest.approx(expected, rel=1e-4)


def test_a_model_file_may_hold_a_discriminator(tmp_path: Path) -> None:
    model = Checkpoint.random(TINY_NETWORK)
    save(model, tmp_path / "model.safetensors")
    extractor = DiscriminatorFeatures(tmp_path / "model.safetensors")
    assert extractor.recipe.name == "Discriminator of model.safetensors"
    (row,) = extractor(VOLUME)
    weights = model.discriminator.state_dict()
    expected = judge(weights, torch.tensor(VOLUME.data)[None, None], TINY_NETWORK.depth).item()
    score = row @ weights["to_logit.weight"][0].numpy() + weights["to_logit.bias"].item()
    assert score == pytest.approx(expected, rel=1e-4)


def test_a_run_that_goes_on_has_other_features_by_another_recipe(
    bank, modern_run: Path, tmp_path: Path
) -> None:
    run = tmp_path / "copy"
    shutil.copytree(modern_run, run)
    before = DiscriminatorFeatures(run)
    expected, packed = before(VOLUME), pickle.dumps(before)
    assert before.recipe.name == "Discriminator of copy at step 2"
    resume_run(run, bank, "cpu", steps=4)
    after = DiscriminatorFeatures(run)
    assert after.recipe.name == "Discriminator of copy at step 4"
    assert after.recipe.weights_sha256 != before.recipe.weights_sha256
    assert not np.allclose(after(VOLUME), expected)
    unpacked = pickle.loads(packed)
    np.testing.assert_array_equal(unpacked(VOLUME), expected)
    assert unpacked.recipe == before.recipe


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (VOLUME.data[:8], "16 x 16 x 16 voxels .* this one has 8 x 16 x 16"),
        (VOLUME.data * 300, "intensities of 0 to 1"),
        (VOLUME.data - 0.5, "intensities of 0 to 1"),
    ],
)
def test_volumes_unlike_those_of_the_training_are_refused(
    data, sentence: str, modern_run: Path, single_sentence
) -> None:
    volume = Volume(data, default_affine(data.shape))
    with pytest.raises(CowganError, match=sentence) as refusal:
        DiscriminatorFeatures(modern_run)(volume)
    single_sentence(refusal)


def test_a_projected_discriminator_sees_no_volume(bank, tmp_path: Path, single_sentence) -> None:
    run = train(bank, tmp_path / "run", "projected")
    with pytest.raises(CowganError, match="sees no volume") as refusal:
        DiscriminatorFeatures(run)
    single_sentence(refusal)


def test_what_holds_no_discriminator_is_refused(
    modern_run: Path, tmp_path: Path, single_sentence
) -> None:
    export_run(modern_run, tmp_path / "exported.safetensors")
    with pytest.raises(CowganError, match="holds no discriminator") as refusal:
        DiscriminatorFeatures(tmp_path / "exported.safetensors")
    single_sentence(refusal)
    for missing in (tmp_path, tmp_path / "missing"):
        with pytest.raises(CowganError) as refusal:
            DiscriminatorFeatures(missing)
        single_sentence(refusal)
    (tmp_path / "state.safetensors").write_bytes(b"damaged")
    with pytest.raises(CowganError, match="damaged"):
        DiscriminatorFeatures(tmp_path)
