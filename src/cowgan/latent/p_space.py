"""P space, in which the latents of a model are near Gaussian, and how typical a latent is."""

from dataclasses import dataclass

import torch
from torch import Tensor

from cowgan.checkpoint import Checkpoint, to_p, to_w

_LEAST_VARIANCE = 1e-4
"""Least share of the largest variance: along components below it, latents hardly vary, and what
the samples say of them is rounding."""


@dataclass(frozen=True, eq=False)
class PSpace:
    """P space of a mapping network, whitened by its principal components.

    P is w before the mapping network's last leaky ReLU. The networks that this program reads have
    no gain behind it, so that `cowgan.checkpoint.to_p` undoes it exactly. Works on tensors of any
    leading shape and any device, and lets gradients pass.

    Attributes
    ----------
    mean : Tensor
        Mean of p, shape (latent_dim,).
    components : Tensor
        Unit principal components of p, largest variance first, shape (latent_dim, n). Those along
        which it hardly varies are left out.
    sd : Tensor
        Standard deviation of p along each, shape (n,).

    References
    ----------
    Zhu et al., "Improved StyleGAN Embedding: Where are the Good Latents?", arXiv 2012.09036.
    """

    mean: Tensor
    components: Tensor
    sd: Tensor

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "PSpace":
        """Return the P space of a model, from its 100,000 random latents."""
        statistics = checkpoint.statistics
        variances, vectors = torch.linalg.eigh(statistics.p_covariance.double())
        variances, vectors = variances.flip(0), vectors.flip(1)
        kept = variances > _LEAST_VARIANCE * variances[0]
        return cls(
            statistics.p_mean,
            vectors[:, kept].contiguous().float(),
            variances[kept].sqrt().float(),
        )

    def to(self, device: torch.device | str) -> "PSpace":
        """Return the same space on another device."""
        return PSpace(*(each.to(device) for each in (self.mean, self.components, self.sd)))

    def whitened(self, w: Tensor) -> Tensor:
        """Return w codes (..., latent_dim) as coordinates (..., n) of mean 0 and covariance 1."""
        return (to_p(w) - self.mean) @ self.components / self.sd

    def w(self, whitened: Tensor) -> Tensor:
        """Return the w codes (..., latent_dim) of whitened coordinates (..., n)."""
        return to_w(self.mean + whitened * self.sd @ self.components.T)

    def p_step(self, whitened_step: Tensor) -> Tensor:
        """Return the step of p (..., latent_dim) of a step of whitened coordinates (..., n)."""
        return whitened_step * self.sd @ self.components.T

    def mahalanobis(self, w: Tensor) -> Tensor:
        """Return the Mahalanobis distance of w codes (..., latent_dim) from the mean, shape (...).

        For latents of the model its square is near n, the number of components. What lies outside
        of the components counts by the standard deviation of the last of them.
        """
        centred = to_p(w) - self.mean
        inside = centred @ self.components
        outside = centred - inside @ self.components.T
        squared = (inside / self.sd).square().sum(-1) + (outside / self.sd[-1]).square().sum(-1)
        return squared.clamp(min=torch.finfo(squared.dtype).tiny).sqrt()
