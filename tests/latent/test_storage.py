"""Directions on disk."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from cowgan.checkpoint import BUNDLED, Checkpoint, load, load_bundled
from cowgan.errors import CowganError
from cowgan.latent import load_directions, save_directions, stored_directions
from cowgan.networks import NetworkConfig
from cowgan.synthesis import Direction

CONFIG = NetworkConfig(32, 16, 2, 16, latent_dim=8, style_depth=1)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return replace(Checkpoint.random(CONFIG, discriminator=False), sha256="a" * 64)


@pytest.fixture
def directions() -> list[Direction]:
    numbers = np.random.default_rng(0)
    return [
        Direction(name, "PCA", "p", numbers.normal(size=8), 0, i, effect=0.1 * i)
        for i, name in enumerate(["Größe", "thin “PCom”"])
    ]


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_directions_survive_a_round_trip_with_their_names(tmp_path, checkpoint, directions, suffix):
    path = tmp_path / f"directions{suffix}"
    save_directions(path, directions, checkpoint)
    stored = load_directions(path, checkpoint)
    assert list(stored.directions) == directions
    assert [d.effect for d in stored.directions] == [d.effect for d in directions]
    for before, after in zip(directions, stored.directions, strict=True):
        np.testing.assert_array_equal(before.vector, after.vector)
    assert stored.model.fits(checkpoint)


def test_a_file_of_another_model_says_so(tmp_path, checkpoint, directions):
    path = tmp_path / "directions.json"
    save_directions(path, directions, checkpoint)
    other = Checkpoint.random(CONFIG, seed=1, discriminator=False)
    other.sha256 = "f" * 64
    assert not load_directions(path, other).model.fits(other)


def test_two_models_that_were_never_saved_are_not_taken_for_the_same(tmp_path, directions):
    path = tmp_path / "directions.json"
    save_directions(path, directions, Checkpoint.random(CONFIG, discriminator=False))
    other = Checkpoint.random(CONFIG, seed=1, discriminator=False)
    assert not load_directions(path, other).model.fits(other)


@pytest.mark.parametrize(
    "config",
    [
        NetworkConfig(32, 16, 2, 16, latent_dim=16, style_depth=1),
        NetworkConfig(8, 8, 2, 16, latent_dim=8, style_depth=1),
    ],
)
def test_directions_of_another_architecture_are_refused(tmp_path, checkpoint, directions, config):
    path = tmp_path / "directions.json"
    save_directions(path, [*directions, Direction("x", "PCA", "p", np.ones(8), 0, 3)], checkpoint)
    with pytest.raises(CowganError, match="another architecture"):
        load_directions(path, Checkpoint.random(config, discriminator=False))


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_damaged_files_end_in_one_sentence(tmp_path, checkpoint, directions, suffix):
    path = tmp_path / f"directions{suffix}"
    save_directions(path, directions, checkpoint)
    content = path.read_bytes()
    for cut in range(0, len(content) - 2, 7):
        path.write_bytes(content[:cut])
        with pytest.raises(CowganError) as caught:
            load_directions(path, checkpoint)
        assert caught.value.sentence.endswith(".")
        assert "\n" not in caught.value.sentence


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "cowgan.directions/2"},
        {"directions": [{"name": "x"}]},
        {"directions": 5},
        {"directions": []},
        {"checkpoint": None},
        {"checkpoint": {"name": None, "sha256": None}},
        {"checkpoint": {"name": "x", "sha256": [1]}},
    ],
)
def test_files_of_another_shape_end_in_one_sentence(tmp_path, checkpoint, directions, change):
    path = tmp_path / "directions.json"
    save_directions(path, directions, checkpoint)
    path.write_text(
        json.dumps(json.loads(path.read_text(encoding="utf-8")) | change), encoding="utf-8"
    )
    with pytest.raises(CowganError):
        load_directions(path)


@pytest.mark.parametrize("key", ["name", "method", "space", "first_block", "effect", "vector"])
@pytest.mark.parametrize("value", [None, [], {}, float("inf")])
def test_an_entry_of_another_type_ends_in_one_sentence(
    tmp_path, checkpoint, directions, key, value
):
    path = tmp_path / "directions.json"
    save_directions(path, directions, checkpoint)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["directions"][0][key] = value
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(CowganError):
        load_directions(path)


@pytest.mark.parametrize(
    "vectors",
    [
        torch.zeros(2, 8, dtype=torch.float8_e4m3fn),
        torch.zeros(2, 8, dtype=torch.bfloat16),
        torch.zeros(2, 8, dtype=torch.complex64),
        torch.full((2, 8), 1e300, dtype=torch.float64),
        torch.full((2, 8), torch.nan),
        torch.zeros(2, 2, 4),
        torch.zeros(2),
        torch.zeros(3, 8),
    ],
)
def test_vectors_of_another_type_or_shape_end_in_one_sentence(
    tmp_path, checkpoint, directions, vectors
):
    path = tmp_path / "directions.safetensors"
    save_directions(tmp_path / "directions.json", directions, checkpoint)
    header = (tmp_path / "directions.json").read_text(encoding="utf-8")
    save_file({"vectors": vectors}, path, {"header": header})
    with pytest.raises(CowganError):
        load_directions(path)


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(CowganError, match="is larger than"):
        load_directions(path)


def test_a_checkpoint_is_not_a_directions_file():
    with pytest.raises(CowganError, match="directions file"):
        load_directions(BUNDLED)


def test_a_failed_save_leaves_the_earlier_file(tmp_path, checkpoint, directions, monkeypatch):
    path = tmp_path / "directions.json"
    save_directions(path, directions, checkpoint)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(CowganError, match="No space left"):
        save_directions(path, directions[:1], checkpoint)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file_another_suffix_and_an_empty_list_are_refused(
    tmp_path, checkpoint, directions
):
    with pytest.raises(CowganError, match="no file"):
        load_directions(tmp_path / "none.json")
    with pytest.raises(CowganError, match="must end in"):
        save_directions(tmp_path / "x.txt", directions, checkpoint)
    with pytest.raises(CowganError, match="no directions"):
        save_directions(tmp_path / "x.json", [], checkpoint)
    assert list(tmp_path.iterdir()) == []


def test_only_the_bundled_model_has_stored_directions(tmp_path, checkpoint):
    assert stored_directions(checkpoint) is None
    stored = stored_directions(load_bundled())
    assert stored
    copy = tmp_path / "copy.safetensors"
    shutil.copy(BUNDLED, copy)
    assert stored_directions(load(copy)) == stored
