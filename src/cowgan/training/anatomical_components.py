"""Anatomical components: what latents stand for after a linear start.

Vessel maps of people are neither normally distributed nor are their linear combinations possible
maps: most places are empty in most people. In normal scores they are, so that random latents
stand for maps as diverse as people, with an artery as often as people have one there.
"""

from collections.abc import Iterable
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from cowgan.features.vessel_occupancy import MAP_SHAPE, vessel_maps
from cowgan.training.normal_scores import NormalScores, below_threshold

EDGE = 32
"""Columns that volumes are averaged to first."""

_KNEE = 0.3
"""Differences of vessel maps are those of log(1 + map / 0.3)."""

_FIT_STEPS = 30
_SCORING_STEPS = 15
_MIN_REST = 0.14
"""Least standard deviation of scores that components do not explain."""

_BACKGROUND_SHAPE = (8, 8, 8)
_N_MAP = MAP_SHAPE[0] * MAP_SHAPE[1] * MAP_SHAPE[2]
_N_BACKGROUND = 8**3


class AnatomicalComponents(nn.Module):
    """Whitened principal components of volumes, and the volumes' appearance.

    The first components are those of normal scores of `vessel_maps`, the largest first. Scores
    of empty voxels are estimated from the others (a Gaussian copula with censored values). The
    last few components are those of the smoothed grey levels that remain unexplained: background
    and gain. As the fit sees each volume and its mirror image, every component is either
    symmetric or antisymmetric.

    The appearance of a volume is its vessel map, compressed by a logarithm, and the background
    components; all as differences from the mean.

    Parameters
    ----------
    vessels, background : int
        Number of components of each kind.
    """

    mean_map: Tensor
    map_variance: Tensor
    mean_scores: Tensor
    map_axes: Tensor
    reading: Tensor
    rest: Tensor
    mean_background: Tensor
    background_of_map: Tensor
    background_axes: Tensor

    def __init__(self, vessels: int, background: int) -> None:
        super().__init__()
        self.scores = NormalScores(_N_MAP)
        self.register_buffer("mean_map", torch.zeros(_N_MAP))
        self.register_buffer("map_variance", torch.ones(_N_MAP))
        self.register_buffer("mean_scores", torch.zeros(_N_MAP))
        self.register_buffer("map_axes", torch.zeros(vessels, _N_MAP))
        self.register_buffer("reading", torch.zeros(_N_MAP, vessels))
        self.register_buffer("rest", torch.ones(_N_MAP))
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
        parts, backgrounds = [], []
        for volumes in batches:
            coarse = averaged(volumes)
            for side in (coarse, coarse.flip(3)):
                parts.append(vessel_maps(side).flatten(1))
                backgrounds.append(_background(side))
        maps, levels = torch.cat(parts), torch.cat(backgrounds)
        self.scores.fit(maps)
        compressed = _compressed(maps)
        self.mean_map.copy_(compressed.mean(0))
        self.map_variance.copy_(compressed.var(0))
        self._fit_axes(maps)
        self._whiten(maps)
        found = self._vessel_components(maps)
        self.mean_background.copy_(levels.mean(0))
        self.background_of_map.copy_(found.T @ (levels - self.mean_background) / len(maps))
        rest = levels - self.mean_background - found @ self.background_of_map
        self.background_axes.copy_(_principal_axes(rest, len(self.background_axes)))

    def _fit_axes(self, maps: Tensor) -> None:
        """Fit axes to scores, weighted by the spread of the compressed map."""
        weight = self.map_variance.sqrt() * self.scores.occupied
        scale = 1 / weight.clamp(min=1e-6) * self.scores.occupied
        scores, empty = self.scores(maps)
        axes = None
        for _ in range(_FIT_STEPS):
            self.mean_scores.copy_(scores.mean(0))
            weighted = (scores - self.mean_scores) * weight
            if axes is None:
                axes = _principal_axes(weighted, len(self.map_axes))
            else:
                axes = _improved_axes(weighted, axes)
            length = axes.square().sum(1, keepdim=True).clamp(min=1e-12)
            self.reading.copy_((axes / length).T * weight[:, None])
            self.map_axes.copy_(axes * scale)
            left = scores.var(0) - self.map_axes.square().sum(0)
            self.rest.copy_(left.clamp(min=0).sqrt().clamp(min=_MIN_REST))
            scores = self._with_empty(scores, empty)

    def _whiten(self, maps: Tensor) -> None:
        """Give the components of maps the mean 0 and the covariance of the identity.

        Estimates of empty voxels' scores have left them only nearly so.
        """
        found = self._vessel_components(maps)
        mean = found.mean(0)
        variance, axes = torch.linalg.eigh(torch.cov(found.T, correction=0).double())
        deviation = torch.where(variance > 1e-6 * variance.max(), variance, 0).sqrt()
        inverse = torch.where(deviation > 0, 1 / deviation, 0)
        self.mean_scores += mean @ self.map_axes
        self.reading.copy_(self.reading @ ((axes * inverse) @ axes.T).float())
        self.map_axes.copy_(((axes * deviation) @ axes.T).float() @ self.map_axes)

    def _with_empty(self, scores: Tensor, empty: Tensor) -> Tensor:
        """Return scores with those of empty voxels estimated anew from the components of all."""
        explained = self.mean_scores + self._read(scores) @ self.map_axes
        limit = (self.scores.thresholds - explained) / self.rest
        estimated = explained + self.rest * below_threshold(limit)
        return torch.where(empty, estimated, scores)

    def _vessel_components(self, maps: Tensor) -> Tensor:
        scores, empty = self.scores(maps)
        for _ in range(_SCORING_STEPS):
            scores = self._with_empty(scores, empty)
        return self._read(scores)

    def _background_components(self, coarse: Tensor, vessels: Tensor) -> Tensor:
        rest = _background(coarse) - self.mean_background - vessels @ self.background_of_map
        return _projected(rest, self.background_axes)

    def _read(self, scores: Tensor) -> Tensor:
        return (scores - self.mean_scores) @ self.reading

    @torch.no_grad()
    def forward(self, volumes: Tensor) -> Tensor:
        """Return the components of volumes (N, 1, z, x, y), in unit variance, (N, count)."""
        coarse = averaged(volumes)
        found = self._vessel_components(vessel_maps(coarse).flatten(1))
        return torch.cat([found, self._background_components(coarse, found)], 1)

    def appearance(self, volumes: Tensor) -> Tensor:
        """Return the appearance of volumes (N, 1, z, x, y); differentiable, shape (N, traits)."""
        coarse = averaged(volumes)
        maps = vessel_maps(coarse).flatten(1)
        with torch.no_grad():
            found = self._vessel_components(maps)
        background = self._background_components(coarse, found)
        return torch.cat([_compressed(maps) - self.mean_map, background], 1)

    def appearance_of(self, z: Tensor) -> Tensor:
        """Return the appearance that latents (N, latent_dim) stand for, shape (N, traits)."""
        background = _whitened(z)[:, len(self.map_axes) : self.count]
        return torch.cat([_compressed(self.maps_of(z)) - self.mean_map, background], 1)

    def maps_of(self, z: Tensor) -> Tensor:
        """Return the vessel maps that latents (N, latent_dim) stand for, shape (N, voxels)."""
        # What components do not explain they replace, so that maps vary as those of people.
        unit = self.map_axes / self.map_axes.norm(dim=0).clamp(min=1e-6)
        return self.scores.maps(_whitened(z)[:, : len(self.map_axes)] @ unit)

    @property
    def traits(self) -> int:
        """Number of traits of an appearance."""
        return _N_MAP + len(self.background_axes)

    def variances(self) -> Tensor:
        """Return the variance of each trait over the fitted volumes, shape (traits,)."""
        return torch.cat([self.map_variance, torch.ones_like(self.background_axes[:, 0])])

    def mean_error(self, errors: Tensor) -> Tensor:
        """Return the mean of squared errors (N, traits) of each volume, 1 for the mean volume.

        Map and background count by their numbers of components.
        """
        maps, background = errors.tensor_split([_N_MAP], 1)
        vessels = len(self.map_axes) / self.count
        of_map = maps.sum(1) / self.map_variance.sum().clamp(min=1e-12)
        return vessels * of_map + (1 - vessels) * background.mean(1)


