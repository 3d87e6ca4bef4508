"""The loss that holds generated volumes to the anatomies of their latents."""

import torch
from torch import Tensor, nn

from cowgan.training.anatomical_components import AnatomicalComponents
from cowgan.training.running_means import RunningMeans

_MEAN_WEIGHT = 5.0
_MIN_CORRELATION = 0.1
_MIN_VARIANCE = 1e-4


class Anchor(nn.Module):
    """The error of appearances, least where mean and variance are those of real volumes.

    The squared error of a trait that the generator follows only with a correlation ρ is least if
    its variance shrinks to ρ² of that of real volumes, and volumes become more alike than these.
    Here the square of what is found counts ρ times, and the error is least at the variance of
    real volumes. A further term moves the mean of all volumes to that of real ones: a deviation
    that volumes share is small in each of them. ρ and the mean are running means of each trait.

    Parameters
    ----------
    traits : int
        Number of traits of an appearance.
    """

    def __init__(self, traits: int) -> None:
        super().__init__()
        initial = torch.tensor([1.0, 1.0, 0.0])[:, None].repeat(1, traits)
        self.means = RunningMeans(initial, kept=0.99)

    def forward(
        self, components: AnatomicalComponents, volumes: Tensor, z: Tensor, counted: Tensor
    ) -> Tensor:
        """Return the mean error of volumes, and take note of their appearance in `means`.

        Parameters
        ----------
        components : AnatomicalComponents
            What latents stand for.
        volumes : Tensor
            Generated volumes, shape (N, 1, z, x, y).
        z : Tensor
            Their latents, shape (N, latent_dim).
        counted : Tensor of bool
            Volumes that have a single latent, shape (N,).

        Returns
        -------
        Tensor
            Scalar. At ρ = 1, and if the mean is that of real volumes, it is 0 for volumes with the
            appearance of their latents, 1 for the mean volume, and 2 for real volumes without
            relation to the latents.
        """
        found = components.appearance(volumes.clamp(0, 1))
        wanted = components.appearance_of(z.to(volumes.device))
        share = counted.to(volumes.device, found.dtype)
        with torch.no_grad():
            unit = components.variances().clamp(min=_MIN_VARIANCE)
            noted = [found * wanted / unit, found.square() / unit, found]
            self.means.note(torch.stack(noted), share)
        product, square, mean = self.means.values
        correlation = (product / square.sqrt().clamp(min=1e-6)).clamp(_MIN_CORRELATION, 1)
        errors = correlation * found.square() - 2 * found * wanted + wanted.square()
        errors = errors + 2 * _MEAN_WEIGHT * found * mean
        return share @ components.mean_error(errors) / share.sum().clamp(min=1)
