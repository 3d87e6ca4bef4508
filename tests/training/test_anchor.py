"""The loss that holds generated volumes to the anatomies of their latents."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cowgan.training.anchor import Anchor
from cowgan.training.distributed import SINGLE_PROCESS, ProcessGroup

TRAITS = 4
DEVIATION = torch.tensor([1.0, 0.5, 2.0, 1.0])
ALL = torch.ones(256, dtype=torch.bool)
CORRELATION = torch.tensor([1.0, 0.8, 0.5, 0.3])


class FirstVoxels:
    """An appearance that is the first voxels of a volume, about its middle grey."""

    def appearance(self, volumes: Tensor) -> Tensor:
        return 20 * (volumes.flatten(1)[:, :TRAITS] - 0.5)

    def appearance_of(self, z: Tensor) -> Tensor:
        return DEVIATION * 8 * functional.normalize(z, dim=1)[:, :TRAITS]

    def variances(self) -> Tensor:
        return DEVIATION**2

    def mean_error(self, errors: Tensor) -> Tensor:
        return errors.mean(1)


def volumes_of(appearance: Tensor) -> Tensor:
    return (0.5 + appearance / 20)[:, None, None, None]


def latents(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return latents and what an imperfect generator makes of them, as diverse as wanted."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(count, 64, generator=generator)
    other = torch.randn(count, TRAITS, generator=generator)
    wanted = FirstVoxels().appearance_of(z)
    return z, CORRELATION * wanted + (1 - CORRELATION**2).sqrt() * DEVIATION * other


def test_the_error_is_least_at_the_variance_of_real_volumes() -> None:
    anchor, gain = Anchor(TRAITS), nn.Parameter(torch.full((TRAITS,), 0.7))
    adam = torch.optim.Adam([gain], 0.01)
    for step in range(600):
        z, found = latents(64, step)
        adam.zero_grad()
        anchor(FirstVoxels(), volumes_of(gain * found), z, ALL[:64]).backward()
        adam.step()
        anchor.means.update(SINGLE_PROCESS)
    torch.testing.assert_close(gain.detach(), torch.ones(TRAITS), atol=0.1, rtol=0)


def test_a_new_anchor_is_the_squared_error() -> None:
    z, found = latents(256, 0)
    wanted = FirstVoxels().appearance_of(z)
    error = Anchor(TRAITS)(FirstVoxels(), volumes_of(found), z, ALL)
    assert float(error) == pytest.approx(float((found - wanted).square().mean()), rel=1e-4)


def test_volumes_count_alike_however_they_are_shared() -> None:
    class Halves(ProcessGroup):
        """Two processes with the same volumes."""

        def sum_tensors(self, tensors: list[Tensor]) -> None:
            for tensor in tensors:
                tensor *= 2

    z, found = latents(8, 0)
    alone, shared = Anchor(TRAITS), Anchor(TRAITS)
    alone(FirstVoxels(), volumes_of(found), z, ALL[:8])
    shared(FirstVoxels(), volumes_of(found), z, ALL[:8])
    alone.means.update(SINGLE_PROCESS)
    shared.means.update(Halves())
    for name, one in alone.state_dict().items():
        torch.testing.assert_close(one, shared.state_dict()[name])


def test_volumes_of_mixed_styles_do_not_count() -> None:
    z, found = latents(8, 0)
    single = torch.arange(8) < 4
    some, mixed = Anchor(TRAITS), Anchor(TRAITS)
    expected = some(FirstVoxels(), volumes_of(found[:4]), z[:4], ALL[:4])
    found[4:] = 9
    assert float(mixed(FirstVoxels(), volumes_of(found), z, single)) == pytest.approx(
        float(expected)
    )
    for anchor in (some, mixed):
        anchor.means.update(SINGLE_PROCESS)
    torch.testing.assert_close(some.means.values, mixed.means.values)
    before = mixed.means.values.clone()
    assert float(mixed(FirstVoxels(), volumes_of(found), z, ~ALL[:8])) == 0
    mixed.means.update(SINGLE_PROCESS)
    assert torch.equal(mixed.means.values, before)


def test_a_step_that_is_not_finite_leaves_no_trace() -> None:
    z, found = latents(8, 0)
    anchor = Anchor(TRAITS)
    before = {name: one.clone() for name, one in anchor.state_dict().items()}
    anchor(FirstVoxels(), volumes_of(found) * torch.nan, z, ALL[:8])
    anchor.means.update(SINGLE_PROCESS)
    torch.testing.assert_close(dict(anchor.state_dict()), before)
    assert bool(anchor(FirstVoxels(), volumes_of(found), z, ALL[:8]).isfinite())
