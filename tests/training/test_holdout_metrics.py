import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from training_banks import make_bank, random_volumes

from cowgan.bank.bank import Bank
from cowgan.checkpoint import load
from cowgan.networks import NetworkConfig
from cowgan.training.config import preset, with_changes
from cowgan.training.holdout_metrics import HoldoutMetrics
from cowgan.training.loop import BEST_FILE
from cowgan.training.run import resume_run, start_run

NETWORK = NetworkConfig(16, 16, 1, 8)


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> Bank:
    return make_bank(tmp_path_factory.mktemp("bank") / "bank", 48, holdout=0.5)


def test_measures_are_those_logged_by_earlier_versions() -> None:
    held_out, trained_on, generated = (random_volumes(n, i) for i, n in enumerate((24, 40, 30)))
    found = HoldoutMetrics(held_out, trained_on)(generated)
    assert found == pytest.approx(
        {
            "kernel_distance": 0.026078544583788776,
            "recall": 20 / 24,
            "coverage": 22 / 24,
            "kernel_distance_of_reals": 0.14238669398004777,
            "recall_of_reals": 17 / 24,
            "coverage_of_reals": 1.0,
        },
        rel=1e-9,
    )


def test_too_few_subjects_give_no_metric(tmp_path: Path, bank: Bank) -> None:
    assert HoldoutMetrics.of(make_bank(tmp_path / "few"), NETWORK.volume_shape) is None
    assert HoldoutMetrics.of(bank, NETWORK.volume_shape) is not None


def test_a_run_keeps_the_checkpoint_nearest_to_held_out_subjects(
    bank: Bank, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    run = tmp_path / "run"
    config = with_changes(
        preset("modern", NETWORK), batch=2, accumulate=1, steps=2, save_every=2, metrics_every=1
    )
    start_run(run, bank, config, "cpu")
    resume_run(run, bank, "cpu", steps=4)
    with (run / "log.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    distances = [float(row["kernel_distance"]) for row in rows]
    assert len(distances) == 4
    real = float(rows[0]["kernel_distance_of_reals"])
    assert min(distances) > real, "tubes are nearer to tubes than noise is"
    best = load(run / BEST_FILE)
    assert best.card.provenance["steps"] == 1 + int(np.argmin(distances))
