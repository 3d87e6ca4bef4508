"""Moving average of the generator's weights."""

import torch
from torch import nn


def averaging_rate(images_seen: int, images: int, half_life: float, ramp: float) -> float:
    """Return how much of the average a step keeps.

    Parameters
    ----------
    images_seen : int
        Volumes before this step.
    images : int
        Volumes of this step.
    half_life : float
        Volumes after which weights count half.
    ramp : float
        The half-life is at most this share of the volumes seen; 0 for no limit.
    """
    if ramp:
        half_life = min(half_life, ramp * (images_seen + images))
    return float(0.5 ** (images / max(half_life, 1e-8)))


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, kept: float) -> None:
    """Move `average` towards `network`."""
    for own, other in zip(average.parameters(), network.parameters(), strict=True):
        own.lerp_(other, 1 - kept)
