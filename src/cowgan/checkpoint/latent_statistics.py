"""Mean and covariance of a model's intermediate latent space."""

from dataclasses import dataclass

import torch
from torch import Tensor

from cowgan.networks import MappingNetwork
from cowgan.networks.layers import LEAK
from cowgan.randomness import stream

SAMPLES = 100_000
_CHUNK = 10_000


@dataclass(frozen=True, eq=False)
class LatentStatistics:
    """Moments of w and of p, which is w before the mapping network's last leaky ReLU.

    Attributes
    ----------
    w_mean : Tensor
        Shape (latent_dim,).
    p_mean : Tensor
        Shape (latent_dim,).
    p_covariance : Tensor
        Shape (latent_dim, latent_dim).

    References
    ----------
    P space: Zhu et al., "Improved StyleGAN Embedding: Where are the Good Latents?",
    arXiv 2012.09036.
    """

    w_mean: Tensor
    p_mean: Tensor
    p_covariance: Tensor


def to_p(w: Tensor) -> Tensor:
    """Undo the mapping network's last leaky ReLU, where the latents are near Gaussian."""
    return torch.where(w < 0, w / LEAK, w)


def to_w(p: Tensor) -> Tensor:
    """Apply the mapping network's last leaky ReLU; the inverse of `to_p`."""
    return torch.where(p < 0, p * LEAK, p)


@torch.no_grad()
def measure_statistics(
    mapping: MappingNetwork, latent_dim: int, samples: int = SAMPLES
) -> LatentStatistics:
    """Estimate the moments from `samples` random z, always the same."""
    numbers = stream("latent statistics", 0)
    w_sum = torch.zeros(latent_dim, dtype=torch.float64)
    p_sum = torch.zeros(latent_dim, dtype=torch.float64)
    square_sum = torch.zeros(latent_dim, latent_dim, dtype=torch.float64)
    for first in range(0, samples, _CHUNK):
        count = min(_CHUNK, samples - first)
        z = torch.from_numpy(numbers.standard_normal((count, latent_dim)).astype("float32"))
        w = mapping(z)
        p = to_p(w)
        w_sum += w.sum(0, dtype=torch.float64)
        p_sum += p.sum(0, dtype=torch.float64)
        square_sum += (p.T @ p).double()
    p_mean = p_sum / samples
    covariance = square_sum / samples - torch.outer(p_mean, p_mean)
    return LatentStatistics(
        (w_sum / samples).float(), p_mean.float(), (covariance * samples / (samples - 1)).float()
    )
