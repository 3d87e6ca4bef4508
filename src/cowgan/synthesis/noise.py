"""The noise of each block of a latent state."""

from functools import lru_cache

import torch
from torch import Tensor

from cowgan.networks import NetworkConfig
from cowgan.networks.synthesis_network import NOISE_MEAN
from cowgan.randomness import stream
from cowgan.synthesis.noise_map import NoiseMap
from cowgan.synthesis.state import LatentState, NoiseShare


@lru_cache(maxsize=4)
def noise_cube(seed: int, config: NetworkConfig) -> Tensor:
    """Return uniform noise in [0, 1) of shape (depth, image_size, image_size).

    It is the part of the published image_size^3 cube that any block uses.
    """
    return torch.from_numpy(stream("noise", seed).random_sample(config.volume_shape)).float()


def block_noise(
    state: LatentState, block: int, config: NetworkConfig, found: Tensor | None = None
) -> Tensor | None:
    """Return the noise of one block, its shape (d, h, w), or None where there is none.

    `found`, of shape (z, x, y), is used like the state's map of noise, and instead of it.
    """
    strength = state.strength(block)
    if strength == 0:
        return None
    if found is None and state.noise_map is not None:
        found = torch.from_numpy(state.noise_map.cube())
    d, h, w = config.block_shape(block)
    first, *others = state.noises
    if found is None and not others and first.weight * strength == 1:
        return noise_cube(first.seed, config)[:d, :h, :w]
    deviation = torch.zeros(d, h, w)
    for share in state.noises:
        cube = noise_cube(share.seed, config)[:d, :h, :w]
        deviation += share.weight * (cube - NOISE_MEAN)
    if found is not None:
        corner = found[:d, :h, :w]
        z, x, y = corner.shape
        deviation[:z, :x, :y] = corner - NOISE_MEAN
    return NOISE_MEAN + strength * deviation


NoiseKey = tuple[NoiseMap | None, tuple[NoiseShare, ...], float]


def noise_key(state: LatentState, block: int) -> NoiseKey | None:
    """Return a key that identifies the result of `block_noise` for a given config."""
    strength = state.strength(block)
    return None if strength == 0 else (state.noise_map, state.noises, strength)
