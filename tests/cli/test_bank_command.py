"""Tests of the commands ``build-bank``, ``simulate-bank`` and ``check-bank``."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command_line import cowgan
from training_banks import LabelledTubes, make_bank

from cowgan.bank.bank import Bank
from cowgan.bank.description import LABELS_FILE, VOXELS_FILE
from cowgan.simulate import make_anatomy
from cowgan.volume import Volume, default_affine, write_labels, write_nifti

SHAPE = (4, 6, 5)


def is_bar(line: str) -> bool:
    # The bar itself pulses, and may be blank at the moment it is left standing.
    return line.startswith(("Building", "Simulating", "Checking"))


def assert_refused(said: str, *arguments: object) -> None:
    result = cowgan(*arguments)
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    lines = [line for line in result.stderr.splitlines() if line.strip() and not is_bar(line)]
    assert len(lines) == 1, result.stderr
    assert said in lines[0]
    assert lines[0].endswith(".")


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    for i in range(10):
        data = np.random.default_rng(i).random(SHAPE, np.float32) * 900
        write_nifti(
            Volume(data, default_affine(SHAPE)), folder / f"sub-{i // 2}_run-{i % 2}.nii.gz"
        )
    return folder


def test_a_folder_of_scans_becomes_a_bank(scans, tmp_path):
    result = cowgan(
        "build-bank", scans, "--scaling", "robust", "--out", tmp_path / "bank", "--json"
    )
    assert result.returncode == 0, result.stderr
    output = json.loads(result.stdout)
    bank = Bank.open(tmp_path / "bank")
    assert output["sha256"] == bank.sha256
    assert output["shape"] == [10, *SHAPE]
    assert output["label_scheme"] is None
    assert output["training"] == {"volumes": 8, "subjects": 4}
    assert output["holdout"] == {"volumes": 2, "subjects": 1}


def test_options_reach_the_bank(scans, tmp_path):
    table = tmp_path / "split.csv"
    rows = [f"sub-{i // 2}_run-{i % 2},P{i},{'holdout' if i > 6 else ''}" for i in range(10)]
    table.write_text("case,subject,split\n" + "\n".join(rows), encoding="utf-8")
    result = cowgan(
        "build-bank", scans, "--scaling", "minmax", "--out", tmp_path / "bank", "--dtype", "uint16",
        "--split", table, "--holdout", "0.2", "--jobs", "2",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    bank = Bank.open(tmp_path / "bank")
    assert bank.description.voxel_type == "uint16"
    assert bank.holdout.tolist() == [7, 8, 9]
    assert bank.cases[0].subject == "P0"
    assert bank.description.origin["scaling"] == "minmax"
    assert "7 volumes of 7 subjects" in result.stdout


def test_impossible_requests_are_reported_in_one_sentence(scans, tmp_path):
    bank = tmp_path / "bank"
    assert_refused("choose a scaling", "build-bank", scans, "--out", bank)
    assert_refused("does not exist", "build-bank", tmp_path / "no", "--out", bank)
    assert_refused("below 1", "build-bank", scans, "--out", bank, "--holdout", "1.5")
    assert_refused("Give either", "simulate-bank", "--out", bank)
    assert_refused("Give either", "simulate-bank", scans, "--phantoms", 2, "--out", bank)
    assert_refused(
        "phantoms are centred",
        *("simulate-bank", "--phantoms", 2, "--max-off-centre-mm", 5, "--out", bank),
    )
    assert_refused("not a label map", "simulate-bank", scans, "--out", bank)
    assert_refused("not a training bank", "check-bank", scans)
    assert not bank.exists()
    (bank / "notes").mkdir(parents=True)
    assert_refused("not part of a bank", "simulate-bank", "--phantoms", 1, "--out", bank)


def test_phantoms_become_a_bank_that_can_be_checked(tmp_path):
    bank = tmp_path / "bank"
    made = cowgan("simulate-bank", "--phantoms", 2, "--seed", 40, "--out", bank, "--jobs", 1)
    assert made.returncode == 0, made.stderr
    opened = Bank.open(bank)
    assert [case.name for case in opened.cases] == ["phantom-000040", "phantom-000041"]
    assert opened.shape == (32, 128, 128)
    assert "Labels     topcow2024" in made.stdout
    checked = cowgan("check-bank", bank, "--json")
    assert checked.returncode == 0, checked.stderr
    summary = json.loads(checked.stdout)
    assert summary["sha256"] == opened.sha256
    assert summary["label_scheme"] == "topcow2024"


@pytest.mark.parametrize("file", [VOXELS_FILE, LABELS_FILE])
def test_a_changed_volume_or_label_map_is_found(tmp_path, file):
    make_bank(tmp_path / "bank", 2, kind=LabelledTubes)
    path = tmp_path / "bank" / file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert_refused("sub-01", "check-bank", tmp_path / "bank")


def test_anatomies_become_a_bank(tmp_path):
    shape = (32, 128, 128)
    for seed in (1, 2):
        labels = np.roll(make_anatomy(seed).labels, 20 * (seed - 1), axis=1)
        write_labels(labels, default_affine(shape), tmp_path / "maps" / f"sub-{seed}.nii.gz")
    result = cowgan(
        "simulate-bank", tmp_path / "maps", "--per-anatomy", 2, "--deform", "--out",
        tmp_path / "bank", "--max-off-centre-mm", 8, "--jobs", 2,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "left out 1 off-centre: sub-2" in result.stderr
    bank = Bank.open(tmp_path / "bank")
    assert [(case.name, case.copy) for case in bank.cases] == [("sub-1", 0), ("sub-1", 1)]
    assert bank.description.origin["left_out"]["anatomies"] == ["sub-2"]
    assert bank.description.origin["deformation"]["turn_deg"] == 6
    assert "deformation" in bank.cases[0].provenance
    assert "Labels     topcow2024" in result.stdout
    first, second = bank.read_labels([0, 1])
    assert np.unique(first).tolist() == np.unique(second).tolist()
    assert (first != second).any(), "labels are deformed with their volume"


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_leaves_nothing(tmp_path):
    bank = tmp_path / "out" / "bank"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "cowgan.cli", "simulate-bank"),
            *("--phantoms", "500", "--out", str(bank), "--jobs", "2"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    waited_until = time.monotonic() + 60
    while not list(tmp_path.rglob(VOXELS_FILE)) and time.monotonic() < waited_until:
        time.sleep(0.1)
    # Like a terminal, to the whole group of processes.
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert "Stopped; no bank was written." in error
    assert "Traceback" not in error
    assert list((tmp_path / "out").iterdir()) == []
