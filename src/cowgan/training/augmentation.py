"""Differentiable augmentation: the same random changes for real and generated volumes.

Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020,
carried to three dimensions. Each function is pure: it takes the random draws it needs.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

TRANSLATION = 1 / 8
"""Largest shift, as a share of each edge."""

CUTOUT = 1 / 2
"""Edge of the box that is blanked, as a share of each edge."""


@dataclass(frozen=True)
class Draws:
    """The random part of one augmentation of N volumes.

    Parameters
    ----------
    shift : Tensor
        Shape (N, 3), int64: voxels to move along (z, x, y).
    corner : Tensor
        Shape (N, 3), int64: first voxel of the blanked box; may lie outside.
    moved, cut : Tensor
        Shape (N,), bool: which volumes are shifted, which lose a box.
    """

    shift: Tensor
    corner: Tensor
    moved: Tensor
    cut: Tensor


def draw(
    n: int, shape: tuple[int, int, int], probability: float, generator: torch.Generator
) -> Draws:
    """Draw an augmentation for `n` volumes.

    Parameters
    ----------
    n : int
        Number of volumes.
    shape : tuple of int
        Voxels along (z, x, y).
    probability : float
        Chance of each kind of change, for each volume.
    generator : torch.Generator
        On the CPU.
    """
    edges = torch.tensor(shape)
    reach = (edges * TRANSLATION + 0.5).long()
    box = _box(shape)
    uniform = torch.rand(n, 8, generator=generator)
    return Draws(
        shift=((2 * reach + 1) * uniform[:, :3]).long() - reach,
        # So that every voxel is as likely to be blanked as every other.
        corner=((edges + box - 1) * uniform[:, 3:6]).long() - box + 1,
        moved=uniform[:, 6] < probability,
        cut=uniform[:, 7] < probability,
    )


def augment(volumes: Tensor, draws: Draws) -> Tensor:
    """Apply drawn changes.

    Parameters
    ----------
    volumes : Tensor
        Shape (N, 1, z, x, y).
    draws : Draws
        From `draw` with the same N and shape.
    """
    shift = torch.where(draws.moved[:, None], draws.shift, 0)
    return cutout(translate(volumes, shift), draws.corner, draws.cut)


def translate(volumes: Tensor, shift: Tensor) -> Tensor:
    """Move volumes by whole voxels; what enters is 0, what leaves is gone.

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
    """Blank a box half as long as each edge.

    Parameters
    ----------
    volumes : Tensor
        Shape (N, C, z, x, y).
    corner : Tensor
        Shape (N, 3), int64: first voxel of each box; parts outside are ignored.
    cut : Tensor
        Shape (N,), bool: which volumes lose a box.
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
    """Swap left and right of the chosen volumes.

    Parameters
    ----------
    volumes : Tensor
        Shape (N, 1, z, x, y).
    flipped : Tensor
        Shape (N,), bool.
    """
    mirrored = volumes.flip(3)
    return torch.where(flipped.to(volumes.device).view(-1, 1, 1, 1, 1), mirrored, volumes)
