"""Training steps against their bare convolutions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from cowgan.networks import NetworkConfig, initialise
from cowgan.training import sampling
from cowgan.training.config import preset
from cowgan.training.generator import Generator
from cowgan.training.memory import estimate
from cowgan.training.trainer import Trainer

NETWORK = NetworkConfig(32, 16, 12, 96)
BATCH = 4
_CONVOLUTIONS = (
    torch.ops.aten.convolution.default,
    torch.ops.aten.convolution_backward.default,
)


class Noise:
    """Volumes to learn from."""

    def __init__(self) -> None:
        random = np.random.RandomState(0)
        self._volumes = random.rand(16, 1, *NETWORK.volume_shape).astype(np.float32)

    def __len__(self) -> int:
        return len(self._volumes)

    def read(self, indices: list[int]) -> np.ndarray:
        return self._volumes[indices]


class Recorder(TorchDispatchMode):
    """Notes every convolution, forwards and backwards, with copies of its inputs' layout."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Callable[[], object]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _CONVOLUTIONS:
            copies = tree_map(_noise_like, args)
            self.calls.append(lambda: func(*copies))
        return func(*args, **(kwargs or {}))


def _noise_like(value: Any) -> Any:
    return torch.empty_like(value).normal_() if isinstance(value, Tensor) else value


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
@pytest.mark.parametrize("name", ["paper", "modern", "projected"])
def test_a_step(compare, report, single_threaded, name: str, precision: str) -> None:
    config = preset(name, NETWORK).with_changes(
        batch=BATCH, accumulate=1, precision=precision, path_from=10**9
    )
    trainer = Trainer(config, Noise(), "cpu")

    def step() -> None:
        trainer.counters.step = 1  # Neither penalty nor path length is due.
        trainer.step()

    step()
    with Recorder() as recorder:
        step()

    def convolutions() -> None:
        for call in recorder.calls:
            call()

    size = " x ".join(str(n) for n in NETWORK.volume_shape)
    topic = f"A step of {BATCH} volumes of {size}, {name}, {precision}"
    seconds = compare(
        topic,
        {"step": step, "its bare convolutions": convolutions},
        "its bare convolutions",
        repetitions=3,
    )
    report(topic, "volumes per second", [BATCH / s for s in seconds["step"]], "")
    report(topic, "peak memory", [estimate(config, "cpu").bytes / 2**20], "MB")


@pytest.mark.parametrize("size", [64, 128])
def test_synthesis_one_by_one(compare, single_threaded, size: int) -> None:
    """On a CPU, from 64 columns on, training synthesises the volumes of a batch one by one."""
    network = NetworkConfig(size, 32, 512 // size, 96, latent_dim=256)
    generator = Generator(network, "published")
    initialise(generator.mapping, torch.Generator().manual_seed(0))
    initialise(generator.synthesis, torch.Generator().manual_seed(0))
    drawn = sampling.latents(network, 0, 0, "generator", range(BATCH), 0.5)

    def step(one_by_one: bool) -> None:
        generator.one_by_one = one_by_one
        with torch.autocast("cpu", torch.bfloat16):
            volumes = generator(drawn, torch.device("cpu"))
        volumes.square().mean().backward()

    compare(
        f"Synthesis and its gradients, {BATCH} volumes of 32 x {size} x {size}, bf16",
        {"one by one": lambda: step(True), "at once": lambda: step(False)},
        "at once",
        repetitions=5,
    )
