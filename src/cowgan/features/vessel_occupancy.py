"""Coarse maps of arteries in a volume. Differentiable."""

import torch
from torch import Tensor
from torch.nn import functional

MAP_SHAPE = (8, 16, 16)
_MIN_BRIGHTNESS = 1.0


def vessel_maps(volumes: Tensor) -> Tensor:
    """Return coarse maps of brightness far above the mean of a volume.

    They do not depend on gain and offset.

    Parameters
    ----------
    volumes : Tensor
        Shape (N, 1, z, x, y).

    Returns
    -------
    Tensor
        Shape (N, 8, 16, 16).
    """
    flat = volumes.to(torch.promote_types(volumes.dtype, torch.float32)).flatten(1)
    spread = flat.std(1, keepdim=True).clamp(min=1e-6)
    bright = functional.relu((flat - flat.mean(1, keepdim=True)) / spread - _MIN_BRIGHTNESS)
    return functional.adaptive_avg_pool3d(bright.view(volumes.shape), MAP_SHAPE)[:, 0]
