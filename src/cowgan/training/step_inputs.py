"""The random inputs of a training step: real volumes, latents, augmentation and views."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cowgan.training import sampling
from cowgan.training.anatomical_components import AnatomicalComponents
from cowgan.training.augmentation import augment, flip
from cowgan.training.config import TrainingConfig

_READ_TOGETHER = 16


class TrainingVolumes(Protocol):
    """Real volumes to train on."""

    def __len__(self) -> int:
        """Return the number of volumes to train on."""

    def read(self, indices: list[int]) -> NDArray[np.float32]:
        """Return volumes, shape (n, 1, z, x, y), 0 to 1."""


def batches(volumes: TrainingVolumes, limit: int | None = None) -> Iterator[Tensor]:
    """Yield all volumes, or `limit` of them evenly spread, some at a time, (N, 1, z, x, y)."""
    total = len(volumes)
    count = total if limit is None else min(total, limit)
    chosen = [number * total // count for number in range(count)]
    for first in range(0, count, _READ_TOGETHER):
        yield torch.from_numpy(volumes.read(chosen[first : first + _READ_TOGETHER]))


@dataclass(frozen=True)
class StepInputs:
    """The random inputs of one step, which follow from the seed and the step's number alone.

    Parameters
    ----------
    config : TrainingConfig
        Settings of the run.
    volumes : TrainingVolumes
        Real volumes.
    device : torch.device
        Device of the results.
    step : int
        Steps completed before this one.
    augment_probability : float
        Probability of each augmentation.
    """

    config: TrainingConfig
    volumes: TrainingVolumes
    device: torch.device
    step: int
    augment_probability: float

    def passes(self) -> Sequence[range]:
        """Return the samples of each pass, numbered within the step."""
        batch = self.config.batch
        return [range(i * batch, (i + 1) * batch) for i in range(self.config.accumulate)]

    def reals(self, samples: range) -> Tensor:
        """Return real volumes, randomly flipped."""
        config, first = self.config, self.step * self.config.images_per_step
        numbers = range(first + samples.start, first + samples.stop)
        chosen = sampling.real_volumes(len(self.volumes), config.seed, numbers)
        volumes = torch.from_numpy(self.volumes.read([place for place, _ in chosen]))
        flipped = sampling.flips(config.seed, numbers, config.flip)
        return flip(volumes.to(self.device), flipped)

    def latents(self, purpose: str, samples: range) -> sampling.Latents:
        """Return random latents."""
        config = self.config
        return sampling.latents(
            config.network, config.seed, self.step, purpose, samples, config.mixing
        )

    def paired_latents(
        self, samples: range, reals: Tensor | None, components: AnatomicalComponents | None
    ) -> sampling.Latents:
        """Return the generator's latents, the first `n_pairs` of them those of real volumes."""
        latents = self.latents("generator", samples)
        if self.n_pairs and components is not None and reals is not None:
            with torch.no_grad():
                found = components(reals[: self.n_pairs])
            latents.z[: self.n_pairs, 0, : components.count] = found.cpu()
            latents.crossover[: self.n_pairs] = self.config.network.n_blocks
        return latents

    @property
    def n_pairs(self) -> int:
        """Number of generated volumes of each pass that must reproduce real ones."""
        return min(self.config.paired, self.config.batch)

    def augmented(self, volumes: Tensor, purpose: str, samples: range) -> Tensor:
        """Return augmented volumes."""
        config = self.config
        parameters = sampling.augmentation(
            config.network, config.seed, self.step, purpose, samples, self.augment_probability
        )
        return augment(volumes, parameters)

    def probe(self, volumes: Tensor, samples: range) -> Tensor:
        """Return standard normal noise of the shape of volumes, for `losses.path_lengths`."""
        noise = [
            torch.randn(volumes.shape[1:], generator=self.generator("probe", sample))
            for sample in samples
        ]
        return torch.stack(noise).to(self.device)

    def generator(self, purpose: str, sample: int) -> torch.Generator:
        """Return a random generator of its own for one sample."""
        return sampling.generator_for(self.config.seed, self.step, purpose, sample)
