"""The memory of tensors during a computation, found without using any, and what is free."""

import os
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode, unset_fake_temporarily
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cowgan.synthesis.precision import choose_dtype
from cowgan.training.config import TrainingPrecision

_CONTENT = torch.ops.aten._local_scalar_dense.default
_INDICES = (torch.ops.aten.arange.default, torch.ops.aten.arange.start)


@dataclass(frozen=True)
class MemoryEstimate:
    """Memory that training needs, and that is available.

    Parameters
    ----------
    bytes : int
        Peak memory of tensors: weights, gradients, moments of the optimisers, activations, and
        what else a step keeps. Memory of the device's libraries, such as a CUDA context and the
        workspace of convolutions, is not included.
    available_bytes : int
        Free memory of the device; 0 if unknown.
    """

    bytes: int
    available_bytes: int

    @property
    def fits(self) -> bool:
        """Whether training fits the free memory; True if that is unknown."""
        return not 0 < self.available_bytes < self.bytes


def peak_bytes(work: Callable[[], None]) -> int:
    """Return the peak memory of the tensors that `work` would make.

    It runs on fake tensors, which have a shape but no content, so it takes seconds and almost no
    memory. They are made on the CPU for any device, which need not exist.
    """
    with FakeTensorMode(allow_non_fake_inputs=True), _Tally() as tally:
        work()
    return tally.peak


def make_moments(adam: torch.optim.Optimizer) -> None:
    """Create the moments that an optimiser has from the second step on."""
    for group in adam.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    adam.step()
    adam.zero_grad(set_to_none=True)


def traced_precision(precision: TrainingPrecision, device: torch.device) -> TrainingPrecision:
    """Return the precision to trace on the CPU, as both half precisions need the same memory."""
    automatic = precision == "auto" and choose_dtype(device, "fast") == torch.float32
    return "fp32" if precision == "fp32" or automatic else "bf16"


def free_bytes(device: torch.device) -> int:
    """Return the free memory of a device; 0 if unknown."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Not everywhere.
        return 0


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
        if func in _INDICES:
            # Small, and their content is read: losses list axes in this way.
            with unset_fake_temporarily():
                return func(*args, **(kwargs or {}))
        if func is _CONTENT and isinstance(args[0], FakeTensor):
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
