"""Differentiable augmentation of real and generated volumes.

Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020,
in three dimensions. Functions are pure: random parameters are arguments.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

TRANSLATION = 1 / 8
"""Largest shift, as a fraction of each edge."""

CUTOUT = 1 / 2
"""Size of the blanked box, as a fraction of each edge."""


@dataclass(frozen=True)
class AugmentationParameters:
    """Random parameters of one augmentation of N volumes.

    Parameters
    ----------
    shift : Tensor
        Shape (N, 3), int64: translation in voxels along (z, x, y).
    corner : Tensor
        Shape (N, 3), int64: first voxel of the blanked box; may be outside.
    moved, cut : Tensor
        Shape (N,), bool: volumes to translate, volumes with a blanked box.
    """

    shift: Tensor
    corner: Tensor
    moved: Tensor
    cut: Tensor


def draw_parameters(
    n: int, shape: tuple[int, int, int], probability: float, generator: torch.Generator
) -> AugmentationParameters:
    """Draw random parameters for `n` volumes.

    Parameters
    ----------
    n : int
        Number of volumes.
    shape : tuple of int
        Voxels along (z, x, y).
    probability : float
        Probability of each kind of augmentation, for each volume.
    generator : torch.Generator
        On the CPU.
    """
    edges = torch.tensor(shape)
    reach = (edges * TRANSLATION + 0.5).long()
    box = _box(shape)
    uniform = torch.rand(n, 8, generator=generator)
    return AugmentationParameters(
        shift=((2 * reach + 1) * uniform[:, :3]).long() - reach,
        # The range gives every voxel the same probability of being blanked.
        corner=((edges + box - 1) * uniform[:, 3:6]).long() - box + 1,
        moved=uniform[:, 6] < probability,
        cut=uniform[:, 7] < probability,
    )


def augment(volumes: Tensor, parameters: AugmentationParameters) -> Tensor:
    """Augment volumes.

    Parameters
    ----------
    volumes : Tensor
        Shape (N, 1, z, x, y).
    parameters : AugmentationParameters
        From `draw_parameters` with the same N and shape.
    """
    shift = torch.where(parameters.moved[:, None], parameters.shift, 0)
    return cutout(translate(volumes, shift), parameters.corner, parameters.cut)


def translate(volumes: Tensor, shift: Tensor) -> Tensor:
    """Translate volumes by whole voxels, filling with 0.

    Parameters
    ----------
    volumes : Tensor
        Shape (N, C, z, x, y).
    shift : Tensor
        Shape (N, 3), int64, towards higher indices.
    """
    for axis in range(3):
        volumes = _translate_along(volumes, shift[:, axis], axis + 2)
    return volumes


def _translate_along(volumes: Tensor, shift: Tensor, axis: int) -> Tensor:
    n, length = len(volumes), volumes.shape[axis]
    source = torch.arange(length, device=volumes.device) - shift.to(volumes.device)[:, None]
    inside = (source >= 0) & (source < length)
    source = source.clamp(0, length - 1)
    view = [n if i == 0 else length if i == axis else 1 for i in range(5)]
    index = source.view(view).expand(volumes.shape)
    return volumes.gather(axis, index) * inside.view(view).to(volumes.dtype)


def cutout(volumes: Tensor, corner: Tensor, cut: Tensor) -> Tensor:
    """Blank a box with half the length of each edge.

    Parameters
    ----------
    volumes : Tensor
        Shape (N, C, z, x, y).
    corner : Tensor
        Shape (N, 3), int64: first voxel of each box; parts outside are ignored.
    cut : Tensor
        Shape (N,), bool: volumes with a blanked box.
    """
    kept = torch.zeros(len(volumes), 1, 1, 1, 1, dtype=torch.bool, device=volumes.device)
    box = _box(tuple(volumes.shape[2:]))
    for axis in range(3):
        place = torch.arange(volumes.shape[axis + 2], device=volumes.device)
        first = corner.to(volumes.device)[:, axis, None]
        outside = (place < first) | (place >= first + box[axis])
        view = [len(volumes) if i == 0 else -1 if i == axis + 2 else 1 for i in range(5)]
        kept = kept | outside.view(view)
    kept = kept | ~cut.to(volumes.device).view(-1, 1, 1, 1, 1)
    return volumes * kept.to(volumes.dtype)


def _box(shape: tuple[int, ...]) -> Tensor:
    return (torch.tensor(shape) * CUTOUT + 0.5).long()


def flip(volumes: Tensor, flipped: Tensor) -> Tensor:
    """Swap left and right of some volumes.

    Parameters
    ----------
    volumes : Tensor
        Shape (N, 1, z, x, y).
    flipped : Tensor
        Shape (N,), bool.
    """
    mirrored = volumes.flip(3)
    return torch.where(flipped.to(volumes.device).view(-1, 1, 1, 1, 1), mirrored, volumes)
