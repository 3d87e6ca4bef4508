"""How far volumes are from those that they should repeat. Pure and differentiable."""

import torch
from torch import Tensor

from cowgan.features.views import PLANES, Features, projection
from cowgan.training.anatomical_components import averaged

_EDGE = 16
"""Columns of the averages that are compared. Components say no more, and to be held to voxels
that it cannot know, a generator blurs them."""

_PROJECTION_WEIGHT = 0.3


def reconstruction_error(volumes: Tensor, reals: Tensor, variance: float) -> Tensor:
    """Return the mean squared error of averaged volumes and of their projections.

    Projections show arteries, which are few of the voxels.

    Parameters
    ----------
    volumes, reals : Tensor
        Shape (N, 1, z, x, y).
    variance : float
        Of the voxels of real volumes, which is the unit of the errors.

    Returns
    -------
    Tensor
        A number.
    """
    coarse, wanted = averaged(volumes, _EDGE), averaged(reals, _EDGE)
    error = (coarse - wanted).square().mean()
    for plane in PLANES:
        off = projection(coarse, plane) - projection(wanted, plane)
        error = error + _PROJECTION_WEIGHT * off.square().mean()
    return error / variance


def feature_error(features: Features, wanted: Features, count: int) -> Tensor:
    """Return the mean squared error of the features of the first `count` volumes.

    Features of about unit variance. They tell a sharp artery from a blurred one, wherever it
    is within some voxels, and so do not reward a blur.
    """
    errors = [
        (one[:count].float() - other[:count].float()).square().mean()
        for view, maps in features.items()
        for one, other in zip(maps, wanted[view], strict=True)
    ]
    return torch.stack(errors).mean()
