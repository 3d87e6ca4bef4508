"""Tests of the features of DINOv2."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from cowgan.errors import CowganError
from cowgan.features.dinov2 import Dinov2Features
from cowgan.volume import Volume, default_affine

transformers = pytest.importorskip("transformers", reason="the extra dinov2 is not installed")

WIDTH = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return a folder of random weights in the layout of the published ones."""
    config = transformers.Dinov2Config(
        hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=3, image_size=70
    )
    torch.manual_seed(0)
    network = transformers.Dinov2Model(config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape))
    path = tmp_path_factory.mktemp("weights") / "dinov2-tiny"
    network.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def extractor(folder: Path) -> Dinov2Features:
    return Dinov2Features(folder)


def volume_of(data) -> Volume:
    return Volume(np.asarray(data, np.float32), default_affine(np.shape(data)))


def random_volume(shape: tuple[int, int, int]) -> Volume:
    return volume_of(np.random.default_rng(0).random(shape) ** 4)


@pytest.fixture
def volume() -> Volume:
    return random_volume((32, 64, 64))


@pytest.mark.parametrize("shape", [(32, 64, 64), (16, 320, 320)])
def test_features_are_those_of_transformers_and_pillow(shape, extractor, folder: Path) -> None:
    network = transformers.Dinov2Model.from_pretrained(folder, local_files_only=True).eval()
    volume = random_volume(shape)
    low, high = np.percentile(volume.data, (0.1, 99.9))
    scaled = ((volume.data - low) / (high - low)).clip(0, 1)

    def token(picture: np.ndarray, rows: int) -> torch.Tensor:
        resized = Image.fromarray(picture).resize((224, rows), Image.Resampling.BICUBIC)
        grey = np.asarray(resized).clip(0, 1)
        colours = np.stack([grey] * 3, -1)
        standardised = (colours - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
        values = torch.tensor(standardised, dtype=torch.float32).permute(2, 0, 1)
        with torch.no_grad():
            return network(values[None]).last_hidden_state[0, 0]

    expected = [token(scaled.max(0), 224), token(scaled.max(2), 112), token(scaled.max(1), 112)]
    places = range(shape[0] // 16, shape[0], shape[0] // 8)
    expected.append(torch.stack([token(scaled[place], 224) for place in places]).mean(0))
    (row,) = extractor(volume)
    assert row.shape == (extractor.dimensions,) == (4 * WIDTH,)
    np.testing.assert_allclose(row, torch.cat(expected), atol=1e-4)


def test_features_do_not_depend_on_gain_and_offset(extractor, volume) -> None:
    other = volume_of(300 * volume.data + 50)
    np.testing.assert_allclose(extractor(other), extractor(volume), atol=1e-3)


def test_a_copy_in_another_process_gives_the_same_features(extractor, volume) -> None:
    copy = pickle.loads(pickle.dumps(extractor))
    assert len(pickle.dumps(extractor)) < 1000
    np.testing.assert_array_equal(copy(volume), extractor(volume))
    assert copy.recipe.sha256 == extractor.recipe.sha256


def test_a_flat_volume_has_no_features(extractor) -> None:
    with pytest.raises(CowganError, match="same value"):
        extractor(volume_of(np.ones((32, 64, 64))))


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, **changes}), encoding="utf-8")


def change_weights(folder: Path, change) -> None:
    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path, {"format": "pt"})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: change_config(folder, model_type="dinov2_with_registers"),
        lambda folder: change_config(folder, hidden_size=48),
        lambda folder: change_config(folder, hidden_size=-3),
        lambda folder: change_config(folder, num_hidden_layers=3),
        lambda folder: change_config(folder, num_hidden_layers=10**9),
        lambda folder: change_config(folder, num_attention_heads=0),
        lambda folder: change_config(folder, patch_size=0),
        lambda folder: change_config(folder, image_size=10**9),
        lambda folder: change_config(folder, hidden_act="relu"),
        lambda folder: (folder / "config.json").write_text("[]", encoding="utf-8"),
        lambda folder: (folder / "config.json").unlink(),
        lambda folder: (folder / "model.safetensors").unlink(),
        lambda folder: (folder / "model.safetensors").write_bytes(b"abc"),
        lambda folder: change_weights(folder, lambda tensors: dict(list(tensors.items())[1:])),
        lambda folder: change_weights(folder, lambda tensors: {"a": torch.zeros(10**6)}),
        lambda folder: change_weights(
            folder, lambda tensors: {name: one * torch.nan for name, one in tensors.items()}
        ),
    ],
)
def test_other_folders_are_refused(spoil, folder: Path, tmp_path: Path, single_sentence) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    spoil(copy)
    with pytest.raises(CowganError) as refusal:
        Dinov2Features(copy)
    single_sentence(refusal)


def test_weights_in_half_precision_and_with_a_classifier_load(
    extractor, folder: Path, tmp_path: Path, volume
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    change_weights(
        copy,
        lambda tensors: {
            **{f"dinov2.{name}": tensor.half() for name, tensor in tensors.items()},
            "classifier.weight": torch.zeros(5, 2 * WIDTH),
        },
    )
    np.testing.assert_allclose(Dinov2Features(copy)(volume), extractor(volume), atol=0.05)
