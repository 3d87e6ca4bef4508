"""Tests of the command ``cowgan scans``."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from typer.testing import CliRunner

from cowgan.cli.app import app
from cowgan.errors import CowganError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = np.random.default_rng(0).integers(0, 900, (6, 7, 8)).astype(np.int16)
    anat = tmp_path / "sub-1" / "anat"
    anat.mkdir(parents=True)
    for suffix in ("angio", "T1w"):
        nib.save(nib.Nifti1Image(data, np.diag([9, 9, 9, 1])), anat / f"sub-1_{suffix}.nii.gz")
    (tmp_path / "sub-2_angio.nii.gz").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    return tmp_path


def run(*arguments: object):
    return CliRunner().invoke(app, ["scans", *map(str, arguments)])


def test_scans_and_excluded_files_are_listed_with_reasons(folder):
    lines = run(folder).stdout.splitlines()
    path = folder / "sub-1" / "anat" / "sub-1_angio.nii.gz"
    assert lines[0] == f"sub-1_angio  {path}"
    assert lines[1] == (
        "Set aside: sub-1/anat/sub-1_T1w.nii.gz: Its BIDS name ends in _T1w and not in _angio."
    )
    assert "pointer of Git LFS" in lines[2]
    assert lines[3] == "1 scan, 2 set aside; nothing was changed."


def test_the_list_can_be_printed_as_json(folder):
    content = json.loads(run(folder, "--json", "--take", "*_T1w*").stdout)
    assert [case["name"] for case in content["cases"]] == ["sub-1_T1w", "sub-1_angio"]
    (aside,) = content["set_aside"]
    assert aside["place"] == "sub-2_angio.nii.gz"
    assert aside["may_be_taken"] is False


def test_a_folder_without_scans_ends_with_the_reason(folder):
    result = run(folder / "sub-2_angio.nii.gz")
    assert isinstance(result.exception, CowganError)
    assert "pointer of Git LFS" in result.exception.sentence
