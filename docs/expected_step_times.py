"""What a training step should take on a GPU, from its arithmetic and its memory traffic.

Usage: python docs/expected_step_times.py; no GPU is needed.

Every operation of a step, gradients included, is met once on tensors without content. On the GPU
it takes as long as its arithmetic, its reads and writes, or its start, whichever takes longest.
Lazy regularisation and path lengths are counted in their share of the steps.
"""

from dataclasses import dataclass
from math import lcm
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from cowgan.networks import PRESETS
from cowgan.training.config import TrainingConfig, preset
from cowgan.training.memory import BlankVolumes
from cowgan.training.trainer import Trainer


@dataclass(frozen=True)
class Gpu:
    """A GPU by its data sheet, and the shares of it that convolutions and copies reach."""

    name: str
    flops: dict[torch.dtype, float]
    bytes_per_s: float
    reached_flops: float = 0.4
    reached_bytes: float = 0.8
    start_s: float = 5e-6


H100 = Gpu(
    "H100 SXM",
    {torch.bfloat16: 989e12, torch.float16: 989e12, torch.float32: 494e12},
    3.35e12,
)
"""Dense rates; that of float32 is TF32's."""


class Estimate(TorchDispatchMode):
    """Adds up what operations take."""

    def __init__(self, gpu: Gpu) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.gpu = gpu
        self.seconds = self.flops = self.bytes = 0.0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Count an operation."""
        if func is torch.ops.aten._local_scalar_dense.default:
            return True if args[0].dtype == torch.bool else 1
        result = func(*args, **(kwargs or {}))
        if func.is_view:
            return result
        inputs = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        outputs = [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]
        if not outputs:
            return result
        moved = sum(one.numel() * one.element_size() for one in (*inputs, *outputs))
        counted = flop_registry.get(func.overloadpacket)
        flops = counted(*args, **(kwargs or {}), out_val=result) if counted else 0
        rate = self.gpu.flops.get(outputs[0].dtype, self.gpu.flops[torch.float32])
        self.flops += flops
        self.bytes += moved
        self.seconds += max(
            flops / (rate * self.gpu.reached_flops),
            moved / (self.gpu.bytes_per_s * self.gpu.reached_bytes),
            self.gpu.start_s,
        )
        return result


def mean_step(config: TrainingConfig, gpu: Gpu) -> Estimate:
    """Return the mean over one period of the regularisations."""
    period = lcm(config.penalty_every, config.path_every)
    kinds: dict[tuple[bool, bool], int] = {}
    for step in range(period):
        kind = (step % config.penalty_every == 0, step % config.path_every == 0)
        kinds[kind] = kinds.get(kind, 0) + 1
    mean = Estimate(gpu)
    for (penalty, path), count in kinds.items():
        with FakeTensorMode(allow_non_fake_inputs=True):
            # What making it takes is not counted.
            with Estimate(gpu):
                trainer = Trainer(config, BlankVolumes(config.network.volume_shape), "cpu")
            trainer.generator.one_by_one = False
            start = period * (1 + config.path_from // period)
            trainer.counters.step = start + next(
                step
                for step in range(period)
                if (step % config.penalty_every == 0, step % config.path_every == 0)
                == (penalty, path)
            )
            with Estimate(gpu) as one:
                trainer.step()
        share = count / period
        mean.seconds += share * one.seconds
        mean.flops += share * one.flops
        mean.bytes += share * one.bytes
    return mean


if __name__ == "__main__":
    print(f"| settings, network | volumes | TFLOP | GB moved | s on one {H100.name} | volumes/s |")
    print("|---|---|---|---|---|---|")
    for name in ("paper", "modern", "projected"):
        for network in ("Small", "Large"):
            config = preset(name, PRESETS[network]).with_changes(precision="bf16")
            found = mean_step(config, H100)
            volumes = config.images_per_step
            print(
                f"| {name}, {network} | {volumes} | {found.flops / 1e12:.1f} | "
                f"{found.bytes / 1e9:.0f} | {found.seconds:.2f} | {volumes / found.seconds:.0f} |",
                flush=True,
            )
