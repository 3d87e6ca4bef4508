"""Cluster centres of a model's intermediate latent space."""

from dataclasses import dataclass

import torch
from torch import Tensor

from cowgan.networks import MappingNetwork
from cowgan.randomness import stream

CENTRES = 64
_SAMPLES = 20_000
_ITERATIONS = 20


@dataclass(frozen=True, eq=False)
class LatentCentres:
    """Centres of clusters of w, each a typical style of its own.

    Attributes
    ----------
    centres : Tensor
        Shape (n, latent_dim).
    scale : Tensor
        Standard deviation of w, shape (latent_dim,); distances are measured in it.

    References
    ----------
    Mokady et al., "Self-Distilled StyleGAN: Towards Generation from Internet Photos", SIGGRAPH
    2022 (multi-modal truncation).
    """

    centres: Tensor
    scale: Tensor

    def nearest(self, w: Tensor) -> Tensor:
        """Return the centre nearest to each w code, both (n, latent_dim)."""
        distances = torch.cdist(w / self.scale, self.centres / self.scale)
        return self.centres[distances.argmin(1)]


@torch.no_grad()
def find_centres(
    mapping: MappingNetwork, latent_dim: int, samples: int = _SAMPLES
) -> LatentCentres:
    """Find the centres of `samples` random styles by k-means, always the same."""
    z = stream("latent centres", 0).standard_normal((samples, latent_dim)).astype("float32")
    w = mapping(torch.from_numpy(z))
    deviation = w.std(0)
    scale = torch.where(deviation > 0, deviation, 1)
    points = w / scale
    centres = points[:CENTRES]
    for _ in range(_ITERATIONS):
        cluster = torch.cdist(points, centres).argmin(1)
        sizes = torch.bincount(cluster, minlength=len(centres))[:, None]
        sums = torch.zeros_like(centres).index_add_(0, cluster, points)
        centres = torch.where(sizes > 0, sums / sizes, centres)
    return LatentCentres(centres * scale, scale)
