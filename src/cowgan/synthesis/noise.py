"""The noise of each block of a latent state."""

from collections.abc import Sequence
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
    state: LatentState, block: int, config: NetworkConfig, found: Sequence[Tensor] = ()
) -> Tensor | None:
    """Return the noise of one block, its shape (d, h, w), or None where there is none.

    `found` is the noise of the first blocks, used instead of that of the state.
    """
    strength = state.strength(block)
    if strength == 0:
        return None
    shape = d, h, w = config.block_shape(block)
    known = found[block] if block < len(found) else _mapped(state, shape)
    if known is not None:
        return NOISE_MEAN + strength * (known - NOISE_MEAN)
    first, *others = state.noises
    if not others and first.weight * strength == 1:
        return noise_cube(first.seed, config)[:d, :h, :w]
    deviation = torch.zeros(d, h, w)
    for share in state.noises:
        cube = noise_cube(share.seed, config)[:d, :h, :w]
        deviation += share.weight * strength * (cube - NOISE_MEAN)
    return NOISE_MEAN + deviation


def _mapped(state: LatentState, shape: tuple[int, int, int]) -> Tensor | None:
    maps = (torch.from_numpy(each.cube()) for each in state.noise_maps if each.shape == shape)
    return next(maps, None)


NoiseKey = tuple[tuple[NoiseMap, ...], tuple[NoiseShare, ...], float]


def noise_key(state: LatentState, block: int) -> NoiseKey | None:
    """Return a key that identifies the result of `block_noise` for a given config."""
    strength = state.strength(block)
    return None if strength == 0 else (state.noise_maps, state.noises, strength)
