"""A small bank of random tubes, and runs on it that take seconds."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open

from cowgan.bank.bank import Bank
from cowgan.bank.split import SplitRule
from cowgan.bank.writing import BankOptions, LabelledVolume, write_bank
from cowgan.networks import NetworkConfig
from cowgan.volume import Volume, default_affine

TINY_SETTINGS = Path(__file__).with_name("tiny_run.toml")
TINY_NETWORK = NetworkConfig(16, 16, 1, 16, latent_dim=32, style_depth=2)
# The command's options for that network.
TINY = (
    *("--config", TINY_SETTINGS),
    *("--image-size", "16", "--depth", "16", "--network-capacity", "1", "--fmap-max", "16"),
    *("--batch", "2", "--accumulate", "2", "--save-every", "3", "--precision", "fp32"),
    *("--device", "cpu", "--seed", "3"),
)


@dataclass(frozen=True)
class Tubes:
    """A volume with one bright line."""

    number: int
    copy: int = 0

    @property
    def name(self) -> str:
        return f"sub-{self.number:02d}"

    def make(self) -> Volume:
        random = np.random.RandomState(self.number)
        data = 0.1 * random.rand(16, 16, 16)
        x, y = random.randint(3, 13, 2)
        data[:, x : x + 2, y : y + 2] = 0.8
        return Volume(data, default_affine((16, 16, 16)))


class LabelledTubes(Tubes):
    """A volume with one bright line, which is the left or right territory."""

    def make(self) -> LabelledVolume:
        volume = super().make()
        side = 4 if volume.data[:, 8:].sum() > volume.data[:, :8].sum() else 5
        labels = np.where(volume.data > 0.5, side, 0).astype(np.uint8)
        return LabelledVolume(**vars(volume), labels=labels, label_scheme="territories")


def make_bank(path: Path, count: int = 12, holdout: float = 0.1, kind: type[Tubes] = Tubes) -> Bank:
    options = BankOptions(SplitRule(holdout=holdout))
    return write_bank(path, [kind(i) for i in range(count)], options)


def random_volumes(count: int, seed: int) -> torch.Tensor:
    """Return smooth noise, shape (count, 1, 8, 16, 16)."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 1, 4, 4, 4, generator=generator)
    return torch.nn.functional.interpolate(coarse, (8, 16, 16)) ** 4


def cowgan(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "cowgan.cli", *map(str, arguments)]


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start a command, in one thread so that the order of sums is always the same."""
    return subprocess.Popen(
        cowgan(*arguments),
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def finish(*arguments: object) -> subprocess.CompletedProcess[str]:
    process = start(*arguments)
    out, err = process.communicate(timeout=240)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def tensors(path: Path) -> dict[str, np.ndarray]:
    with safe_open(path, framework="np") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def assert_same_state(first: Path, second: Path) -> None:
    one, other = (tensors(folder / "state.safetensors") for folder in (first, second))
    assert one.keys() == other.keys()
    different = [name for name in one if not np.array_equal(one[name], other[name])]
    assert different == []


def wait_until(
    condition: Callable[[], bool], process: subprocess.Popen[str], timeout_s: float = 60
) -> None:
    """Wait until something is so, or fail if the process ends before."""
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "took too long"
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
