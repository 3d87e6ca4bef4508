import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from training_banks import make_bank

from cowgan.bank.bank import Bank
from cowgan.checkpoint import load
from cowgan.networks import NetworkConfig
from cowgan.training.config import preset, with_changes
from cowgan.training.held_out import HeldOut, coverage, kernel_distance, recall
from cowgan.training.run import BEST_FILE, resume_run, start_run

NETWORK = NetworkConfig(16, 16, 1, 8)


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> Bank:
    return make_bank(tmp_path_factory.mktemp("bank") / "bank", 48, holdout=0.5)


def normal(count: int, seed: int, scale: float = 1.0) -> torch.Tensor:
    source = torch.Generator().manual_seed(seed)
    return scale * torch.randn(count, 6, generator=source, dtype=torch.float64)


def test_kernel_distance_is_the_published_estimate() -> None:
    one, other = normal(9, 0).numpy(), normal(7, 1, 2.0).numpy()

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return (float(x @ y) / 6 + 1) ** 3

    def within(rows: np.ndarray) -> float:
        pairs = [kernel(a, b) for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j]
        return float(np.mean(pairs))

    across = np.mean([kernel(a, b) for a in one for b in other])
    expected = within(one) + within(other) - 2 * across
    found = kernel_distance(torch.from_numpy(one), torch.from_numpy(other))
    assert found == pytest.approx(expected)


def test_recall_falls_with_diversity_and_coverage_with_missing_kinds() -> None:
    real, alike = normal(300, 0), normal(300, 1)
    narrow = normal(300, 2, 0.2)
    assert recall(real, alike) > 0.8
    assert recall(real, narrow) < 0.1
    assert coverage(real, alike) > 0.8
    half = alike[alike[:, 0] > 0.5]
    assert coverage(real, half) < 0.8 * coverage(real, alike)
    assert recall(real, real) == coverage(real, real) == 1


def test_too_few_people_say_nothing(tmp_path: Path, bank: Bank) -> None:
    assert HeldOut.of(make_bank(tmp_path / "few"), NETWORK.volume_shape) is None
    assert HeldOut.of(bank, NETWORK.volume_shape) is not None


def test_a_run_keeps_what_came_nearest_to_people_it_never_saw(bank: Bank, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    run = tmp_path / "run"
    config = with_changes(
        preset("modern", NETWORK), batch=2, accumulate=1, steps=2, save_every=2, metrics_every=1
    )
    start_run(run, bank, config, "cpu")
    resume_run(run, bank, "cpu", steps=4)
    with (run / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    distances = [float(row["kernel_distance"]) for row in rows]
    assert len(distances) == 4
    real = float(rows[0]["kernel_distance_of_reals"])
    assert min(distances) > real, "tubes are nearer to tubes than noise is"
    best = load(run / BEST_FILE)
    assert best.card.provenance["steps"] == 1 + int(np.argmin(distances))
