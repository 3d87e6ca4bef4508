"""A loss on the brightness of volumes, which keeps a generator within the range of real ones.

Features of a pretrained network distinguish textures, but saturate far outside the grey levels
of its training and then give no gradient. Pure and differentiable.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

_BATCH_WEIGHT = 0.5


@dataclass(frozen=True)
class Brightness:
    """Mean and standard deviation of the voxels of real volumes.

    Parameters
    ----------
    mean, spread : Tensor
        Shape (2,): mean and standard deviation of both over volumes.
    """

    mean: Tensor
    spread: Tensor


@torch.no_grad()
def measure_brightness(volumes: Tensor) -> Brightness:
    """Return the brightness of real volumes (N, 1, z, x, y)."""
    both = _moments(volumes)
    return Brightness(both.mean(0), both.std(0).clamp(min=1e-4))


def brightness_error(volumes: Tensor, real: Brightness) -> Tensor:
    """Return the deviation of volumes from the brightness of real ones.

    Parameters
    ----------
    volumes : Tensor
        Generated, shape (N, 1, z, x, y), not clamped.
    real : Brightness
        Brightness of real volumes, 0 to 1.

    Returns
    -------
    Tensor
        Scalar: the sum of penalties on volumes whose mean or deviation is beyond two standard
        deviations, on the average of the batch, and on voxels outside 0 to 1.
    """
    off = (_moments(volumes) - real.mean) / real.spread
    each = functional.relu(off.abs() - 2).mean()
    together = functional.smooth_l1_loss(off.mean(0), torch.zeros_like(real.mean))
    outside = (functional.relu(-volumes) + functional.relu(volumes - 1)).mean() / real.mean[1]
    return each + _BATCH_WEIGHT * together + outside


def _moments(volumes: Tensor) -> Tensor:
    flat = volumes.flatten(1)
    return torch.stack([flat.mean(1), flat.std(1)], 1)
