"""Tests of the commands ``cowgan preprocess`` and ``cowgan template``."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from command_line import cowgan

from cowgan.simulate import make_phantom
from cowgan.volume import Volume, write_nifti

pytest.importorskip("SimpleITK")
pytestmark = pytest.mark.usefixtures("few_samples")


def assert_one_sentence(result: subprocess.CompletedProcess[str]) -> None:
    assert result.returncode == 2, result.stderr
    lines = [
        line
        for line in result.stderr.splitlines()
        if not line.startswith(("Preprocessing", "Template"))
    ]
    assert len(lines) == 1
    assert lines[0].endswith(".")
    assert "Traceback" not in result.stderr


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    """Return a folder with a phantom, a shifted copy of it, and a damaged file."""
    folder = tmp_path_factory.mktemp("scans")
    phantom, _, _ = make_phantom(0)
    room = Volume(np.pad(phantom.data, 16, mode="reflect"), phantom.affine)
    write_nifti(room, folder / "one.nii.gz")
    shifted = room.affine.copy()
    shifted[:3, 3] += [4, -3, 2]
    write_nifti(Volume(room.data, shifted), folder / "two.nii.gz")
    (folder / "damaged.nii.gz").write_bytes(b"no image")
    return folder


@pytest.fixture(scope="module")
def template(scans, few_samples, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.nii.gz"
    result = cowgan("template", scans, "--out", path, "--jobs", 1, "--rounds", 1)
    assert result.returncode == 0, result.stderr
    assert "from 2 scans" in result.stdout
    assert "damaged left out" in result.stderr
    return path


def test_scans_become_volumes_with_a_page_to_look_at(scans, template, tmp_path):
    out = tmp_path / "out"
    arguments = ("preprocess", scans, "--template", template, "--out", out, "--jobs", 1)
    result = cowgan(*arguments, "--roi", "0,0,0", "--skull-strip", "none")
    assert result.returncode == 0, result.stderr
    assert "2 of 3 volumes" in result.stdout
    assert "damaged failed: damaged.nii.gz" in result.stderr
    assert "without skull stripping" in result.stderr
    assert {path.name for path in out.iterdir()} == {
        "one.nii.gz",
        "one.json",
        "two.nii.gz",
        "two.json",
        "manifest.json",
        "manifest.csv",
        "failed.csv",
        "quality.html",
        "quality.png",
        "quality",
    }
    again = cowgan(*arguments, "--roi", "0,0,0", "--skull-strip", "none", "--json")
    content = json.loads(again.stdout)
    assert content["kept"] == 2
    assert [case["status"] for case in content["cases"]] == ["failed", "done", "done"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--roi", "middle"),
        ("--roi", "1,2"),
        ("--roi", "paper"),
        ("--template", "missing.nii.gz"),
    ],
    ids=str,
)
def test_bad_arguments_are_reported_in_one_sentence(scans, tmp_path, arguments):
    result = cowgan("preprocess", scans, "--out", tmp_path / "out", *arguments)
    assert_one_sentence(result)
    assert not (tmp_path / "out").exists()


def test_missing_scans_and_the_input_folder_as_output_are_reported_in_one_sentence(scans, tmp_path):
    assert_one_sentence(cowgan("preprocess", tmp_path, "--out", tmp_path / "o", "--roi", "auto"))
    assert_one_sentence(cowgan("preprocess", scans, "--out", scans / "o", "--roi", "auto"))


def test_an_existing_template_is_not_replaced(scans, template):
    assert_one_sentence(cowgan("template", scans, "--out", template))


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_ctrl_c_ends_cleanly_and_keeps_finished_cases(scans, tmp_path):
    for number in range(30):
        (tmp_path / "many").mkdir(exist_ok=True)
        (tmp_path / "many" / f"{number:02}.nii.gz").write_bytes((scans / "one.nii.gz").read_bytes())
    out = tmp_path / "out"
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "cowgan.cli",
            "preprocess",
            tmp_path / "many",
            "--out",
            out,
            "--roi",
            "auto",
            "--jobs",
            "2",
        ],
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    end = time.monotonic() + 120
    while len(list(out.glob("[!.]*.nii.gz"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    # As a terminal does it: to the whole group.
    os.killpg(process.pid, signal.SIGINT)
    _, message = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "what was finished is kept" in message
    assert "Traceback" not in message
    listed = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["cases"]
    written = {path.name for path in out.glob("[!.]*.nii.gz")}
    assert 2 <= len(written) < 30
    assert {case["output"] for case in listed} == written


def test_lengths_in_the_wrong_unit_exit_with_2_and_a_remedy(tmp_path):
    phantom, _, _ = make_phantom(0)
    image = nib.Nifti1Image(phantom.data.transpose(1, 2, 0), phantom.affine)
    image.header.set_xyzt_units("meter")
    nib.save(image, tmp_path / "tof.nii.gz")
    options = (tmp_path / "tof.nii.gz", "--out", tmp_path / "out", "--roi", "auto", "--jobs", 1)
    refused = cowgan("preprocess", *options)
    assert refused.returncode == 2
    assert "are the units millimetres? If so, open it with --units mm" in refused.stderr
    result = cowgan("preprocess", *options, "--units", "mm")
    assert result.returncode == 0, result.stderr
    assert "The file states metres; millimetres were used, as asked." in result.stderr
