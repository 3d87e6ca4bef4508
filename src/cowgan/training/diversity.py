"""How alike the volumes of a batch are: what keeps a generator from repeating itself.

A discriminator that judges volumes one by one is content with a generator that makes one
good anatomy over and over. So pairs of generated volumes are compared with each other, and
may not be more alike than pairs of real ones. All functions are pure and differentiable.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

_MAP_SHAPE = (8, 16, 16)
_HALF = _MAP_SHAPE[1] // 2
_LEAST_BRIGHTNESS = 1.0
_REGION_WEIGHT = 3.0
_FLOOR = 1e-3


@dataclass(frozen=True)
class Likeness:
    """How alike volumes of a set are, in the whole and in each quarter: five regions.

    Parameters
    ----------
    mean, high : Tensor
        Shape (5,): correlation of pairs of vessel maps, and that plus one standard deviation.
    concentration : Tensor
        Shape (5,): see `concentration`, for batches of one size.
    """

    mean: Tensor
    high: Tensor
    concentration: Tensor


def vessel_maps(volumes: Tensor) -> Tensor:
    """Return coarse maps of where a volume is much brighter than its mean.

    Neither gain nor offset of a volume changes its map.

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
    bright = functional.relu((flat - flat.mean(1, keepdim=True)) / spread - _LEAST_BRIGHTNESS)
    return functional.adaptive_avg_pool3d(bright.view(volumes.shape), _MAP_SHAPE)[:, 0]


def regions(maps: Tensor) -> list[Tensor]:
    """Return the centred, unit-length rows (N, K) of the whole map and of its quarters."""
    halves = (slice(None, _HALF), slice(_HALF, None))
    parts = [maps, *(maps[:, :, x, y] for x in halves for y in halves)]
    rows = [part.flatten(1) for part in parts]
    centred = [row - row.mean(1, keepdim=True) for row in rows]
    # An empty quarter has no direction; the floor keeps its gradient finite.
    return [row / (row.norm(dim=1, keepdim=True) + _FLOOR) for row in centred]


def pair_correlations(rows: Tensor) -> Tensor:
    """Return the correlation of every pair of rows, shape (N (N - 1) / 2,)."""
    n = len(rows)
    first, second = torch.triu_indices(n, n, 1, device=rows.device)
    return (rows @ rows.T)[first, second]


def concentration(rows: Tensor) -> Tensor:
    """Return the inverse participation ratio of rows about their mean.

    It is 1 if all rows lie on one line and 1 / (N - 1) if they spread evenly over as many
    directions as N rows can.
    """
    centred = rows - rows.mean(0)
    gram = centred @ centred.T
    return gram.square().sum() / gram.diagonal().sum().square().clamp(min=1e-12)


@torch.no_grad()
def measure_likeness(batches: Iterable[Tensor]) -> Likeness:
    """Return how alike real volumes are, from batches (N, 1, z, x, y) of one size."""
    pairs: list[Tensor] = []
    shares: list[Tensor] = []
    for volumes in batches:
        rows = regions(vessel_maps(volumes))
        pairs.append(torch.stack([pair_correlations(part) for part in rows]))
        shares.append(torch.stack([concentration(part) for part in rows]))
    every = torch.cat(pairs, 1)
    mean = every.mean(1)
    return Likeness(mean, mean + every.std(1), torch.stack(shares).mean(0))


def repetition(volumes: Tensor, real: Likeness) -> Tensor:
    """Return by how much generated volumes are more alike than real ones.

    Parameters
    ----------
    volumes : Tensor
        Generated, shape (N, 1, z, x, y), N at least 2.
    real : Likeness
        Of real volumes in batches of N.

    Returns
    -------
    Tensor
        A number, 0 if the batch is as diverse as real ones.
    """
    rows = regions(vessel_maps(volumes))
    pairs = torch.stack([pair_correlations(part) for part in rows])
    shares = torch.stack([concentration(part) for part in rows])
    excess = (
        functional.relu(pairs.mean(1) - real.mean)
        + functional.relu(pairs - real.high[:, None]).mean(1)
        + functional.relu(shares - real.concentration)
    )
    return excess[0] + _REGION_WEIGHT * excess[1:].mean()
