"""Runs of several processes, which equal those of one."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from training_banks import TINY, TINY_SETTINGS, cowgan, finish, make_bank, start, tensors

from cowgan.bank.bank import Bank
from cowgan.errors import CowganError
from cowgan.training.distributed import join_processes
from cowgan.training.remote_control import read_status
from cowgan.training.run_state import read_description

PASSES = ("--batch", "2", "--accumulate", "4")
STEPS = 10
"""Enough for a path length that is compared with the mean of earlier ones, in the ninth step."""


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> Bank:
    return make_bank(tmp_path_factory.mktemp("bank") / "bank")


def start_arguments(bank: Bank, run: Path, *more: object) -> tuple[object, ...]:
    return ("train", "--bank", bank.path, "--out", run, *TINY, *PASSES, *more)


def assert_equal_weights(first: Path, second: Path) -> None:
    one, other = (tensors(run / "state.safetensors") for run in (first, second))
    assert one.keys() == other.keys()
    for name in one:
        if "_adam/" not in name:
            np.testing.assert_allclose(one[name], other[name], rtol=1e-6, atol=1e-6, err_msg=name)


@pytest.fixture(scope="module")
def single_process_run(bank: Bank, tmp_path_factory) -> Path:
    """Return a run of one process."""
    run = tmp_path_factory.mktemp("single_process_run") / "run"
    assert finish(*start_arguments(bank, run, "--steps", 2)).returncode == 0
    return run


@pytest.mark.parametrize("preset", ["modern", pytest.param("projected", marks=pytest.mark.slow)])
def test_two_processes_train_the_weights_that_one_trains(
    preset: str, bank: Bank, tmp_path: Path
) -> None:
    runs = []
    settings = tmp_path / "settings.toml"
    # After a linear start some gradients are nothing but rounding, to which Adam gives full steps,
    # and so are differences between large errors of moments and textures.
    settings.write_text(
        TINY_SETTINGS.read_text(encoding="utf-8")
        + 'start = "published"\nanchor_weight = 0.0\npaired = 0\n'
        + "moment_weight = 0.0\ntexture_weight = 0.0\n",
        encoding="utf-8",
    )
    for devices in (1, 2):
        runs.append(tmp_path / f"{devices}")
        arguments = start_arguments(bank, runs[-1], "--preset", preset, "--steps", STEPS)
        arguments = (*arguments, "--config", settings)
        result = finish(*arguments, "--devices", devices)
        assert result.returncode == 0, result.stderr
        assert result.stdout == f"The run in {runs[-1]} is complete.\n", "one process speaks"
    assert_equal_weights(*runs)
    logs = []
    for run in runs:
        with (run / "log.csv").open(newline="", encoding="utf-8") as file:
            logs.append(list(csv.DictReader(file)))
    assert len(logs[0]) == len(logs[1]) == STEPS
    measured = ("seconds", "images_per_s", "peak_memory_mb")
    for one, other in zip(*logs, strict=True):
        for name in one.keys() - measured:
            assert (one[name] == other[name] == "") or float(one[name]) == pytest.approx(
                float(other[name]), abs=1e-5
            )


@pytest.mark.slow
def test_a_run_resumes_with_another_number_of_processes(
    bank: Bank, single_process_run: Path, tmp_path: Path
) -> None:
    whole, run = tmp_path / "whole", tmp_path / "run"
    shutil.copytree(single_process_run, whole)
    shutil.copytree(single_process_run, run)
    for folder, steps, devices in ((run, 4, 2), (run, 6, 1), (whole, 6, 1)):
        arguments = ("train", "--resume", folder, "--device", "cpu", "--steps", steps)
        result = finish(*arguments, "--devices", devices)
        assert result.returncode == 0, result.stderr
    assert_equal_weights(whole, run)


@pytest.mark.slow
def test_processes_that_torchrun_has_started_are_joined(
    bank: Bank, single_process_run: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    arguments = cowgan(*start_arguments(bank, run, "--steps", 2, "--devices", 2))[1:]
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    result = subprocess.run(
        [sys.executable, *launcher, *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
    )
    assert result.returncode == 0, result.stderr
    assert_equal_weights(single_process_run, run)


@pytest.mark.slow
def test_processes_that_slurm_has_started_are_joined(
    bank: Bank, single_process_run: Path, tmp_path: Path
) -> None:
    """Two tasks on one node, in the environment of srun."""
    run = tmp_path / "run"
    shared = {
        "OMP_NUM_THREADS": "1",
        "SLURM_JOB_ID": str(20_000 + os.getpid() % 9_000),
        "SLURM_JOB_NAME": "training",
        "SLURM_NNODES": "1",
        "SLURM_NODEID": "0",
        "SLURM_NODELIST": "127.0.0.1",
        "SLURM_NTASKS": "2",
        "SLURM_NTASKS_PER_NODE": "2",
        "SLURM_STEP_NUM_TASKS": "2",
    }
    tasks = [
        subprocess.Popen(
            cowgan(*start_arguments(bank, run, "--steps", 2, "--devices", 2)),
            env={**os.environ, **shared, "SLURM_PROCID": rank, "SLURM_LOCALID": rank},
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        for rank in ("0", "1")
    ]
    for task in tasks:
        assert task.wait(240) == 0, task.stderr.read()
    assert_equal_weights(single_process_run, run)


@pytest.mark.slow
def test_ctrl_c_stops_all_and_saves(bank: Bank, tmp_path: Path) -> None:
    process = start(*start_arguments(bank, tmp_path / "run", "--steps", 100_000, "--devices", 2))
    family = wait_for_steps(process, tmp_path / "run")
    for member in family:
        member.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.rstrip().endswith("Stopped; what was finished is kept.")
    assert read_status(tmp_path / "run").state == "stopped"
    assert read_description(tmp_path / "run").counters.step >= 2
    assert_ended(family)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_the_death_of_one_ends_all(bank: Bank, tmp_path: Path, victim: int) -> None:
    process = start(*start_arguments(bank, tmp_path / "run", "--steps", 100_000, "--devices", 2))
    family = wait_for_steps(process, tmp_path / "run")
    family[victim].kill()
    _, error = process.communicate(timeout=60)
    assert "Traceback" not in error
    assert_ended(family)
    if victim == 1:
        assert process.returncode == 2
        assert "ended unexpectedly" in error.rstrip().splitlines()[-1]
        assert read_status(tmp_path / "run").state == "failed"


def test_the_failure_of_one_is_reported_by_the_leader(bank: Bank, tmp_path: Path) -> None:
    """The other process cannot read the bank, the leader can."""
    code = f"""
