"""An estimate of the memory that training needs, without using any of it."""

import os
import weakref
from dataclasses import dataclass
from math import ceil, lcm
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cowgan.synthesis.precision import choose_device, choose_dtype
from cowgan.training.config import TrainingConfig
from cowgan.training.trainer import Trainer


@dataclass(frozen=True)
class MemoryEstimate:
    """Memory that training needs, and that is available.

    Parameters
    ----------
    bytes : int
        Peak memory of tensors: weights, their EMA, gradients, moments of both optimisers,
        activations, and gradients of gradients where needed. Memory of the device's libraries,
        such as a CUDA context and the workspace of convolutions, is not included.
    available_bytes : int
        Free memory of the device; 0 if unknown.
    """

    bytes: int
    available_bytes: int

    @property
    def fits(self) -> bool:
        """Whether training fits the free memory; True if that is unknown."""
        return not 0 < self.available_bytes < self.bytes


def estimate(config: TrainingConfig, device: str = "auto") -> MemoryEstimate:
    """Return the memory that the most expensive step of a run needs.

    One step of the trainer runs on fake tensors, which have a shape but no content, so it takes
    seconds and almost no memory.

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
    return MemoryEstimate(_peak(config, chosen), _available(chosen))


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
    precise = config.precision == "fp32" or (
        config.precision == "auto" and choose_dtype(device, "fast") == torch.float32
    )
    # Both half precisions need the same memory, as do two passes and hundreds.
    traced = config.with_changes(
        precision="fp32" if precise else "bf16",
        accumulate=min(config.accumulate, 2),
    )
    every = lcm(config.penalty_every, config.path_every)
    # Fake tensors are made on the CPU for any device, which need not exist.
    with FakeTensorMode(allow_non_fake_inputs=True), _Tally() as tally:
        trainer = Trainer(traced, BlankVolumes(config.network.volume_shape), "cpu")
        trainer.generator.one_by_one &= device.type == "cpu"
        for optimiser in (trainer.generator_optimiser, trainer.discriminator_optimiser):
            _make_moments(optimiser.adam)
        trainer.counters.step = every * ceil(config.path_from / every)
        trainer.step()
    return tally.peak


def _make_moments(adam: torch.optim.Adam) -> None:
    """Create the moments that an optimiser has from the second step on."""
    for group in adam.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    adam.step()
    adam.zero_grad(set_to_none=True)


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


class _Tally(TorchDispatchMode):
    """Counts the bytes of live tensors."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        self._alive = 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default:
            # Fake tensors have no content: report everything as finite.
            return True if args[0].dtype == torch.bool else 1
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self._see(leaf.untyped_storage())
        return result

    def _see(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key not in self._known:
            self._known.add(key)
            self._alive += size
            self.peak = max(self.peak, self._alive)
            weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self._alive -= size


def _available(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return _free_ram()


def _free_ram() -> int:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Not everywhere.
        return 0
