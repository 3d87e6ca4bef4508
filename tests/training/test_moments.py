"""Traits of generated volumes get the mean and deviation of those of real ones."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from cowgan.training.distributed import SINGLE_PROCESS, ProcessGroup
from cowgan.training.moments import Moments, RealMoments
from cowgan.training.running_means import RunningMeans
from cowgan.training.traits import ProjectionPixels, Textures

SHAPE = (4, 8, 8)
PIXELS = ProjectionPixels(SHAPE)


def scans(n: int, seed: int) -> Tensor:
    """Volumes whose voxels differ in mean and deviation from place to place."""
    source = torch.Generator().manual_seed(seed)
    place = torch.linspace(0, 1, 4 * 8 * 8).view(1, 1, *SHAPE)
    return 0.3 + 0.2 * place + (0.02 + 0.08 * place) * torch.randn(n, 1, *SHAPE, generator=source)


@pytest.fixture(scope="module")
def real() -> RealMoments:
    return Moments(PIXELS).measure(scans(1024, 0).split(256), mirrored=0.0)


def noted(volumes: Tensor, real: RealMoments, steps: int = 200) -> Moments:
    moments = Moments(PIXELS)
    for _ in range(steps):
        moments(volumes, real)
        moments.means.update(SINGLE_PROCESS)
    return moments


def test_the_measured_moments_are_those_of_all_projections(real: RealMoments) -> None:
    volumes = scans(1024, 0)
    views = [volumes.amax(axis).flatten(1) for axis in (2, 4, 3)]
    pixels = torch.cat(views, 1)
    torch.testing.assert_close(real.mean, pixels.mean(0), atol=1e-5, rtol=0)
    torch.testing.assert_close(real.deviation, pixels.std(0).clamp(min=0.02), atol=1e-4, rtol=0)


def test_mirrored_volumes_count_by_their_share() -> None:
    volumes = scans(64, 1)
    half = Moments(PIXELS).measure([volumes], mirrored=0.5)
    both = Moments(PIXELS).measure([volumes, volumes.flip(3)], mirrored=0.0)
    torch.testing.assert_close(half.mean, both.mean)
    torch.testing.assert_close(half.deviation, both.deviation)
    assert not torch.allclose(half.mean, Moments(PIXELS).measure([volumes], 0.0).mean)


def test_real_volumes_have_no_error_and_others_have(real: RealMoments) -> None:
    volumes = scans(512, 2)
    found = [
        float(noted(one, real)(one, real))
        for one in (volumes, volumes + 0.03, 0.4 + 0.5 * (volumes - 0.4))
    ]
    assert found[0] < 0.01
    assert min(found[1:]) > 10 * found[0]


def test_training_brings_mean_and_deviation_to_those_of_real_volumes(real) -> None:
    gain, offset = nn.Parameter(torch.full(SHAPE, 0.7)), nn.Parameter(torch.full(SHAPE, 0.05))
    moments, adam = Moments(PIXELS), torch.optim.Adam([gain, offset], 3e-4)
    centre = scans(512, 3).mean(0)
    for step in range(800):
        volumes = centre + gain * (scans(32, step) - centre) + offset
        adam.zero_grad()
        moments(volumes, real).backward()
        adam.step()
        moments.means.update(SINGLE_PROCESS)
    with torch.no_grad():
        volumes = centre + gain * (scans(1024, 9) - centre) + offset
        found = Moments(PIXELS).measure([volumes], mirrored=0.0)
    assert float(((found.mean - real.mean) / real.deviation).abs().mean()) < 0.1
    assert float((found.deviation / real.deviation - 1).abs().mean()) < 0.1


def test_the_slope_is_that_of_the_error_of_all_volumes(real: RealMoments) -> None:
    """If all volumes are those of this step, the error's own slope is the one it is given."""
    volumes = (scans(8, 4) + 0.02).requires_grad_()
    moments = noted(volumes.detach(), real, 600)
    (given,) = torch.autograd.grad(moments(volumes, real), volumes)

    pixels = torch.cat([volumes.amax(axis).flatten(1) for axis in (2, 4, 3)], 1)
    pixels = (pixels - real.mean) / real.deviation
    error = pixels.mean(0).square() + (pixels.square().mean(0).sqrt() - 1).square()
    (expected,) = torch.autograd.grad(error.mean(), volumes)
    torch.testing.assert_close(given, expected, rtol=1e-3, atol=1e-7)


def test_means_are_those_of_the_volumes_of_all_processes(real: RealMoments) -> None:
    mine, theirs = scans(6, 7), scans(2, 8)
    other, alone, shared = Moments(PIXELS), Moments(PIXELS), Moments(PIXELS)
    other(theirs, real)
    alone(torch.cat([mine, theirs]), real)
    shared(mine, real)

    class TwoProcesses(ProcessGroup):
        def sum_tensors(self, tensors: Sequence[Tensor]) -> None:
            for tensor, added in zip(tensors, (other.means.sums, other.means.count), strict=True):
                tensor += added

    alone.means.update(SINGLE_PROCESS)
    shared.means.update(TwoProcesses())
    torch.testing.assert_close(shared.means.values, alone.means.values)


def test_slices_of_a_batch_are_at_all_depths() -> None:
    """A slice is seen in one of eight equal volumes; the others look as if it were not there."""
    textures = Textures(64)
    picture = torch.rand(1, 1, 1, 64, 64, generator=torch.Generator().manual_seed(5))
    alike = picture.expand(8, -1, 32, -1, -1)
    of_slices = textures(alike)[:, -textures.count // 4 :]
    for place in (0, 13, 31):
        changed = alike.clone()
        changed[:, :, place] /= 4
        off = (textures(changed)[:, -textures.count // 4 :] - of_slices).abs().amax(1)
        assert sorted(off > 0.1) == [False] * 7 + [True]


def test_training_brings_textures_to_those_of_real_volumes() -> None:
    """The grain of noise is learned from textures alone."""
    moments = Moments(Textures(64))
    source = torch.Generator().manual_seed(6)

    def grains(contrast: Tensor | float) -> Tensor:
        return 0.5 + contrast * torch.randn(2, 1, 8, 64, 64, generator=source)

    real = moments.measure([grains(0.1) for _ in range(8)], mirrored=0.0)
    contrast = nn.Parameter(torch.tensor(0.05))
    adam = torch.optim.Adam([contrast], 2e-3)
    for _ in range(60):
        adam.zero_grad()
        moments(grains(contrast), real).backward()
        adam.step()
        moments.means.update(SINGLE_PROCESS)
    assert float(contrast) == pytest.approx(0.1, abs=0.02)


def test_means_are_not_rounded_in_mixed_precision() -> None:
    numbers, counted = torch.rand(2, 8, 5), torch.ones(8)
    means = RunningMeans(torch.zeros(2, 5), kept=0.0)
    with torch.autocast("cpu", torch.bfloat16):
        means.note(numbers, counted)
    means.update(SINGLE_PROCESS)
    torch.testing.assert_close(means.values, numbers.mean(1))
