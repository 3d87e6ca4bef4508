"""How bright volumes are: what keeps a generator within the range of real ones.

Features of a pretrained network tell textures apart, but saturate far outside the grey
levels they know and then give no direction back. Pure and differentiable.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

_TOGETHER = 0.5


@dataclass(frozen=True)
class Brightness:
    """Mean and standard deviation of the voxels of real volumes.

    Parameters
    ----------
    mean, spread : Tensor
        Shape (2,): mean of both over volumes, and their standard deviations.
    """

    mean: Tensor
    spread: Tensor


@torch.no_grad()
def measure_brightness(volumes: Tensor) -> Brightness:
    """Return how bright real volumes (N, 1, z, x, y) are."""
    both = _moments(volumes)
    return Brightness(both.mean(0), both.std(0).clamp(min=1e-4))


def brightness_error(volumes: Tensor, real: Brightness) -> Tensor:
    """Return how far volumes are from what real ones can be.

    Parameters
    ----------
    volumes : Tensor
        Generated, shape (N, 1, z, x, y), not clamped.
    real : Brightness
        Of real volumes, 0 to 1.

    Returns
    -------
    Tensor
        A number: for volumes whose mean or deviation lies beyond two standard deviations,
        for batches that are off on average, and for voxels outside 0 to 1.
    """
    off = (_moments(volumes) - real.mean) / real.spread
    each = functional.relu(off.abs() - 2).mean()
    together = functional.smooth_l1_loss(off.mean(0), torch.zeros_like(real.mean))
    outside = (functional.relu(-volumes) + functional.relu(volumes - 1)).mean() / real.mean[1]
    return each + _TOGETHER * together + outside


def _moments(volumes: Tensor) -> Tensor:
    flat = volumes.flatten(1)
    return torch.stack([flat.mean(1), flat.std(1)], 1)
