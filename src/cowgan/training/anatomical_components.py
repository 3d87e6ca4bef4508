"""Anatomical components: whitened principal components of vessel maps.

Over real Circles of Willis they are nearly independent and normally distributed, so that a
random latent, read as components, is a plausible anatomy.
"""

from collections.abc import Iterable
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from cowgan.features.vessel_occupancy import MAP_SHAPE, vessel_maps

EDGE = 32
"""Columns that volumes are averaged to first."""

_BACKGROUND_SHAPE = (8, 8, 8)
_N_MAP = MAP_SHAPE[0] * MAP_SHAPE[1] * MAP_SHAPE[2]
_N_BACKGROUND = 8**3


class AnatomicalComponents(nn.Module):
    """Whitened principal components of volumes.

    The first components are those of `vessel_maps`, the largest first. The last few are those of
    the smoothed grey levels that remain unexplained: background and gain. As the fit sees each
    volume and its mirror image, every component is either symmetric or antisymmetric.

    Parameters
    ----------
    vessels, background : int
        Number of components of each kind.
    """

    mean_map: Tensor
    map_axes: Tensor
    mean_background: Tensor
    background_of_map: Tensor
    background_axes: Tensor

    def __init__(self, vessels: int, background: int) -> None:
        super().__init__()
        self.register_buffer("mean_map", torch.zeros(_N_MAP))
        self.register_buffer("map_axes", torch.zeros(vessels, _N_MAP))
        self.register_buffer("mean_background", torch.zeros(_N_BACKGROUND))
        self.register_buffer("background_of_map", torch.zeros(vessels, _N_BACKGROUND))
        self.register_buffer("background_axes", torch.zeros(background, _N_BACKGROUND))

    @classmethod
    def for_latents(cls, latent_dim: int) -> Self:
        """Return components for 13 of every 16 entries of a latent; the others stay free."""
        return cls(3 * latent_dim // 4, latent_dim // 16)

    @property
    def count(self) -> int:
        """Number of components of both kinds."""
        return len(self.map_axes) + len(self.background_axes)

    @torch.no_grad()
    def fit(self, batches: Iterable[Tensor]) -> None:
        """Fit the components to volumes (N, 1, z, x, y) and their mirror images."""
        maps, backgrounds = [], []
        for volumes in batches:
            coarse = averaged(volumes)
            for side in (coarse, coarse.flip(3)):
                maps.append(vessel_maps(side).flatten(1))
                backgrounds.append(_background(side))
        rows, levels = torch.cat(maps), torch.cat(backgrounds)
        self.mean_map.copy_(rows.mean(0))
        self.map_axes.copy_(_principal_axes(rows - self.mean_map, len(self.map_axes)))
        scores = self._vessel_scores(rows)
        self.mean_background.copy_(levels.mean(0))
        self.background_of_map.copy_(scores.T @ (levels - self.mean_background) / len(rows))
        rest = levels - self.mean_background - scores @ self.background_of_map
        self.background_axes.copy_(_principal_axes(rest, len(self.background_axes)))

    def forward(self, volumes: Tensor) -> Tensor:
        """Return the components of volumes (N, 1, z, x, y), in unit variance, (N, count)."""
        coarse = averaged(volumes)
        scores = self._vessel_scores(vessel_maps(coarse).flatten(1))
        rest = _background(coarse) - self.mean_background - scores @ self.background_of_map
        return torch.cat([scores, _scores(rest, self.background_axes)], 1)

    def weights(self) -> Tensor:
        """Return the components' weights in an error, shape (count,), with the sum 1.

        Within each kind they are proportional to standard deviations.
        """
        spreads = (axes.norm(dim=1) for axes in (self.map_axes, self.background_axes))
        each = [one / one.mean().clamp(min=1e-12) for one in spreads]
        return torch.cat(each) / self.count

    def _vessel_scores(self, rows: Tensor) -> Tensor:
        return _scores(rows - self.mean_map, self.map_axes)


def averaged(volumes: Tensor, edge: int = EDGE) -> Tensor:
    """Return volumes averaged over whole voxels to at most `edge` columns and slices."""
    factors = [max(1, size // edge) for size in volumes.shape[2:]]
    return volumes if factors == [1, 1, 1] else functional.avg_pool3d(volumes, factors)


def _background(coarse: Tensor) -> Tensor:
    return functional.adaptive_avg_pool3d(coarse.float(), _BACKGROUND_SHAPE).flatten(1)


def _principal_axes(centred: Tensor, count: int) -> Tensor:
    """Return principal axes as rows with the standard deviation as length.

    Axes beyond the rank of the data are zero.
    """
    covariance = (centred.T @ centred).double() / len(centred)
    variance, axes = torch.linalg.eigh(covariance)
    order = variance.argsort(descending=True)[:count]
    kept = variance[order] > 1e-6 * variance.max()
    found = axes[:, order]
    # The sign of an axis is arbitrary. These asymmetric weights fix it on every platform.
    weights = torch.arange(1, len(found) + 1, dtype=found.dtype)
    sign = torch.where(weights @ found < 0, -1.0, 1.0)
    return ((found * sign * variance[order].clamp(min=0).sqrt() * kept).T).float()


def _scores(centred: Tensor, axes: Tensor) -> Tensor:
    length = axes.square().sum(1)
    return centred @ axes.T / length.clamp(min=1e-12)
