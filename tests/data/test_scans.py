"""Tests of scan discovery: which files are scans, and why others are not."""

import json
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicom_series import write_series

from cowgan.data.case_names import LONGEST_NAME_BYTES, case_name
from cowgan.data.scans import FoundScans, find_label_maps, find_scans, read_case
from cowgan.data.subjects import subject_of
from cowgan.errors import CowganError
from cowgan.volume import default_affine

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 4138\n"
KEY = f"annex/objects/SHA256E-s1000--{'01' * 32}.nii.gz"
links = pytest.mark.skipif(os.name == "nt", reason="links need rights there")


def write_image(path: Path, values: int = 1000) -> None:
    """Write an image of so many different values; of two, it is a mask."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.random.default_rng(values).integers(0, values, (6, 7, 8)).astype(np.int16)
    nib.save(nib.Nifti1Image(data, np.diag([-1, 1, 1, 1.0])), path)


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(found: FoundScans) -> list[str]:
    return [case.name for case in found.cases]


def reasons(found: FoundScans) -> dict[str, str]:
    return {one.place: one.reason for one in found.set_aside}


@pytest.fixture
def bids(tmp_path: Path) -> Path:
    root = tmp_path / "bids"
    for subject in ("01", "02"):
        folder = root / f"sub-{subject}" / "ses-1" / "anat"
        for suffix in ("run-1_angio", "run-2_angio", "T1w"):
            write_image(folder / f"sub-{subject}_ses-1_{suffix}.nii.gz")
    write_image(root / "derivatives" / "n4" / "sub-01" / "sub-01_desc-n4_brain_mask.nii.gz")
    write_image(root / "derivatives" / "masks" / "sub-01_desc-brain_mask.nii.gz", 2)
    (root / "dataset_description.json").write_text(
        '{"Name": "x", "BIDSVersion": "1.9.0"}', encoding="utf-8"
    )
    return root


def test_raw_angiograms_of_a_bids_data_set_are_taken_and_the_rest_is_named(bids):
    found = find_scans([bids])
    assert names(found) == [
        f"sub-{subject}_ses-1_run-{run}_angio" for subject in ("01", "02") for run in (1, 2)
    ]
    excluded = reasons(found)
    assert len(excluded) == 4
    assert excluded["sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz"] == (
        "Its BIDS name ends in _T1w and not in _angio."
    )
    assert "lies in derivatives" in excluded["derivatives/masks/sub-01_desc-brain_mask.nii.gz"]
    assert all(one.may_be_taken for one in found.set_aside)


def test_a_subject_of_a_bids_data_set_is_judged_alike(bids):
    found = find_scans([bids / "sub-01"])
    assert len(found.cases) == 2
    assert list(reasons(found)) == ["ses-1/anat/sub-01_ses-1_T1w.nii.gz"]


def test_a_person_can_name_what_to_take(bids):
    by_pattern = find_scans([bids], take=["*_T1w*"])
    assert len(by_pattern.cases) == 6
    by_place = find_scans([bids], take=["derivatives/n4/*"])
    assert "derivatives_n4_sub-01_desc-n4_brain_mask" in " ".join(names(by_place))
    file = bids / "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz"
    beside_its_folder = find_scans([bids, file])
    assert len(beside_its_folder.cases) == 5
    assert "sub-01_ses-1_T1w" in names(beside_its_folder)
    assert len(reasons(beside_its_folder)) == 3


def test_derivatives_that_are_named_are_judged_by_their_voxels(bids):
    found = find_scans([bids / "derivatives"])
    assert names(found) == ["n4_sub-01_desc-n4_brain_mask"]
    (reason,) = reasons(found).values()
    assert "It is a mask" in reason


def test_a_data_set_of_derivatives_is_taken_only_if_it_is_named(bids):
    folder = bids.parent / "fmriprep"
    write_image(folder / "sub-01_angio.nii.gz")
    description = {"Name": "x", "DatasetType": "derivative"}
    (folder / "dataset_description.json").write_text(json.dumps(description), encoding="utf-8")
    assert len(find_scans([folder]).cases) == 1
    assert "derivatives" in reasons(find_scans([bids.parent]))["fmriprep/sub-01_angio.nii.gz"]


def test_names_of_masks_decide_nothing(tmp_path):
    write_image(tmp_path / "tof_brain_mask.nii.gz")
    write_image(tmp_path / "tof_label.nii.gz", 2)
    found = find_scans([tmp_path])
    assert names(found) == ["tof_brain_mask"]
    assert reasons(found) == {
        "tof_label.nii.gz": "It is a mask: its voxels hold labels and no intensities."
    }


def test_a_mask_of_any_name_is_refused_when_it_is_read_unless_it_is_named(
    tmp_path, single_sentence
):
    write_image(tmp_path / "a.nii.gz", 2)
    (case,) = find_scans([tmp_path]).cases
    with pytest.raises(CowganError) as refusal:
        read_case(case)
    assert "a.nii.gz is a mask" in single_sentence(refusal)
    (named,) = find_scans([tmp_path / "a.nii.gz"]).cases
    assert read_case(named).shape == (8, 6, 7)


@links
def test_links_are_followed_and_loops_end(tmp_path):
    write_image(tmp_path / "store" / "sub-07" / "sub-07_angio.nii.gz")
    study = tmp_path / "study"
    study.mkdir()
    (study / "sub-07").symlink_to("../store/sub-07")
    (study / "loop").symlink_to(".")
    (study / "other").symlink_to("../store/sub-07/sub-07_angio.nii.gz")
    found = find_scans([study])
    assert names(found) == ["sub-07_angio"]
    assert found.cases[0].path == study / "sub-07" / "sub-07_angio.nii.gz"
    assert reasons(found) == {"loop": "The same folder as study, by a link."}
    both = find_scans([tmp_path])
    assert len(both.cases) == 1, "a scan that is reached twice counts once"
    assert "study/sub-07" in reasons(both)


@links
def test_a_link_is_judged_by_its_own_name(tmp_path):
    store = tmp_path / ".git" / KEY
    write_image(store)
    (tmp_path / "sub-01").mkdir()
    link = tmp_path / "sub-01" / "sub-01_angio.nii.gz"
    link.symlink_to(store)
    assert names(find_scans([tmp_path])) == names(find_scans([link])) == ["sub-01_angio"]


@links
def test_broken_links_are_named(tmp_path):
    write_image(tmp_path / "a.nii.gz")
    (tmp_path / "b.nii.gz").symlink_to(f".git/{KEY}")
    (tmp_path / "sub-03").symlink_to("elsewhere")
    assert reasons(find_scans([tmp_path])) == {
        "b.nii.gz": "Not downloaded (the link leads nowhere).",
        "sub-03": "A link that leads nowhere.",
    }


def test_links_that_git_stored_as_text_are_followed_too(tmp_path):
    write_image(tmp_path / "store" / "annex" / "objects" / "key1.nii.gz")
    write_image(tmp_path / "others" / "sub-03" / "sub-03_angio.nii.gz")
    study = tmp_path / "study"
    touch(study / "sub-01" / "sub-01_angio.nii.gz", study / "sub-02" / "sub-02_angio.nii.gz")
    for number in (1, 2):
        link = f"../../store/annex/objects/key{number}.nii.gz"
        (study / f"sub-0{number}" / f"sub-0{number}_angio.nii.gz").write_text(
            link, encoding="utf-8"
        )
    (study / "sub-03").write_text("../others/sub-03", encoding="utf-8")
    (study / "LICENSE").write_text("GPL/MIT", encoding="utf-8")
    found = find_scans([study])
    assert names(found) == ["sub-01_angio", "sub-03_angio"]
    assert read_case(found.cases[0]).shape == (8, 6, 7)
    assert reasons(found) == {
        "sub-02/sub-02_angio.nii.gz": "Not downloaded (the link leads nowhere)."
    }
    assert "annex/objects" in reasons(find_scans([tmp_path / "store"]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (LFS, "pointer of Git LFS"),
        (f"/{KEY}\n".encode(), "pointer of git-annex"),
        (b"<!DOCTYPE html><html><head><title>Virus scan warning</title></head></html>", "web page"),
        (b"", "empty"),
    ],
)
def test_placeholders_of_scans_are_named_as_such(content, said, tmp_path, single_sentence):
    (tmp_path / "a.nii.gz").write_bytes(content)
    (excluded,) = find_scans([tmp_path]).set_aside
    assert said in excluded.reason
    assert not excluded.may_be_taken
    with pytest.raises(CowganError) as refusal:
        find_scans([tmp_path / "a.nii.gz"]).require_cases([tmp_path / "a.nii.gz"])
    assert said in single_sentence(refusal)


@pytest.mark.parametrize("name", ["IM0001", "1.2.840.10008", "a.dcm"])
def test_a_dicom_folder_is_named_with_how_to_convert_it(name, tmp_path, single_sentence):
    folder = tmp_path / "SE0005"
    touch(folder / name, folder / f"{name}.7")
    for path in folder.iterdir():
        path.write_bytes(bytes(128) + b"DICM")
    reason = reasons(find_scans([tmp_path]))["SE0005"]
    assert "2 DICOM files" in reason
    assert "dcm2niix" in reason
    with pytest.raises(CowganError) as refusal:
        find_scans([folder]).require_cases([folder])
    assert "dcm2niix" in single_sentence(refusal)


def head(shape=(12, 20, 24)):
    return np.random.RandomState(0).gamma(2, 50, shape), default_affine(shape)


def test_a_tof_series_is_a_case_and_its_neighbours_are_named(tmp_path):
    study = tmp_path / "sub-01"
    write_series(study / "SE1", *head(), number=1, t0008_0008="ORIGINAL\\PRIMARY\\LOCALIZER")
    write_series(study / "SE2", *head(), number=2, t0008_103e="t1_mprage")
    write_series(study / "SE3", *head(), number=3)
    found = find_scans([tmp_path])
    assert names(found) == ["sub-01_SE3"]
    assert found.cases[0].path == study / "SE3"
    localizer, other = found.set_aside
    assert "a localizer" in localizer.reason
    assert not localizer.may_be_taken
    assert "series 2 “t1_mprage” is not described as TOF" in other.reason
    named = find_scans([tmp_path, Path(other.path)])
    assert sorted(names(named)) == ["sub-01_SE2", "sub-01_SE3"]
    volume = read_case(found.cases[0])
    assert volume.shape == (12, 20, 24)
    assert "read from 12 DICOM files" in volume.remarks[0]


def test_series_that_share_a_folder_are_cases_of_their_own(tmp_path):
    for number, brightness in ((4, 1), (7, 2)):
        data, affine = head()
        write_series(tmp_path / "export", brightness * data, affine, number=number)
    found = find_scans([tmp_path])
    assert names(found) == ["export_series-4", "export_series-7"]
    first, second = (read_case(case).data.max() for case in found.cases)
    assert second == pytest.approx(2 * first, rel=0.01)


def test_a_series_in_several_folders_is_one_case(tmp_path):
    paths = write_series(tmp_path / "scan" / "a", *head())
    (tmp_path / "scan" / "b").mkdir()
    for path in paths[::2]:
        path.rename(tmp_path / "scan" / "b" / path.name)
    found = find_scans([tmp_path])
    assert names(found) == ["scan"]
    assert read_case(found.cases[0]).shape == (12, 20, 24)


def test_the_folder_of_a_series_is_taken_whatever_its_description(tmp_path):
    write_series(tmp_path / "anything", *head(), t0008_103e="head axial")
    for given in (tmp_path / "anything", next((tmp_path / "anything").iterdir())):
        assert names(find_scans([given])) == ["anything"]


def test_dicom_in_the_source_data_of_a_bids_data_set_is_not_taken_unless_named(bids):
    paths = write_series(bids / "sourcedata" / "sub-01" / "tof", *head())
    before = names(find_scans([bids / "sub-01", bids / "sub-02"]))
    found = find_scans([bids])
    assert names(found) == before
    assert "sourcedata" in reasons(found)["sourcedata/sub-01/tof/" + min(p.name for p in paths)]
    assert names(find_scans([paths[0]])) == ["tof"]


def test_a_dicom_series_is_no_label_map(tmp_path, single_sentence):
    write_series(tmp_path / "scan", *head())
    with pytest.raises(CowganError) as refusal:
        find_label_maps([tmp_path])
    assert "dcm2niix" in single_sentence(refusal)


def test_other_formats_are_named(tmp_path):
    touch(*(tmp_path / name for name in ("a.mgz", "b.zip", "c.hdr", "notes.txt", "d.json")))
    assert list(reasons(find_scans([tmp_path]))) == ["a.mgz", "b.zip", "c.hdr"]


def test_cases_are_named_by_their_place_below_the_input(tmp_path):
    for name in ("sub-01/anat/tof.nii.gz", "site/sub-02/anat/sub-02_angio.nii", "plain.NII"):
        write_image(tmp_path / name.replace("NII", "nii"))
    touch(tmp_path / ".hidden/tof.nii.gz", tmp_path / "._plain.nii.gz", tmp_path / "notes.json")
    found = find_scans([tmp_path])
    assert names(found) == ["plain", "site_sub-02_angio", "sub-01_anat_tof"]
    assert all(case.path.is_absolute() for case in found.cases)
    assert not found.set_aside, "hidden files are nobody's scans"


def test_equal_names_never_collide_and_do_not_depend_on_the_computer(tmp_path):
    made = []
    for computer in ("one", "two"):
        root = tmp_path / computer
        for name in ("a/tof.nii", "b/tof.nii", "c/TOF.nii", "d/manifest.nii", "d/x y&z.nii"):
            write_image(root / name)
        made.append(names(find_scans([root / folder for folder in "abcd"])))
    assert made[0] == made[1]
    folded = [name.casefold() for name in made[0]]
    assert len(set(folded)) == 5
    assert "manifest" not in folded
    assert "x_y_z" in folded


def test_long_names_are_shortened_and_keep_the_subject(tmp_path):
    deep = Path(*(f"{letter * 60}" for letter in "äbcd"), "sub-0123", "e" * 60)
    first, second = (case_name(deep / f"{'f' * 120}{number}") for number in (1, 2))
    assert first != second
    assert max(len(name.encode()) for name in (first, second)) <= LONGEST_NAME_BYTES
    assert subject_of(first) == subject_of(second) == "sub-0123"
    assert case_name(first) == first


def test_a_file_named_twice_counts_once(tmp_path):
    write_image(tmp_path / "tof.nii.gz")
    found = find_scans([tmp_path, tmp_path / "tof.nii.gz", tmp_path / "." / "tof.nii.gz"])
    assert len(found.cases) == 1
    assert not found.set_aside


def test_names_stay_when_scans_are_added(tmp_path):
    write_image(tmp_path / "a/tof.nii.gz")
    (before,) = find_scans([tmp_path / "a"]).cases
    write_image(tmp_path / "b/tof.nii.gz")
    after = find_scans([tmp_path / "a", tmp_path / "b"], {str(before.path): before.name}).cases
    assert before in after
    assert len({case.name for case in after}) == 2


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_a_scan_without_any_contrast_is_refused(value, tmp_path, single_sentence):
    nib.save(nib.Nifti1Image(np.full((4, 4, 4), value), np.eye(4)), tmp_path / "scan.nii.gz")
    with pytest.raises(CowganError) as refusal:
        read_case(find_scans([tmp_path]).cases[0])
    assert "scan.nii.gz has the same value" in single_sentence(refusal)


@pytest.mark.parametrize("name", ["missing", "notes.txt", "empty"])
def test_inputs_without_scans_are_refused(name, tmp_path, single_sentence):
    (tmp_path / "notes.txt").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(CowganError) as refusal:
        find_scans([tmp_path / name]).require_cases([tmp_path / name])
    single_sentence(refusal)
