"""Tests of the experiment on what synthetic data is worth for segmentation."""

import csv
import signal
import sys
import time
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from checkpoint_files import TINY, lively
from command_line import cowgan
from training_banks import LabelledTubes, make_bank, start, wait_until

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.bank.split import SplitRule
from cowgan.bank.writing import BankOptions, write_bank
from cowgan.checkpoint import load, save
from cowgan.errors import Cancelled, CowganError
from cowgan.progress import Silent
from cowgan.segmentation.experiment import plan, read_arms, read_scores, write_scores
from cowgan.segmentation.experiment_config import ExperimentConfig, PlannedArm, read_experiment
from cowgan.segmentation.experiment_data import ExperimentData
from cowgan.segmentation.launching import run_tasks
from cowgan.segmentation.metrics import score
from cowgan.segmentation.segmentation_run import MODEL_FILE, train_segmenter
from cowgan.training.remote_control import read_status

CONFIG = """
bank = "bank"
model = "model.safetensors"
real = [2, 5]
synthetic = [3]
teachers = [2]
seeds = 2

[training]
steps = 2
patch_z = 8
patch_xy = 16
save_every = 1

[training.network]
channels = [4, 4, 4]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("experiment")
    make_bank(folder / "bank", 14, 0.5, LabelledTubes)
    save(lively(replace(TINY, depth=16)), folder / "model.safetensors")
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    return folder


@pytest.fixture
def config(folder) -> ExperimentConfig:
    return read_experiment(folder / "config.toml")


def test_arms_know_no_more_labels_than_their_teacher(config) -> None:
    assert [arm.name for arm in config.arms] == [
        "2 real",
        "5 real",
        "3 synthetic (teacher of 2)",
        "2 real + 3 synthetic",
        "2 real + 3 pseudo-labelled",
    ]
    assert all(arm.real in (0, arm.teacher) for arm in config.arms)


def test_sets_of_a_repetition_are_nested_and_never_touch_the_test(config) -> None:
    data = ExperimentData(config, 0)
    sets = [{case.subject for case in data.real(count).cases} for count in (1, 2, 5, 7)]
    assert [len(one) for one in sets] == [1, 2, 5, 7]
    assert all(smaller < larger for smaller, larger in pairwise(sets))
    assert not sets[-1] & {case.subject for case in data.test.cases}
    others = (ExperimentData(config, seed).real(2).cases for seed in range(1, 4))
    assert any(sets[1] != {case.subject for case in cases} for cases in others)
    with pytest.raises(CowganError, match="fewer than 8"):
        data.real(8)


def test_pseudo_labelled_volumes_are_of_all_other_subjects_in_turn(config, tmp_path) -> None:
    subjects, copies = 3, 12
    tubes = [LabelledTubes(i, copy) for i in range(subjects) for copy in range(copies)]
    bank = write_bank(tmp_path / "bank", tubes, BankOptions(SplitRule(holdout=0.0))).path
    data = ExperimentData(replace(config, bank=str(bank)), 0)
    teacher = tmp_path / "teacher"
    train_segmenter(teacher, data.real(1), config.training, "cpu")
    arm = PlannedArm(1, 0, pseudo=(subjects - 1) * copies)
    cases = data.learned_from(arm, teacher / MODEL_FILE, "cpu").cases
    names = [case.name for case in cases]
    others = [name.removesuffix("_0") for name in names[: subjects - 1]]
    assert len(set(others)) == subjects - 1
    assert names == [f"{other}_{copy}" for copy in range(copies) for other in others]


def test_difficulty_changes_all_images_and_no_label(config) -> None:
    plain, hard = (
        ExperimentData(replace(config, difficulty=difficulty), 0) for difficulty in (0.0, 2.0)
    )
    for one, other in ((plain.test, hard.test), (plain.real(5), hard.real(5))):
        assert [case.name for case in one.cases] == [case.name for case in other.cases]
        for before, after in zip(one.cases, other.cases, strict=True):
            assert np.array_equal(before.labels, after.labels)
        assert any(
            not np.array_equal(a.image, b.image)
            for a, b in zip(one.cases, other.cases, strict=True)
        )


def test_an_experiment_goes_on_where_it_was_and_is_reported(folder, config) -> None:
    out = folder / "config"
    stages = plan(config, out, "cpu")
    for task in (task for stage in stages for task in stage):
        task()
    assert {arm.name for arm in read_arms(stages).values()} == {arm.name for arm in config.arms}
    kept = out / "2 real" / "repetition_0" / "run" / MODEL_FILE
    before = kept.stat().st_mtime_ns
    missing = out / "2 real + 3 synthetic" / "repetition_1" / "scores.csv"
    scores = missing.read_bytes()
    missing.unlink()
    result = cowgan("experiment", "segmentation", folder / "config.toml", "--device", "cpu")
    assert result.returncode == 0, result.stderr
    assert kept.stat().st_mtime_ns == before
    assert missing.read_bytes() == scores
    with (out / "arms.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["arm"] for row in rows} == {"one threshold", *(arm.name for arm in config.arms)}
    main = [row for row in rows if (row["artery"], row["metric"]) == ("mean", "dice")]
    assert all(row["n"] == "7" for row in main)
    html = (out / "report.html").read_text(encoding="utf-8")
    assert "With the labels of 2 subjects" in html
    assert "How hard the task is" in html
    # Best and worst case: the truth and the four arms that know two subjects' labels.
    assert html.count('alt="Axial view of') == 10
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF")


def test_unfinished_arms_are_left_out(config, tmp_path) -> None:
    small = replace(config, seeds=1, synthetic=(), real=(2, 5))
    (first, second), others = plan(small, tmp_path, "cpu")
    assert not others
    assert read_arms([[first, second]]) == {}
    first()
    assert list(read_arms([[first, second]])) == [PlannedArm(2, 2)]
    with pytest.raises(CowganError, match="other settings"):
        plan(replace(small, psi=0.5), tmp_path)


def test_scores_are_read_as_they_were_written(tmp_path) -> None:
    truth = np.zeros((4, 8, 8), np.uint8)
    truth[1:3, 2:6, 2:6], truth[1:3, 6:, 2:6] = 2, 4
    scores = {
        name: score(np.roll(truth, shift, 1), truth, TERRITORIES, (1, 1, 1))
        for shift, name in enumerate("ab")
    }
    write_scores(tmp_path / "scores.csv", scores)
    assert read_scores(tmp_path / "scores.csv") == scores
    text = (tmp_path / "scores.csv").read_text(encoding="utf-8")
    (tmp_path / "scores.csv").write_text(text.replace("1.0", "one", 1), encoding="utf-8")
    with pytest.raises(CowganError, match="damaged"):
        read_scores(tmp_path / "scores.csv")


def no_stop() -> None:
    """Have nothing to stop."""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_stopping_does_not_wait_for_a_network_to_be_trained(folder, tmp_path) -> None:
    text = CONFIG.replace('"bank"', f'"{folder / "bank"}"').replace("steps = 2", "steps = 1000000")
    (tmp_path / "long.toml").write_text(text, encoding="utf-8")
    run = tmp_path / "long" / "2 real" / "repetition_0" / "run"
    process = start("experiment", "segmentation", tmp_path / "long.toml", "--device", "cpu")

    def trains() -> bool:
        status = read_status(run)
        return status is not None and status.step > 5

    wait_until(trains, process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Stopped" in said
    status = read_status(run)
    assert status is not None
    assert status.state == "stopped"
    assert status.step < 1_000_000


@pytest.mark.parametrize("launcher", ["local", pytest.param("slurm", marks=pytest.mark.slow)])
def test_tasks_run_in_other_processes(launcher, tmp_path, monkeypatch) -> None:
    """submitit runs the jobs of a cluster as processes of this computer."""
    submitit = pytest.importorskip("submitit")
    monkeypatch.setattr(submitit, "AutoExecutor", partial(submitit.AutoExecutor, cluster="local"))
    paths = [tmp_path / f"{number}.txt" for number in range(3)]
    tasks = [partial(Path.write_text, path, "done", encoding="utf-8") for path in paths]
    run_tasks(tasks, launcher, 2, tmp_path / "logs", Silent(), no_stop)
    assert all(path.read_text(encoding="utf-8") == "done" for path in paths)
    with pytest.raises(CowganError):
        run_tasks(
            [partial(load, tmp_path / "nowhere.pt")],
            launcher,
            1,
            tmp_path / "logs",
            Silent(),
            no_stop,
        )


class CancelledOnce:
    """Progress that the user cancels as soon as a file is there."""

    def __init__(self, begun: Path) -> None:
        self._begun = begun

    @property
    def cancelled(self) -> bool:
        return self._begun.exists()

    def report(self, done: int, total: int, message: str = "") -> None:
        pass


def wait_for_the_order_to_stop(folder: Path) -> None:
    (folder / "begun").touch()
    while not (folder / "stop").exists():
        time.sleep(0.05)
    (folder / "saved").touch()


@pytest.mark.slow
def test_jobs_of_a_cluster_save_and_end_when_they_are_stopped(tmp_path, monkeypatch) -> None:
    submitit = pytest.importorskip("submitit")
    monkeypatch.setattr(submitit, "AutoExecutor", partial(submitit.AutoExecutor, cluster="local"))
    progress, task = (
        CancelledOnce(tmp_path / "begun"),
        partial(wait_for_the_order_to_stop, tmp_path),
    )
    stop = (tmp_path / "stop").touch
    with pytest.raises(Cancelled):
        run_tasks([task], "slurm", 1, tmp_path / "logs", progress, stop)
    assert (tmp_path / "saved").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("real = [4]", "bank"),
        ('bank = "b"\nreal = [4, 4]', "different numbers"),
        ('bank = "b"\nreal = [4]\nteachers = [5]', "add 5 to real"),
        ('bank = "b"\nseeds = 0', "seeds"),
        ('bank = "b"\nunknown = 1', "unknown"),
        ("bank = 5", "bank"),
        ('bank = "b"\n[training]\nsteps = "a"', "steps"),
        ('bank = "b"\n[training.network]\nchannels = [1]', "levels"),
    ],
)
def test_bad_settings_end_in_one_sentence(text, said, tmp_path, single_sentence) -> None:
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CowganError) as refusal:
        read_experiment(tmp_path / "config.toml")
    assert said in single_sentence(refusal)
