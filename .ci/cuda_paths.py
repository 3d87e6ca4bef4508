"""Run what needs a GPU without one, to find tensors on the wrong device or of the wrong type.

Usage: python .ci/cuda_paths.py, with a CUDA build of torch; no card is needed.

Under torch's FakeTensorMode tensors have a device, a type and a shape but no content, and every
operation that mixes devices is an error, as on a real GPU; mixed types are found only where torch
checks them before it calls a kernel. Speed and numbers are not tested, nor are backward passes,
whose engine wants a card: gradients are taken to be zero.
"""

import sys
import traceback
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode, unset_fake_temporarily
from torch.utils._python_dispatch import TorchDispatchMode

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.checkpoint import Checkpoint
from cowgan.networks import PRESETS
from cowgan.segmentation.fitting import Fitting
from cowgan.segmentation.labelled_cases import LabelledCase, LabelledCases
from cowgan.segmentation.segmentation_config import SegmentationConfig
from cowgan.simulate import make_anatomy
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.training.config import TrainingConfig, TrainingPrecision, preset
from cowgan.training.memory import BlankVolumes
from cowgan.training.trainer import Trainer

NETWORK = PRESETS["Small"]
CUDA = torch.device("cuda:0")


class NoContent(TorchDispatchMode):
    """Answers every question for a tensor's content: all is finite and well."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run an operation."""
        asked = func is torch.ops.aten._local_scalar_dense.default
        if asked and isinstance(args[0], FakeTensor):
            return True if args[0].dtype == torch.bool else 1
        return func(*args, **(kwargs or {}))


def moved(module: nn.Module, *where: Any) -> nn.Module:
    """Do what ``module.to`` does, which cannot swap tensors without content."""
    for part in module.modules():
        for name, parameter in part.named_parameters(recurse=False):
            kept = nn.Parameter(parameter.detach().to(*where), parameter.requires_grad)
            part.register_parameter(name, kept)
        for name, buffer in part.named_buffers(recurse=False):
            setattr(part, name, buffer.to(*where))
    return module


def train(config: TrainingConfig) -> None:
    """Do a step with every regularisation, and one without."""
    with patch("cowgan.training.trainer.choose_device", return_value=CUDA):
        trainer = Trainer(config, BlankVolumes(NETWORK.volume_shape), "cuda")
    networks = (trainer.generator, trainer.discriminator)

    def backward(loss: torch.Tensor) -> None:
        for network in networks:
            for parameter in network.parameters():
                if parameter.requires_grad:
                    parameter.grad = torch.zeros_like(parameter)

    def grad(of: torch.Tensor, by: torch.Tensor, **options: Any) -> tuple[torch.Tensor]:
        return (torch.zeros_like(by) + 0 * of,)

    trainer.counters.step = config.path_from
    with patch("torch.Tensor.backward", backward), patch("torch.autograd.grad", grad):
        trainer.step()
        trainer.step()


def segment(config: SegmentationConfig) -> None:
    """Do two steps of a segmentation network."""
    labels = np.minimum(make_anatomy(0, "complete").labels, 5).astype(np.uint8)
    cases = LabelledCases(
        [LabelledCase("one", "one", labels.astype(np.float16), labels)],
        TERRITORIES,
        (0.6, 0.6, 0.6),
    )
    with patch("cowgan.segmentation.fitting.choose_device", return_value=CUDA):
        fitting = Fitting(config, cases, "cuda")

    def backward(loss: torch.Tensor) -> None:
        for parameter in fitting.network.parameters():
            parameter.grad = torch.zeros_like(parameter)

    arange = torch.arange

    def counted(*args: Any, **options: Any) -> torch.Tensor:
        if options:
            return arange(*args, **options)
        # MONAI makes lists of axes of them.
        with unset_fake_temporarily():
            return arange(*args)

    with patch("torch.Tensor.backward", backward), patch("torch.arange", counted):
        fitting.step()
        fitting.step()


def render(precision: str, dtype: torch.dtype) -> None:
    """Render two states together."""
    checkpoint = Checkpoint.random(NETWORK, seed=0)
    with (
        patch("cowgan.synthesis.synthesizer.choose_device", return_value=CUDA),
        patch("cowgan.synthesis.synthesizer.choose_dtype", return_value=dtype),
    ):
        synthesizer = Synthesizer(checkpoint, "cuda", precision)
    states = [LatentState(seed=0), LatentState(seed=1, noise=False)]
    image = synthesizer._render_batch(states, NETWORK.n_blocks - 1)
    assert image.device.type == "cuda", image.device


def checks() -> dict[str, Callable[[], None]]:
    """Return what is tried, by name."""
    found: dict[str, Callable[[], None]] = {}
    precisions: tuple[TrainingPrecision, ...] = ("fp32", "bf16", "fp16")
    for precision in precisions:
        for name in ("paper", "modern", "projected"):
            config = preset(name, NETWORK).with_changes(
                batch=2, accumulate=2, path_from=0, precision=precision
            )
            found[f"train {name} in {precision}"] = lambda config=config: train(config)
        network = SegmentationConfig(precision=precision, cldice_weight=0.1)
        found[f"segment in {precision}"] = lambda config=network: segment(config)
    for precision, dtype in (
        ("exact", torch.float32),
        ("fast", torch.bfloat16),
        ("fast", torch.float16),
    ):
        found[f"render {precision} in {dtype}"] = lambda p=precision, d=dtype: render(p, d)
    return found


if __name__ == "__main__":
    failed = 0
    for name, check in checks().items():
        try:
            with (
                FakeTensorMode(allow_non_fake_inputs=True),
                NoContent(),
                patch("torch.nn.Module.to", moved),
                patch("torch.cuda.synchronize"),
            ):
                check()
            print(f"{name}: well")
        except Exception:  # noqa: BLE001 - every kind of failure is a finding
            failed += 1
            traceback.print_exc()
            print(f"{name}: failed")
    sys.exit(failed > 0)
