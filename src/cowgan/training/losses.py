"""Loss terms of adversarial training, as pure functions.

Logits follow the published discriminator: lower means more real. The caller applies weights.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Judge = Callable[[Tensor], Tensor]


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return the discriminator's hinge loss of logits (N,) each (Lim & Ye 2017)."""
    return (functional.relu(1 + real) + functional.relu(1 - fake)).mean()


def hinge_generator(fake: Tensor) -> Tensor:
    """Return the generator's hinge loss."""
    return fake.mean()


def logistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return the discriminator's logistic loss (Goodfellow et al. 2014)."""
    return (functional.softplus(real) + functional.softplus(-fake)).mean()


def logistic_generator(fake: Tensor) -> Tensor:
    """Return the generator's non-saturating logistic loss."""
    return functional.softplus(fake).mean()


def slopes(judge: Judge, volumes: Tensor) -> Tensor:
    """Return the norm of the discriminator's gradient at each volume, shape (N,).

    The result is differentiable. Call it outside autocast, as it runs in the precision of
    `volumes`.

    Parameters
    ----------
    judge : callable
        Volumes to logits (N,).
    volumes : Tensor
        Shape (N, 1, d, h, w).
    """
    volumes = volumes.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(judge(volumes).sum(), volumes, create_graph=True)
    return gradient.flatten(1).norm(dim=1)


def one_centred_penalty(slope: Tensor) -> Tensor:
    """Return the mean squared distance of slopes from 1 (Gulrajani et al. 2017)."""
    return (slope - 1).square().mean()


def r1_penalty(slope: Tensor) -> Tensor:
    """Return half the mean squared slope (Mescheder et al. 2018)."""
    return slope.square().mean() / 2


def path_lengths(volumes: Tensor, styles: Tensor, probe: Tensor) -> Tensor:
    """Return the path length of each volume with respect to its styles (Karras et al. 2020, eq. 4).

    Parameters
    ----------
    volumes : Tensor
        Shape (N, 1, d, h, w), made from `styles`.
    styles : Tensor
        Shape (N, blocks, latent_dim), part of the graph of `volumes`.
    probe : Tensor
        Standard normal noise of the shape of `volumes`.

    Returns
    -------
    Tensor
        Root mean square over the blocks of the norm of the Jacobian's product with the
        probe, which is scaled by the square root of the number of voxels; shape (N,).
    """
    probe = probe / volumes[0].numel() ** 0.5
    (gradient,) = torch.autograd.grad((volumes * probe).sum(), styles, create_graph=True)
    return gradient.square().sum(2).mean(1).sqrt()
