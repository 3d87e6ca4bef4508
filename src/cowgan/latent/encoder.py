"""A guess at the code of a volume, where projection starts."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from cowgan.networks import NetworkConfig
from cowgan.volume import Volume

_LEAST_DEVIATION = 1e-3


class LatentEncoder(nn.Module):
    """Code of a coarse copy of a volume, by a linear map.

    Neither brightness nor contrast of a volume matter: its intensities are brought to mean 0 and
    standard deviation 1.

    Parameters
    ----------
    generator : NetworkConfig
        Architecture of the generator.
    components : int
        Components of the generator's P space.
    """

    mean: Tensor
    weight: Tensor

    def __init__(self, generator: NetworkConfig, components: int) -> None:
        super().__init__()
        self.input_shape = generator.block_shape((generator.n_blocks - 1) // 2)
        self.components = components
        z, x, y = self.input_shape
        self.register_buffer("mean", torch.zeros(z * x * y))
        self.register_buffer("weight", torch.zeros(components, z * x * y))

    def forward(self, volume: Tensor, share: Tensor) -> Tensor:
        """Guess.

        Parameters
        ----------
        volume : Tensor, shape (N, 1, z, x, y)
            Of `input_shape`.
        share : Tensor, shape (N, 1, z, x, y)
            Share of each voxel that was imaged.

        Returns
        -------
        Tensor, shape (N, components)
            Whitened coordinates in P space.
        """
        # What was not imaged counts as that of the mean volume.
        known = share.flatten(1) * (standardised(volume, share) - self.mean)
        return functional.linear(known, self.weight)

    def guess(self, volume: Volume) -> Tensor:
        """Return the whitened coordinates, shape (components,), of a whole volume on its grid."""
        data = torch.from_numpy(volume.data)[None, None]
        coarse = functional.adaptive_avg_pool3d(data, self.input_shape)
        code: Tensor = self(coarse, torch.ones_like(coarse))[0]
        return code


def standardised(volume: Tensor, share: Tensor) -> Tensor:
    """Return the intensities of volumes (N, 1, z, x, y), each of mean 0 and deviation 1.

    Returns
    -------
    Tensor, shape (N, z * x * y)
    """
    values, weights = volume.flatten(1), share.flatten(1)
    total = weights.sum(1, keepdim=True).clamp(min=1)
    centred = values - (values * weights).sum(1, keepdim=True) / total
    variance = (centred.square() * weights).sum(1, keepdim=True) / total
    return centred / variance.sqrt().clamp(min=_LEAST_DEVIATION)
