"""Reconstruction errors between generated volumes and real ones. Pure and differentiable."""

import torch
from torch import Tensor

from cowgan.features.views import PLANES, Features, projection
from cowgan.training.anatomical_components import averaged

_EDGE = 16
"""Columns of the averages that are compared. Components determine no finer detail, and a generator
penalised for it would blur."""

_PROJECTION_WEIGHT = 0.3


def reconstruction_error(volumes: Tensor, reals: Tensor, variance: float) -> Tensor:
    """Return the mean squared error of averaged volumes and of their projections.

    Projections show arteries, which are few of the voxels.

    Parameters
    ----------
    volumes, reals : Tensor
        Shape (N, 1, z, x, y).
    variance : float
        Variance of the voxels of real volumes, the unit of the errors.

    Returns
    -------
    Tensor
        Scalar.
    """
    coarse, wanted = averaged(volumes, _EDGE), averaged(reals, _EDGE)
    error = (coarse - wanted).square().mean()
    for plane in PLANES:
        off = projection(coarse, plane) - projection(wanted, plane)
        error = error + _PROJECTION_WEIGHT * off.square().mean()
    return error / variance


def feature_error(features: Features, wanted: Features, count: int) -> Tensor:
    """Return the mean squared error of the features of the first `count` volumes.

    Features have about unit variance. They distinguish a sharp artery from a blurred one wherever
    it is within some voxels, and so do not reward blur.
    """
    errors = [
        (one[:count].float() - other[:count].float()).square().mean()
        for view, maps in features.items()
        for one, other in zip(maps, wanted[view], strict=True)
    ]
    return torch.stack(errors).mean()
