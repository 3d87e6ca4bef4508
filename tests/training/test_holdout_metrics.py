import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from planted_copies import Volumes
from training_banks import make_bank, random_volumes

from cowgan.bank.bank import Bank
from cowgan.checkpoint import load
from cowgan.evaluation.comparison import compare
from cowgan.features.coarse_vessels import CoarseVesselFeatures
from cowgan.features.store import extract_features
from cowgan.networks import NetworkConfig
from cowgan.training.config import preset
from cowgan.training.holdout_metrics import HoldoutMetrics
from cowgan.training.loop import BEST_FILE
from cowgan.training.run import resume_run, start_run
from cowgan.volume import Volume, default_affine

NETWORK = NetworkConfig(16, 16, 1, 8, latent_dim=32, style_depth=2)


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> Bank:
    return make_bank(tmp_path_factory.mktemp("bank") / "bank", 48, holdout=0.5)


def as_set(title: str, volumes: torch.Tensor) -> Volumes:
    data = (one[0].numpy() for one in volumes)
    named = {f"{title}{i}": Volume(one, default_affine(one.shape)) for i, one in enumerate(data)}
    return Volumes(title, named)


def test_measures_are_those_of_an_evaluation() -> None:
    tensors = {"held": random_volumes(24, 0), "trained": random_volumes(40, 1)}
    made = random_volumes(30, 2)
    found = HoldoutMetrics(tensors["held"], tensors["trained"])(made)
    held, trained, generated = (
        extract_features(as_set(title, volumes), CoarseVesselFeatures())
        for title, volumes in {**tensors, "made": made}.items()
    )
    comparison = compare(held, generated, trained, repeats=2)
    for result in comparison.results:
        assert found[result.measure.key] == pytest.approx(result.estimate.estimate, rel=1e-6)
    others = compare(held, trained, trained, repeats=2)
    for result in others.results:
        key = f"{result.measure.key}_of_reals"
        assert found[key] == pytest.approx(result.estimate.estimate, rel=1e-6)


@pytest.mark.parametrize("value", [0.25, np.nan])
def test_volumes_without_contrast_have_no_measures(value: float) -> None:
    metric = HoldoutMetrics(random_volumes(24, 0), random_volumes(40, 1))
    found = metric(torch.full((30, 1, 16, 16, 16), value))
    assert np.isnan(found["kernel_distance"])
    assert found["kernel_distance_of_reals"] > 0


def test_too_few_subjects_give_no_metric(tmp_path: Path, bank: Bank) -> None:
    assert HoldoutMetrics.of(make_bank(tmp_path / "few"), NETWORK.volume_shape) is None
    assert HoldoutMetrics.of(bank, NETWORK.volume_shape) is not None


def test_a_run_keeps_the_checkpoint_nearest_to_held_out_subjects(
    bank: Bank, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    run = tmp_path / "run"
    config = preset("modern", NETWORK).with_changes(
        batch=2, accumulate=1, steps=2, save_every=2, metrics_every=1
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
