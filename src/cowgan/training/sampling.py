"""Random numbers of a training step, from generators named by their purpose.

They follow from the run's seed and the step's number alone, so that a resumed run needs no
stored generator state, and a batch is the same however it is divided among processes.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cowgan.networks import NetworkConfig
from cowgan.randomness import stream
from cowgan.training.augmentation import AugmentationParameters, draw_parameters


@dataclass(frozen=True)
class Latents:
    """Inputs of the generator for N volumes.

    Parameters
    ----------
    z : Tensor
        Shape (N, 2, latent_dim): two latents for each volume.
    crossover : Tensor
        Shape (N,), int64: first block that takes the style of the second latent.
    noise : Tensor
        Shape (N, depth, size, size), uniform in [0, 1).
    """

    z: Tensor
    crossover: Tensor
    noise: Tensor


def generator_for(seed: int, step: int, purpose: str, sample: int = 0) -> torch.Generator:
    """Return a new random generator on the CPU for one sample of one step."""
    entropy = [seed, step, sample, *purpose.encode()]
    (word,) = np.random.SeedSequence(entropy).generate_state(1, np.uint32)
    return torch.Generator().manual_seed(int(word))


def latents(
    config: NetworkConfig, seed: int, step: int, purpose: str, samples: range, mixing: float
) -> Latents:
    """Draw latents for some samples of a step."""
    z, crossover, noise = [], [], []
    for sample in samples:
        generator = generator_for(seed, step, purpose, sample)
        z.append(torch.randn(2, config.latent_dim, generator=generator))
        mixed = torch.rand((), generator=generator) < mixing
        at = (
            torch.randint(1, config.n_blocks, (), generator=generator) if config.n_blocks > 1 else 1
        )
        crossover.append(int(at) if mixed else config.n_blocks)
        noise.append(torch.rand(config.volume_shape, generator=generator))
    return Latents(torch.stack(z), torch.tensor(crossover), torch.stack(noise))


def augmentation(
    config: NetworkConfig, seed: int, step: int, purpose: str, samples: range, probability: float
) -> AugmentationParameters:
    """Draw augmentation parameters for some samples of a step."""
    each = [
        draw_parameters(
            1, config.volume_shape, probability, generator_for(seed, step, purpose, sample)
        )
        for sample in samples
    ]
    parts = [torch.cat([getattr(one, name) for one in each]) for name in _PARAMETERS]
    return AugmentationParameters(*parts)


_PARAMETERS = ("shift", "corner", "moved", "cut")


def real_volumes(count: int, seed: int, samples: range) -> list[tuple[int, int]]:
    """Return the volume of each real sample: (index in the training set, epoch).

    Parameters
    ----------
    count : int
        Size of the training set.
    seed : int
        Determines the order, a new one in every epoch.
    samples : range
        Numbers of the samples, counted from the start of the run.
    """
    orders: dict[int, np.ndarray] = {}
    chosen = []
    for sample in samples:
        epoch, place = divmod(sample, count)
        if epoch not in orders:
            orders[epoch] = stream(f"training order {epoch}", seed).permutation(count)
        chosen.append((int(orders[epoch][place]), epoch))
    return chosen


def flips(seed: int, samples: range, probability: float) -> Tensor:
    """Return which real samples are flipped, shape (N,), bool."""
    drawn = [
        torch.rand((), generator=generator_for(seed, sample, "flip")) < probability
        for sample in samples
    ]
    return torch.stack(drawn)