import os, sys
from cowgan.errors import CowganError
from cowgan.training.bank_subset import BankSubset
if os.environ.get("LOCAL_RANK", "0") == "1":
    def read(self, indices):
        raise CowganError("This disk is broken.", "unplugged")
    BankSubset.read = read
sys.argv[1:] = {[str(one) for one in start_arguments(bank, tmp_path / "run", "--devices", 2)]!r}
from cowgan.cli import main
main()
"""
    script = tmp_path / "script.py"
    script.write_text(code, encoding="utf-8")
    result = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
    )
    assert result.returncode == 2
    assert result.stderr.count("This disk is broken.") == 1
    assert "Traceback" not in result.stderr
    status = read_status(tmp_path / "run")
    assert (status.state, status.sentence) == ("failed", "This disk is broken.")


def wait_for_steps(process: subprocess.Popen[str], run: Path) -> list[psutil.Process]:
    """Return a run's processes, the leader first, once it has done some steps."""
    until = time.monotonic() + 60
    while (status := read_status(run)) is None or status.step < 2:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.1)
    leader = psutil.Process(process.pid)
    family = [leader, *leader.children()]
    assert len(family) == 2
    return family


def assert_ended(family: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(family, timeout=20)
    for member in alive:
        member.kill()
    assert alive == []


def test_passes_that_cannot_be_shared_are_refused(bank: Bank, tmp_path: Path) -> None:
    result = finish(*start_arguments(bank, tmp_path / "run", "--accumulate", 3, "--devices", 2))
    assert result.returncode == 2
    assert "multiple of 2" in result.stderr.rstrip().splitlines()[-1]


def test_a_single_device_needs_no_fabric(monkeypatch, single_sentence) -> None:
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    with join_processes(1, 1, "cpu") as processes:
        assert processes.is_leader
        assert processes.count == 1
    with pytest.raises(CowganError) as refusal, join_processes(2, 1, "cpu"):
        pass
    assert "napari-cowgan[train]" in str(refusal.value)


def test_unrequested_processes_are_refused(monkeypatch, single_sentence) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(CowganError) as refusal, join_processes(1, 1, "cpu"):
        pass
    assert "--devices" in single_sentence(refusal)
