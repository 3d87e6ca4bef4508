"""Estimated memory against that counted by torch's allocator."""

from math import lcm
from pathlib import Path

import pytest
import torch
from allocated_memory import allocated_peak
from training_banks import TINY, finish

from cowgan.networks import NetworkConfig
from cowgan.training.config import TrainingConfig, preset
from cowgan.training.memory import BlankVolumes, estimate, largest_batch
from cowgan.training.tensor_memory import MemoryEstimate
from cowgan.training.trainer import Trainer

NETWORK = NetworkConfig(32, 8, 4, 32, latent_dim=64, style_depth=2)
MOST_BELOW, MOST_ABOVE = 0.95, 1.3


def config(name: str, **changes: object) -> TrainingConfig:
    base = {"batch": 2, "accumulate": 2, "precision": "fp32", "path_from": 0}
    return preset(name, NETWORK).with_changes(**{**base, **changes})


def measured_bytes(wanted: TrainingConfig, folder: Path) -> int:
    """Return the peak of allocated memory over the most expensive of real steps."""

    def work() -> None:
        trainer = Trainer(wanted, BlankVolumes(NETWORK.volume_shape), "cpu")
        for _ in range(2):
            trainer.counters.step = lcm(wanted.penalty_every, wanted.path_every)
            trainer.step()

    return allocated_peak(work, folder)


@pytest.mark.parametrize("name", ["modern", pytest.param("projected", marks=pytest.mark.slow)])
def test_the_estimate_is_close_to_the_memory_used(
    name: str, tmp_path: Path, single_threaded
) -> None:
    """Fake tensors are copied more often than real ones, and kernels use memory of their own."""
    wanted = config(name)
    measured = measured_bytes(wanted, tmp_path)
    estimated = estimate(wanted, "cpu").bytes
    assert MOST_BELOW * measured <= estimated <= MOST_ABOVE * measured


@pytest.mark.slow
def test_every_cost_in_memory_is_counted() -> None:
    def needed(batch: int = 4, precision: str = "bf16", **changes: object) -> int:
        wanted = config("modern", batch=batch, precision=precision, **changes)
        return estimate(wanted, "cpu").bytes

    plain = {"path_weight": 0.0, "penalty_weight": 0.0}
    assert needed(**plain) < 0.8 * needed(), "gradients of gradients, in float32"
    assert 1.6 < needed(batch=8) / needed(batch=4) < 2
    assert needed(**plain) < 0.8 * needed(precision="fp32", **plain)


@pytest.mark.slow
def test_the_largest_batch_fits_and_the_next_does_not() -> None:
    plain = {"path_weight": 0.0, "penalty_weight": 0.0}
    limit = estimate(config("modern", batch=4, accumulate=2, **plain), "cpu").bytes
    wanted = config("modern", batch=8, accumulate=1, **plain)
    assert largest_batch(wanted, int(1.1 * limit), "cpu") == 4


@pytest.mark.parametrize("name", ["paper", "projected"])
def test_other_presets_are_estimated_too(name: str) -> None:
    assert estimate(config(name, accumulate=1), "cpu").bytes > 10**7


def test_an_estimate_says_whether_it_fits() -> None:
    assert MemoryEstimate(10, 20).fits
    assert not MemoryEstimate(20, 10).fits
    assert MemoryEstimate(20, 0).fits, "unknown"
    assert estimate(config("modern", batch=1, accumulate=1), "cpu").available_bytes > 0
    assert torch.zeros(1).item() == 0, "tensors have content again"


@pytest.mark.slow
def test_the_command_estimates_without_a_bank() -> None:
    result = finish("train", "--estimate", *TINY)
    assert result.returncode == 0, result.stderr
    assert "A pass of 2 volumes needs about" in result.stdout
