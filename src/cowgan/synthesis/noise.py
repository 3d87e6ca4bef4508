"""The noise of each block of a latent state."""

from functools import lru_cache

import torch
from torch import Tensor

from cowgan.networks import NetworkConfig
from cowgan.networks.synthesis_network import NOISE_MEAN
from cowgan.randomness import stream
from cowgan.synthesis.state import LatentState


@lru_cache(maxsize=2)
def noise_cube(seed: int, config: NetworkConfig) -> Tensor:
    """Return uniform noise in [0, 1) of shape (depth, image_size, image_size).

    It is the part of the published image_size^3 cube that any block uses.
    """
    return torch.from_numpy(stream("noise", seed).random_sample(config.volume_shape)).float()


def block_noise(state: LatentState, block: int, config: NetworkConfig) -> Tensor | None:
    """Return the noise of one block, its shape (d, h, w), or None where there is none."""
    strength = state.strength(block)
    if strength == 0:
        return None
    d, h, w = config.block_shape(block)
    cube = noise_cube(state.effective_noise_seed, config)[:d, :h, :w]
    return cube if strength == 1 else torch.lerp(torch.full_like(cube, NOISE_MEAN), cube, strength)


def noise_key(state: LatentState, block: int) -> tuple[int, float] | None:
    """Return a key that identifies the result of `block_noise` for a given config."""
    strength = state.strength(block)
    return None if strength == 0 else (state.effective_noise_seed, strength)
