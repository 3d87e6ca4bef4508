"""Tests of the command ``cowgan segment export-nnunet``, by the rules of nnU-Net v2."""

import json

import nibabel as nib
import numpy as np
import pytest
from command_line import cowgan
from training_banks import LabelledTubes, make_bank

from cowgan.simulate import make_anatomy
from cowgan.volume import Volume, default_affine, write_labels, write_nifti

DATASET = "Dataset600_CircleOfWillis"


@pytest.fixture
def folder(tmp_path):
    """Return a folder of images and label maps of four subjects, one of them with two scans."""
    affine = default_affine((32, 128, 128))
    for seed, case in enumerate(
        ("sub-01_run-1", "sub-01_run-2", "sub-02_run-1", "sub-03_run-1", "sub-04_run-1")
    ):
        labels = make_anatomy(seed).labels.astype(np.uint8)
        image = Volume(labels.astype(np.float32) * 10, affine)
        write_nifti(image, tmp_path / "images" / f"{case}.nii.gz")
        write_labels(labels, affine, tmp_path / "labels" / f"{case}_label.nii.gz")
    return tmp_path


def export(folder, *options):
    return cowgan(
        *("segment", "export-nnunet", "--images", folder / "images"),
        *("--labels", folder / "labels", "--scheme", "topcow2024", "--out", folder / "out"),
        *options,
    )


def test_a_dataset_obeys_the_rules_of_nnunet(folder) -> None:
    result = export(folder, "--folds", 2)
    assert result.returncode == 0, result.stderr
    raw = folder / "out" / "nnUNet_raw" / DATASET
    described = json.loads((raw / "dataset.json").read_text(encoding="utf-8"))
    images = sorted(path.name for path in (raw / "imagesTr").glob("*.nii.gz"))
    label_maps = sorted(path.name for path in (raw / "labelsTr").glob("*.nii.gz"))
    assert images == [name.replace(".nii.gz", "_0000.nii.gz") for name in label_maps]
    assert described["numTraining"] == len(images) == 5
    assert described["channel_names"] == {"0": "TOF"}
    assert described["file_ending"] == ".nii.gz"
    assert list(described["labels"].values()) == list(range(14))
    for image, label_map in zip(images, label_maps, strict=True):
        one, other = nib.load(raw / "imagesTr" / image), nib.load(raw / "labelsTr" / label_map)
        assert one.shape == other.shape
        np.testing.assert_array_equal(one.affine, other.affine)
        values = np.array(described["label_values"])
        stored = np.asarray(other.dataobj)
        np.testing.assert_allclose(values[stored] * 10, np.asarray(one.dataobj))


def test_a_subject_is_in_one_fold_only(folder) -> None:
    assert export(folder, "--folds", 4).returncode == 0
    path = folder / "out" / "nnUNet_preprocessed" / DATASET / "splits_final.json"
    splits = json.loads(path.read_text(encoding="utf-8"))
    assert len(splits) == 4
    for fold in splits:
        assert len(fold["train"]) + len(fold["val"]) == 5
        subjects = [{name.split("_")[0] for name in fold[part]} for part in ("train", "val")]
        assert not subjects[0] & subjects[1]
        assert len(subjects[1]) == 1
    assert sorted(name for fold in splits for name in fold["val"]) == sorted(
        {name for fold in splits for name in fold["train"]}
    )


def test_a_bank_is_exported_without_its_holdout(tmp_path) -> None:
    bank = make_bank(tmp_path / "bank", 8, 0.25, LabelledTubes)
    result = cowgan(
        *("segment", "export-nnunet", "--bank", bank.path, "--out", tmp_path / "out"),
        *("--folds", 2, "--number", 7, "--name", "Tubes"),
    )
    assert result.returncode == 0, result.stderr
    raw = tmp_path / "out" / "nnUNet_raw" / "Dataset007_Tubes"
    described = json.loads((raw / "dataset.json").read_text(encoding="utf-8"))
    assert described["labels"] == {
        "background": 0,
        "posterior": 1,
        "anterior": 2,
        "left": 3,
        "right": 4,
    }
    assert described["numTraining"] == len(bank.training) == 6
    again = cowgan("segment", "export-nnunet", "--bank", bank.path, "--out", tmp_path / "out",
                   "--folds", 2, "--number", 7, "--name", "Tubes")  # fmt: skip
    assert again.returncode == 2
    assert "exists already" in again.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("--folds", 5), "at least 5 subjects"),
        (("--number", 0), "number from 1 to 999"),
        (("--name", "a b"), "name of letters"),
        (("--folds", 2, "--scheme", "territories"), "is not one of"),
        (("--bank", "nowhere"), "--bank"),
    ],
)
def test_bad_requests_end_in_one_sentence_and_leave_nothing(folder, change, said) -> None:
    result = export(folder, *change)
    assert result.returncode == 2
    lines = [line for line in result.stderr.splitlines() if line and "Writing" not in line]
    assert len(lines) == 1
    assert said in lines[0]
    assert not (folder / "out" / "nnUNet_raw" / DATASET).exists()
