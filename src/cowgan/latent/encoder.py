"""A network that guesses the code and the noise of a volume, where projection starts."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from cowgan.networks import NetworkConfig
from cowgan.networks.layers import LEAK

WIDTH = 32
"""Channels of its hidden layers."""


def noise_block(generator: NetworkConfig) -> int:
    """Return the finest block whose noise is part of a projection.

    The noise of coarse blocks decides about arteries; that of finer ones is grain.
    """
    return (generator.n_blocks - 1) // 2


class LatentEncoder(nn.Module):
    """Code and noise from a coarse copy of a volume.

    It goes through the resolutions of the generator's blocks in reverse order, from one finer than
    the noise to the coarsest.

    Parameters
    ----------
    generator : NetworkConfig
        Architecture of the generator.
    components : int
        Components of the generator's P space.
    width : int
        Channels of the hidden layers.
    """

    def __init__(self, generator: NetworkConfig, components: int, width: int = WIDTH) -> None:
        super().__init__()
        self.width = width
        self.components = components
        last = noise_block(generator)
        shapes = [generator.block_shape(block) for block in range(last + 1, -1, -1)]
        self.input_shape = shapes[0]
        strides = [_ratio(fine, coarse) for fine, coarse in pairwise(shapes)]
        self.stem = nn.Conv3d(2, width, 3, padding=1)
        self.to_noise_size = nn.Conv3d(width, width, 3, strides[0], 1)
        self.middle = nn.ModuleList(nn.Conv3d(width, width, 3, padding=1) for _ in range(2))
        self.to_noise = nn.Conv3d(width, 1, 3, padding=1)
        self.reductions = nn.ModuleList(
            nn.Conv3d(width, width, 3, stride, 1) for stride in strides[1:]
        )
        z, x, y = shapes[-1]
        self.to_code = nn.Linear(width * z * x * y, components)

    def forward(self, volume: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        """Guess.

        Parameters
        ----------
        volume : Tensor, shape (N, 1, z, x, y)
            Of `input_shape`; intensities in [0, 1], 0 where nothing was imaged.
        inside : Tensor, shape (N, 1, z, x, y)
            Share of each voxel that was imaged.

        Returns
        -------
        code : Tensor, shape (N, components)
            Whitened coordinates in P space.
        noise : Tensor, shape (N, 1, z, x, y)
            Standard normal scores of the uniform noise of `noise_block`.
        """
        x = _active(self.stem(torch.cat([volume - 0.2, inside - 1], 1) * 4))
        x = _active(self.to_noise_size(x))
        for layer in self.middle:
            x = x + _active(layer(x))
        noise = self.to_noise(x)
        for layer in self.reductions:
            x = _active(layer(x))
        return self.to_code(x.flatten(1)), noise


def _active(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, LEAK, inplace=True)


def _ratio(fine: tuple[int, int, int], coarse: tuple[int, int, int]) -> tuple[int, int, int]:
    z, x, y = (many // few for many, few in zip(fine, coarse, strict=True))
    return z, x, y
