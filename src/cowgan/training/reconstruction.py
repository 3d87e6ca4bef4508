"""How far volumes are from those that they should repeat. Pure and differentiable."""

from torch import Tensor

from cowgan.training.views import PLANES, projection

_PROJECTION_WEIGHT = 0.3


def reconstruction_error(volumes: Tensor, reals: Tensor, variance: float) -> Tensor:
    """Return the mean squared error of voxels and of maximum intensity projections.

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
    error = (volumes - reals).square().mean()
    for plane in PLANES:
        off = projection(volumes, plane) - projection(reals, plane)
        error = error + _PROJECTION_WEIGHT * off.square().mean()
    return error / variance
