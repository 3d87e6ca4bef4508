"""PCA and SeFa directions against independent computations."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from cowgan.checkpoint import Checkpoint, load, save, to_p
from cowgan.latent import block_thirds, pca_directions, sefa_directions
from cowgan.networks import NetworkConfig
from cowgan.networks.initialisation import initialise_as_rotation
from cowgan.randomness import stream

CONFIG = NetworkConfig(32, 16, 4, 32, latent_dim=24, style_depth=3)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return Checkpoint.random(CONFIG, seed=3, discriminator=False)


@pytest.fixture(scope="module")
def fresh_w(checkpoint: Checkpoint) -> torch.Tensor:
    generator = torch.Generator().manual_seed(99)
    return checkpoint.mapping(torch.randn(20_000, CONFIG.latent_dim, generator=generator))


def test_pca_spans_the_leading_singular_vectors_of_fresh_samples(checkpoint, fresh_w):
    p = to_p(fresh_w).double().numpy()
    _, singular, rows = np.linalg.svd(p - p.mean(0), full_matrices=False)
    sigmas = singular / np.sqrt(len(p) - 1)
    found = pca_directions(checkpoint, 0, 3, 4)
    lengths = [np.linalg.norm(d.vector) for d in found]
    np.testing.assert_allclose(lengths, sigmas[:4], rtol=0.05)
    # Neighbouring variances of an untrained model are close, so compare the subspaces.
    basis = np.stack([d.vector / np.linalg.norm(d.vector) for d in found])
    inside = np.linalg.norm(rows[:8] @ basis.T, axis=0)
    assert (inside > 0.9).all()


def test_pca_gives_the_singular_vectors_of_the_samples_behind_the_statistics(checkpoint):
    numbers = stream("latent statistics", 0)
    z = np.concatenate(
        [numbers.standard_normal((10_000, CONFIG.latent_dim)).astype("f4") for _ in range(10)]
    )
    # The mapping network once more, in numpy, up to its last leaky ReLU.
    weights = {name: t.double().numpy() for name, t in checkpoint.mapping.state_dict().items()}
    activation = z / np.linalg.norm(z, axis=1, keepdims=True)
    for layer in range(CONFIG.style_depth):
        weight, bias = (weights[f"net.{2 * layer}.{part}"] for part in ("weight", "bias"))
        p = (activation @ weight.T + bias) * CONFIG.lr_mlp
        activation = np.where(p < 0, 0.2 * p, p)
    _, singular, rows = np.linalg.svd(p - p.mean(0), full_matrices=False)
    for direction, value, row in zip(
        pca_directions(checkpoint, 0, 3, 4), singular, rows, strict=False
    ):
        length = np.linalg.norm(direction.vector)
        assert length == pytest.approx(value / np.sqrt(len(p) - 1), rel=1e-3)
        assert abs(direction.vector @ row) / length == pytest.approx(1, abs=1e-3)


def test_where_all_directions_vary_alike_they_are_those_of_single_latents(tmp_path):
    rotated = Checkpoint.random(CONFIG, seed=3, discriminator=False)
    initialise_as_rotation(rotated.mapping, torch.Generator().manual_seed(0))
    save(rotated, tmp_path / "half.safetensors", "float16")
    for model in (rotated, load(tmp_path / "half.safetensors")):
        found = pca_directions(model, 0, 3, CONFIG.latent_dim)
        # z has unit variance along each axis, and its length hardly varies.
        z = 3 * functional.normalize(torch.randn(50, 24, generator=torch.Generator()), dim=1)
        p = to_p(model.mapping(z)) - model.statistics.p_mean
        vectors = torch.from_numpy(np.stack([d.vector for d in found]))
        torch.testing.assert_close(p @ vectors.T, z * 24**0.5 / 3, atol=0.1, rtol=0)


@pytest.mark.parametrize("find", [pca_directions, sefa_directions])
def test_the_largest_entry_of_a_direction_is_positive(checkpoint, find):
    for direction in find(checkpoint, 0, 3, 8):
        assert direction.vector[np.abs(direction.vector).argmax()] > 0


@pytest.mark.parametrize(
    ("blocks", "name"),
    [
        ((0, 3), "PCA 1 (all blocks)"),
        ((0, 0), "PCA 1 (coarse)"),
        ((2, 2), "PCA 1 (block 2)"),
        ((1, 3), "PCA 1 (blocks 1-3)"),
    ],
)
def test_names_of_directions_say_where_they_act(checkpoint, blocks, name):
    (direction,) = pca_directions(checkpoint, *blocks, 1)
    assert direction.name == name


def test_one_unit_of_a_pca_direction_is_one_standard_deviation(checkpoint, fresh_w):
    for direction in pca_directions(checkpoint, 0, 3, 3):
        unit = direction.vector / np.linalg.norm(direction.vector)
        spread = (to_p(fresh_w).numpy() @ unit).std()
        assert spread == pytest.approx(np.linalg.norm(direction.vector), rel=0.03)


def test_one_unit_of_a_sefa_direction_is_one_standard_deviation(checkpoint, fresh_w):
    for direction in sefa_directions(checkpoint, 0, 1, 3):
        unit = direction.vector / np.linalg.norm(direction.vector)
        spread = (fresh_w.numpy() @ unit).std()
        assert spread == pytest.approx(np.linalg.norm(direction.vector), rel=0.05)


@pytest.mark.parametrize("blocks", [(0, 0), (1, 2), (0, 3)])
def test_sefa_gives_the_eigenvectors_of_the_style_weights_of_its_blocks(checkpoint, blocks):
    first, last = blocks
    state = checkpoint.synthesis.state_dict()
    rows = np.concatenate(
        [
            state[f"blocks.{block}.to_style{i}.weight"].double().numpy()
            for block in range(first, last + 1)
            for i in (1, 2)
        ]
    )
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    _, _, right = np.linalg.svd(rows, full_matrices=False)
    for direction, expected in zip(
        sefa_directions(checkpoint, first, last, 3), right, strict=False
    ):
        unit = direction.vector / np.linalg.norm(direction.vector)
        assert abs(unit @ expected) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("find", [pca_directions, sefa_directions])
def test_directions_are_orthogonal_and_the_same_in_every_run(checkpoint, find):
    found = find(checkpoint, 0, 3, 6)
    units = np.stack([d.vector / np.linalg.norm(d.vector) for d in found])
    np.testing.assert_allclose(units @ units.T, np.eye(6), atol=1e-4)
    assert find(checkpoint, 0, 3, 6) == found
    assert len({d.name for d in found}) == 6


def test_asking_for_more_directions_than_dimensions_gives_all(checkpoint):
    assert len(pca_directions(checkpoint, 0, 3, 1000)) == CONFIG.latent_dim


@pytest.mark.parametrize("n_blocks", range(2, 10))
def test_thirds_cover_every_block_once(n_blocks):
    covered = [b for first, last in block_thirds(n_blocks).values() for b in range(first, last + 1)]
    assert covered == list(range(n_blocks))