def averaged(volumes: Tensor, edge: int = EDGE) -> Tensor:
    """Return volumes averaged over whole voxels to at most `edge` columns and slices."""
    factors = [max(1, size // edge) for size in volumes.shape[2:]]
    return volumes if factors == [1, 1, 1] else functional.avg_pool3d(volumes, factors)


def _whitened(z: Tensor) -> Tensor:
    return z.shape[1] ** 0.5 * functional.normalize(z, dim=1)


def _compressed(maps: Tensor) -> Tensor:
    return torch.log1p(maps / _KNEE)


def _background(coarse: Tensor) -> Tensor:
    return functional.adaptive_avg_pool3d(coarse.float(), _BACKGROUND_SHAPE).flatten(1)


def _principal_axes(centred: Tensor, count: int) -> Tensor:
    """Return principal axes as rows with the standard deviation as length.

    Axes beyond the rank of the data are zero.
    """
    covariance = (centred.T @ centred).double() / len(centred)
    variance, axes = torch.linalg.eigh(covariance)
    order = variance.argsort(descending=True)[:count]
    return _scaled_axes(axes[:, order], variance[order])


def _improved_axes(centred: Tensor, axes: Tensor) -> Tensor:
    """Return principal axes after one step of subspace iteration from similar ones."""
    span = torch.linalg.qr(centred.T @ (centred @ axes.T)).Q
    within = centred @ span
    variance, mixing = torch.linalg.eigh((within.T @ within).double() / len(centred))
    order = variance.argsort(descending=True)
    return _scaled_axes(span.double() @ mixing[:, order], variance[order])


def _scaled_axes(columns: Tensor, variance: Tensor) -> Tensor:
    kept = variance > 1e-6 * variance.max()
    # The sign of an axis is arbitrary. These asymmetric weights fix it on every platform.
    weights = torch.arange(1, len(columns) + 1, dtype=columns.dtype)
    sign = torch.where(weights @ columns < 0, -1.0, 1.0)
    return ((columns * sign * variance.clamp(min=0).sqrt() * kept).T).float()


def _projected(centred: Tensor, axes: Tensor) -> Tensor:
    length = axes.square().sum(1)
    return centred @ axes.T / length.clamp(min=1e-12)
