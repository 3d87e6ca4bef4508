"""Tests of brain masks, with substitutes for the external programs."""

import sys
from pathlib import Path

import numpy as np
import pytest

from cowgan.data.skull_strip import brain_mask, find_tool
from cowgan.errors import CowganError
from cowgan.volume import Volume, default_affine

_SYNTHSTRIP = """
import argparse, nibabel as nib, numpy as np
p = argparse.ArgumentParser(); p.add_argument("-i"); p.add_argument("-m"); a = p.parse_args()
image = nib.load(a.i)
nib.save(nib.Nifti1Image((np.asarray(image.dataobj) > 0.5).astype("u1"), image.affine), a.m)
"""
_HD_BET = """
import argparse, nibabel as nib, numpy as np
p = argparse.ArgumentParser()
for option in ("-i", "-o", "-device"):
    p.add_argument(option)
for flag in ("--disable_tta", "--save_bet_mask", "--no_bet_image"):
    p.add_argument(flag, action="store_true")
a = p.parse_args(); assert a.save_bet_mask
image = nib.load(a.i)
mask = nib.Nifti1Image((np.asarray(image.dataobj) > 0.5).astype("u1"), image.affine)
nib.save(mask.as_reoriented(nib.orientations.axcodes2ornt("RSP")), a.o[:-7] + "_bet.nii.gz")
"""
_BROKEN = "raise SystemExit(3)"
_EMPTY = _SYNTHSTRIP.replace("> 0.5", "> 99")


def install(folder: Path, name: str, code: str) -> None:
    program = folder / name
    program.write_text(f"#!{sys.executable}\n{code}", encoding="utf-8")
    program.chmod(0o755)


@pytest.fixture
def path(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def volume() -> Volume:
    data = np.random.default_rng(0).random((6, 8, 10), dtype=np.float32)
    return Volume(data, default_affine((6, 8, 10)))


def test_without_a_program_there_is_no_mask(path):
    assert find_tool("auto") is None
    assert find_tool("none") is None


@pytest.mark.parametrize("choice", ["synthstrip", "hd-bet"])
def test_a_wanted_program_that_is_missing_is_named(path, choice, single_sentence):
    with pytest.raises(CowganError) as refusal:
        find_tool(choice)
    assert choice in single_sentence(refusal)


@pytest.mark.skipif(sys.platform == "win32", reason="stand-in programs are scripts")
@pytest.mark.parametrize(
    ("name", "program", "code"),
    [("synthstrip", "mri_synthstrip", _SYNTHSTRIP), ("hd-bet", "hd-bet", _HD_BET)],
)
def test_the_mask_is_on_the_grid_of_the_scan(path, volume, name, program, code):
    install(path, program, code)
    tool = find_tool("auto")
    assert tool is not None
    assert tool.name == name
    np.testing.assert_array_equal(brain_mask(volume, tool), volume.data > 0.5)


@pytest.mark.skipif(sys.platform == "win32", reason="stand-in programs are scripts")
@pytest.mark.parametrize("code", [_BROKEN, _EMPTY], ids=["broken", "empty"])
def test_a_program_that_fails_is_reported_in_one_sentence(path, volume, code, single_sentence):
    install(path, "mri_synthstrip", code)
    tool = find_tool("synthstrip")
    assert tool is not None
    with pytest.raises(CowganError) as refusal:
        brain_mask(volume, tool)
    assert "synthstrip" in single_sentence(refusal)
