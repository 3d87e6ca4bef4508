"""Generated volumes stay within the grey levels of real ones."""

import torch
from torch import Tensor

from cowgan.training.brightness import brightness_error, measure_brightness


def scans(n: int, seed: int = 0) -> Tensor:
    """Volumes of about 0.15 with 0.05 around it, each a little different."""
    source = torch.Generator().manual_seed(seed)
    level = 0.15 + 0.01 * torch.randn(n, 1, 1, 1, 1, generator=source)
    spread = 0.05 + 0.005 * torch.randn(n, 1, 1, 1, 1, generator=source)
    voxels = torch.randn(n, 1, 8, 16, 16, generator=source).clamp(-2.5, 2.5)
    return level + spread * voxels


REAL = measure_brightness(scans(64))


def test_only_the_brightness_of_real_volumes_has_no_loss() -> None:
    right = float(brightness_error(scans(16, 1), REAL))
    assert right < 0.05
    for wrong in (scans(16, 1) + 0.1, scans(16, 1) * 2, 0.15 + 0.2 * (scans(16, 1) - 0.15)):
        assert float(brightness_error(wrong, REAL)) > 10 * right


def test_the_gradient_leads_back_from_any_brightness() -> None:
    """Clipping would have no gradient where a picture is all black or all white."""
    for start in (-30.0, 30.0):
        volumes = torch.full((4, 1, 8, 16, 16), start)
        volumes += 0.1 * torch.randn(volumes.shape, generator=torch.Generator().manual_seed(0))
        volumes.requires_grad_()
        (slope,) = torch.autograd.grad(brightness_error(volumes, REAL), volumes)
        assert torch.isfinite(slope).all()
        assert float(slope.mean()) * start > 0


def test_a_batch_may_vary_as_real_ones_do_but_not_lean_to_one_side() -> None:
    varied = scans(64, 2)
    leaning = varied.clone()
    leaning += float(REAL.mean[0] + REAL.spread[0]) - leaning.mean((1, 2, 3, 4), keepdim=True)
    assert float(brightness_error(leaning, REAL)) > float(brightness_error(varied, REAL)) + 0.01


def test_gradients_equal_finite_differences() -> None:
    volumes = (scans(3) * 3 - 0.2).double().requires_grad_()
    real = measure_brightness(scans(64).double())
    assert torch.autograd.gradcheck(
        lambda part: brightness_error(part, real),
        (volumes[:, :, :2, :3, :3].detach().requires_grad_(),),
    )
