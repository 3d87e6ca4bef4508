"""An estimate of the memory that training a generator needs, without using any of it."""

from math import ceil, lcm

import numpy as np
import torch
from numpy.typing import NDArray

from cowgan.synthesis.precision import choose_device
from cowgan.training.config import TrainingConfig
from cowgan.training.tensor_memory import (
    MemoryEstimate,
    free_bytes,
    make_moments,
    peak_bytes,
    traced_precision,
)
from cowgan.training.trainer import Trainer


def estimate(config: TrainingConfig, device: str = "auto") -> MemoryEstimate:
    """Return the memory that the most expensive step of a run needs.

    One step of the trainer runs on fake tensors; see `peak_bytes`.

    Parameters
    ----------
    config : TrainingConfig
        Settings of the run.
    device : str
        "auto", "cpu", "cuda", "cuda:1".

    Raises
    ------
    CowganError
        The device does not exist, or an extra is missing.
    """
    chosen = choose_device(device)
    return MemoryEstimate(_peak(config, chosen), free_bytes(chosen))


def largest_batch(config: TrainingConfig, available_bytes: int, device: str = "auto") -> int:
    """Return the largest number of volumes per pass that fits; 0 if none does.

    Parameters
    ----------
    config : TrainingConfig
        Settings of the run; the number of volumes per step stays, in more or fewer passes.
    available_bytes : int
        Memory limit.
    device : str
        As in `estimate`.
    """
    whole = config.images_per_step
    sizes = [batch for batch in range(1, whole + 1) if whole % batch == 0]
    few, all_ = (
        _peak(config.with_changes(batch=batch, accumulate=2), choose_device(device))
        for batch in (sizes[0], whole)
    )
    # The peak may occur at another moment for another size, so memory is convex in the size of
    # a pass, and never above the straight line between two sizes.
    each = (all_ - few) / max(whole - sizes[0], 1)
    fitting = [n for n in sizes if few + each * (n - sizes[0]) <= available_bytes]
    return max(fitting, default=0)


def _peak(config: TrainingConfig, device: torch.device) -> int:
    # Two passes need the same memory as hundreds.
    traced = config.with_changes(
        precision=traced_precision(config.precision, device),
        accumulate=min(config.accumulate, 2),
    )
    every = lcm(config.penalty_every, config.path_every)

    def work() -> None:
        trainer = Trainer(traced, BlankVolumes(config.network.volume_shape), "cpu")
        trainer.generator.one_by_one &= device.type == "cpu"
        for optimiser in (trainer.generator_optimiser, trainer.discriminator_optimiser):
            make_moments(optimiser.adam)
        trainer.counters.step = every * ceil(config.path_from / every)
        trainer.step()

    return peak_bytes(work)


class BlankVolumes:
    """What to train on where only sizes matter.

    Parameters
    ----------
    shape : tuple of int
        Voxels of a volume along (z, x, y).
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._shape = shape

    def __len__(self) -> int:
        return 1

    def read(self, indices: list[int]) -> NDArray[np.float32]:
        """Return one blank volume for each index."""
        return np.zeros((len(indices), 1, *self._shape), np.float32)
