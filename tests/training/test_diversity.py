"""Generated volumes may not be more alike than real ones."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cowgan.errors import CowganError
from cowgan.networks import NetworkConfig
from cowgan.training.config import TrainingConfig, preset
from cowgan.training.diversity import (
    concentration,
    measure_likeness,
    pair_correlations,
    regions,
    repetition,
    vessel_maps,
)

SHAPE = (8, 32, 32)


def people(n: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Volumes with a few bright balls at places of their own, shape (n, 1, z, x, y)."""
    random = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in SHAPE), indexing="ij"))
    volumes = np.zeros((n, 1, *SHAPE))
    for volume in volumes:
        for _ in range(6):
            centre = random.uniform(-1, 1, 3)[:, None, None, None]
            volume[0] += np.exp(-((grid - centre) ** 2).sum(0) / 0.05)
    return torch.from_numpy(volumes).to(dtype)


LIKENESS = measure_likeness(people(8, seed) for seed in range(1, 9))


def test_pairs_correlate_as_numpy_says() -> None:
    maps = vessel_maps(people(5))
    expected = np.corrcoef(maps.flatten(1))[np.triu_indices(5, 1)]
    whole, *quarters = (pair_correlations(part) for part in regions(maps))
    # The small floor under the norm shortens every row a little.
    np.testing.assert_allclose(whole, expected, atol=1e-3)
    left_front = maps[:, :, :8, 8:].flatten(1)
    expected = np.corrcoef(left_front)[np.triu_indices(5, 1)]
    np.testing.assert_allclose(quarters[1], expected, atol=5e-3)


@settings(deadline=None, max_examples=25)
@given(st.floats(0.1, 10), st.floats(-1, 1))
def test_gain_and_offset_do_not_make_volumes_differ(gain: float, offset: float) -> None:
    volumes = people(2)
    torch.testing.assert_close(
        vessel_maps(gain * volumes + offset), vessel_maps(volumes), atol=1e-3, rtol=1e-3
    )


def test_concentration_counts_directions() -> None:
    line = torch.linspace(-1, 2, 6)[:, None] * torch.randn(1, 40)
    assert float(concentration(line)) == pytest.approx(1, abs=1e-4)
    even = torch.eye(6)
    assert float(concentration(even)) == pytest.approx(1 / 5, abs=1e-5)


def test_real_volumes_hardly_count_as_repetition_and_copies_do() -> None:
    fresh = np.mean([float(repetition(people(8, seed), LIKENESS)) for seed in range(20, 30)])
    one = people(1, 50)
    copies = one + 0.01 * torch.randn(8, 1, *SHAPE, generator=torch.Generator().manual_seed(0))
    copied = float(repetition(copies, LIKENESS))
    assert fresh < 0.2 * copied
    half = torch.cat([copies[:4], people(4, 51)])
    assert fresh < float(repetition(half, LIKENESS)) < copied


def test_gradients_are_right() -> None:
    volumes = (0.7 * people(1, 3) + 0.3 * people(3, 4)).double().requires_grad_()
    real = measure_likeness(people(3, seed, torch.float64) for seed in range(1, 5))
    assert repetition(volumes, real) > 0
    directions = torch.randn(4, *volumes.shape, dtype=torch.float64)
    (slope,) = torch.autograd.grad(repetition(volumes, real), volumes)
    for direction in directions:
        step = 1e-6 * direction
        with torch.no_grad():
            change = repetition(volumes + step, real) - repetition(volumes - step, real)
        assert float(change) == pytest.approx(2 * float((slope * step).sum()), rel=1e-3)


def test_following_the_gradient_drives_near_copies_apart() -> None:
    volumes = (people(1, 3) + 0.1 * people(8, 4)).requires_grad_()
    before = float(repetition(volumes.detach(), LIKENESS))
    adam = torch.optim.Adam([volumes], 0.02)
    for _ in range(20):
        adam.zero_grad()
        loss = repetition(volumes, LIKENESS)
        loss.backward()
        adam.step()
    assert float(loss.detach()) < 0.6 * before


def test_empty_volumes_have_finite_gradients() -> None:
    volumes = torch.zeros(4, 1, *SHAPE, requires_grad=True)
    repetition(volumes, LIKENESS).backward()
    assert volumes.grad is not None
    assert torch.isfinite(volumes.grad).all()


def test_a_batch_of_one_is_refused(single_sentence) -> None:
    assert preset("projected", NetworkConfig()).diversity_weight > 0
    with pytest.raises(CowganError) as refusal:
        TrainingConfig(diversity_weight=1.0, batch=1)
    single_sentence(refusal)
