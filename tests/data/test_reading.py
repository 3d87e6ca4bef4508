"""Scans among files and folders, and what to call them."""

import nibabel as nib
import numpy as np
import pytest

from cowgan.data.reading import find_cases, read_scan
from cowgan.errors import CowganError


def _touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_cases_are_named_by_their_place_below_the_input(tmp_path):
    _touch(
        tmp_path / "sub-01/anat/tof.nii.gz",
        tmp_path / "sub-02/anat/tof.nii.gz",
        tmp_path / "plain.MHA",
        tmp_path / ".hidden/tof.nii.gz",
        tmp_path / "._plain.nii.gz",
        tmp_path / "notes.json",
    )
    cases = find_cases([tmp_path])
    assert [case.name for case in cases] == ["plain", "sub-01_anat_tof", "sub-02_anat_tof"]
    assert all(case.path.is_absolute() for case in cases)


def test_equal_names_never_collide(tmp_path):
    _touch(
        tmp_path / "a/tof.nii.gz",
        tmp_path / "b/tof.nii.gz",
        tmp_path / "c/TOF.nrrd",
        tmp_path / "d/manifest.nii",
        tmp_path / "d/x y&z.nii",
    )
    cases = find_cases([tmp_path / name for name in "abcd"])
    names = [case.name.casefold() for case in cases]
    assert len(set(names)) == 5
    assert "manifest" not in names
    assert "x_y_z" in names
    assert find_cases([tmp_path / name for name in "abcd"]) == cases


def test_a_file_named_twice_counts_once(tmp_path):
    _touch(tmp_path / "tof.nii.gz")
    cases = find_cases([tmp_path, tmp_path / "tof.nii.gz", tmp_path / "." / "tof.nii.gz"])
    assert len(cases) == 1


def test_names_stay_when_scans_are_added(tmp_path):
    _touch(tmp_path / "a/tof.nii.gz")
    (before,) = find_cases([tmp_path / "a"])
    _touch(tmp_path / "b/tof.nii.gz")
    after = find_cases([tmp_path / "a", tmp_path / "b"], {str(before.path): before.name})
    assert before in after
    assert len({case.name for case in after}) == 2


@pytest.mark.parametrize("name", ["missing", "notes.txt", "empty"])
def test_inputs_without_scans_are_refused(name, tmp_path, single_sentence):
    (tmp_path / "notes.txt").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(CowganError) as refusal:
        find_cases([tmp_path / name])
    single_sentence(refusal)


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_a_scan_without_any_contrast_is_refused(value, tmp_path, single_sentence):
    nib.save(nib.Nifti1Image(np.full((4, 4, 4), value), np.diag([9, 9, 9, 1])), tmp_path / "a.nii")
    with pytest.raises(CowganError) as refusal:
        read_scan(tmp_path / "a.nii")
    assert "same value" in single_sentence(refusal)
