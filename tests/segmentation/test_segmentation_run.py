"""Tests of training runs of segmentation networks: files, resumption, validation."""

import csv
import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from segmentation_cases import StopAt, tiny_config, tube_cases
from training_banks import LabelledTubes, make_bank

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.errors import Cancelled, CowganError
from cowgan.segmentation.case_source import CaseSource
from cowgan.segmentation.fitting import Fitting, learning_rate
from cowgan.segmentation.segmentation_config import SegmentationConfig
from cowgan.segmentation.segmentation_run import resume_segmenter, train_segmenter
from cowgan.segmentation.segmenter_files import load_segmenter
from cowgan.training.config_files import read_config
from cowgan.training.distributed import ProcessGroup
from cowgan.training.remote_control import read_status


def rows(folder):
    with (folder / "log.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_stopped_run_is_resumed_exactly(tmp_path) -> None:
    cases = tube_cases(4)
    config = tiny_config(steps=5, mirror=0.5, distortion=0.5, validate_every=2, holdout=0.3)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train_segmenter(whole, cases, config, "cpu")
    with pytest.raises(Cancelled):
        train_segmenter(parts, cases, config, "cpu", StopAt(3))
    assert read_status(parts).state == "stopped"
    resume_segmenter(parts, cases, "cpu")
    states = [load_file(folder / "state.safetensors") for folder in (whole, parts)]
    assert states[0].keys() == states[1].keys()
    for name, values in states[0].items():
        assert np.array_equal(values, states[1][name]), name
    losses = [[row["loss"] for row in rows(folder)] for folder in (whole, parts)]
    assert losses[0] == losses[1]
    assert (whole / "model.safetensors").read_bytes()[-500:] == (
        parts / "model.safetensors"
    ).read_bytes()[-500:]
    assert read_status(parts).state == "finished"


def test_subjects_that_choose_the_best_step_are_not_learned_from(tmp_path) -> None:
    config = tiny_config(steps=4, validate_every=2, holdout=0.3)
    train_segmenter(tmp_path, tube_cases(6), config, "cpu")
    subjects = json.loads((tmp_path / "subjects.json").read_text(encoding="utf-8"))
    assert len(subjects["validation"]) == 2
    assert not set(subjects["validation"]) & set(subjects["training"])
    scored = [row for row in rows(tmp_path) if row["mean_dice"]]
    assert [row["step"] for row in scored] == ["2", "4"]
    model = load_segmenter(tmp_path / "model.safetensors")
    best = max(scored, key=lambda row: float(row["mean_dice"]))
    assert model.card.provenance["steps"] == int(best["step"])
    assert model.scheme is TERRITORIES
    assert set(scored[0]) >= {"dice_left", "dice_right"}


def test_the_network_does_not_depend_on_how_many_processes_share_a_step() -> None:
    """Two processes are played one after the other; sums are those of both."""
    cases, config = tube_cases(3), tiny_config(accumulate=2, batch=1)
    together = Fitting(config, cases, "cpu")
    together.step()

    class Half(ProcessGroup):
        def __init__(self, rank: int, others: list) -> None:
            super().__init__("cpu", rank, 2)
            self.others = others

        def sum_tensors(self, gradients) -> None:
            if not self.others:
                self.others.extend(gradient.clone() for gradient in gradients)
            else:
                for gradient, other in zip(gradients, self.others, strict=True):
                    gradient += other

    first: list = []
    Fitting(config, cases, "cpu", Half(0, first)).step()
    second = Fitting(config, cases, "cpu", Half(1, first))
    second.step()
    for name, weight in together.network.weights().items():
        np.testing.assert_allclose(weight, second.network.weights()[name], atol=1e-6)


def test_the_learning_rate_rises_and_falls() -> None:
    config = tiny_config(steps=100, warm_up=10, rate=0.1)
    rates = [learning_rate(config, step) for step in range(101)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == pytest.approx(0.1) == rates[10]
    assert rates[55] == pytest.approx(0.5 * 0.101, rel=0.01)
    assert rates[100] == pytest.approx(0.001)
    assert all(later < earlier for earlier, later in pairwise(rates[10:]))


def test_a_run_is_only_resumed_with_its_own_cases(tmp_path, single_sentence) -> None:
    config = tiny_config(steps=2)
    train_segmenter(tmp_path, tube_cases(2), config, "cpu")
    with pytest.raises(CowganError) as refusal:
        resume_segmenter(tmp_path, tube_cases(3), "cpu", steps=4)
    assert "other cases" in single_sentence(refusal)
    with pytest.raises(CowganError) as refusal:
        train_segmenter(tmp_path, tube_cases(2), config, "cpu")
    assert "holds a run already" in single_sentence(refusal)
    resume_segmenter(tmp_path, tube_cases(2), "cpu", steps=3)
    assert rows(tmp_path)[-1]["step"] == "3"


@pytest.mark.parametrize("changes", [{"patch_xy": 20}, {"patch_xy": 8}, {"patch_z": 9}])
def test_a_patch_that_does_not_fit_the_network_is_refused(changes, single_sentence) -> None:
    with pytest.raises(CowganError) as refusal:
        Fitting(tiny_config(**changes), tube_cases(1), "cpu")
    assert "multiple of" in single_sentence(refusal)


def test_settings_come_from_a_file(tmp_path, single_sentence) -> None:
    path = tmp_path / "config.toml"
    path.write_text("steps = 7\n[network]\nchannels = [4, 4, 4]\n", encoding="utf-8")
    config = read_config(path, SegmentationConfig())
    assert (config.steps, config.network.channels, config.network.fold) == (7, (4, 4, 4), 2)
    for wrong in ("stepz = 1\n", "steps = 0\n", "network = 5\n", '[network]\nfold = "a"\n'):
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(CowganError) as refusal:
            read_config(path, SegmentationConfig())
        single_sentence(refusal)


def test_memory_that_runs_out_is_reported_in_one_sentence(
    tmp_path, single_sentence, monkeypatch
) -> None:
    monkeypatch.setattr(Fitting, "step", lambda _: torch.empty(2**50))
    with pytest.raises(CowganError) as refusal:
        train_segmenter(tmp_path, tube_cases(1), tiny_config(), "cpu")
    assert "smaller batch" in single_sentence(refusal)
    assert read_status(tmp_path).state == "failed"


def test_a_run_finds_its_cases_again_where_they_were(tmp_path, single_sentence) -> None:
    bank = make_bank(tmp_path / "bank", 3, kind=LabelledTubes).path
    source = CaseSource.of(bank=bank)
    config = tiny_config(steps=1, patch_xy=16)
    train_segmenter(tmp_path / "run", source.read(), config, "cpu", source=source)
    resume_segmenter(tmp_path / "run", device="cpu", steps=2)
    assert rows(tmp_path / "run")[-1]["step"] == "2"
    bank.rename(tmp_path / "moved")
    with pytest.raises(CowganError) as refusal:
        resume_segmenter(tmp_path / "run", device="cpu", steps=3)
    assert str(bank) in single_sentence(refusal)
    resume_segmenter(tmp_path / "run", CaseSource.of(bank=tmp_path / "moved").read(), "cpu", 3)
    assert rows(tmp_path / "run")[-1]["step"] == "3"


def test_a_run_that_does_not_name_its_cases_says_so(tmp_path, single_sentence) -> None:
    train_segmenter(tmp_path, tube_cases(1), tiny_config(steps=1), "cpu")
    with pytest.raises(CowganError) as refusal:
        resume_segmenter(tmp_path, device="cpu", steps=2)
    assert "where its cases come from" in single_sentence(refusal)
