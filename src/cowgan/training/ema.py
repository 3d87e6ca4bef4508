"""Exponential moving average (EMA) of the generator's weights."""

import torch
from torch import nn


def ema_decay(images_seen: int, images: int, half_life: float, ramp: float) -> float:
    """Return the decay of the moving average for one step.

    Parameters
    ----------
    images_seen : int
        Volumes before this step.
    images : int
        Volumes of this step.
    half_life : float
        In volumes.
    ramp : float
        Largest half-life as a fraction of the volumes seen; 0 for no limit.
    """
    if ramp:
        half_life = min(half_life, ramp * (images_seen + images))
    return float(0.5 ** (images / max(half_life, 1e-8)))


@torch.no_grad()
def update_ema(ema: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the weights of `ema` towards those of `network`."""
    for own, other in zip(ema.parameters(), network.parameters(), strict=True):
        own.lerp_(other, 1 - decay)
