"""The loss that holds generated volumes to the anatomies of their latents."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from cowgan.training.anatomical_components import AnatomicalComponents
from cowgan.training.distributed import ProcessGroup

_KEPT = 0.99
"""Share of the running means that a step keeps."""

_MIN_CORRELATION = 0.1


class Anchor(nn.Module):
    """The error of components, least where their variance is that of real volumes.

    The squared error of a component that the generator follows only with a correlation ρ is
    least if its variance shrinks to ρ², and volumes become more alike than real ones. Here the
    square of what is found counts ρ times, and the error is least at unit variance. ρ is a
    running mean of each component.

    Parameters
    ----------
    count : int
        Number of components.
    """

    product: Tensor
    square: Tensor
    sums: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.register_buffer("product", torch.ones(count))
        self.register_buffer("square", torch.ones(count))
        self.register_buffer("sums", torch.zeros(3, count), persistent=False)

    def forward(
        self, components: AnatomicalComponents, volumes: Tensor, z: Tensor, counted: Tensor
    ) -> Tensor:
        """Return the mean error of volumes, and take note of their components for `update`.

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
            Scalar. At ρ = 1 it is 0 for volumes with the components of their latents, 1 for the
            mean volume, and 2 for real volumes without relation to the latents.
        """
        found = components(volumes.clamp(0, 1))
        whitened = z.shape[1] ** 0.5 * functional.normalize(z.to(volumes.device), dim=1)
        wanted = whitened[:, : components.count]
        share = counted.to(volumes.device, found.dtype)
        with torch.no_grad():
            noted = torch.stack([found * wanted, found.square(), torch.ones_like(found)])
            self.sums += share @ noted
        deviation = self.square.sqrt().clamp(min=1e-6)
        correlation = (self.product / deviation).clamp(_MIN_CORRELATION, 1)
        errors = correlation * found.square() - 2 * found * wanted + wanted.square()
        return share @ (errors @ components.weights()) / share.sum().clamp(min=1)

    def update(self, processes: ProcessGroup) -> None:
        """Take the step's volumes, of all processes, into the running means."""
        processes.sum_tensors([self.sums])
        product, square, count = self.sums
        taken = (1 - _KEPT) * (count > 0)
        self.product.lerp_(product / count.clamp(min=1), taken)
        self.square.lerp_(square / count.clamp(min=1), taken)
        self.sums.zero_()
