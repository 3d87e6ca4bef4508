"""Tests of training sets that grow by single cases."""

from pathlib import Path

import numpy as np
import pytest

from cowgan.anatomy.label_schemes import TERRITORIES, TOPCOW_2024
from cowgan.errors import CowganError
from cowgan.segmentation.labelled_cases import read_folders
from cowgan.segmentation.training_set import TrainingSet, add_case, open_training_set
from cowgan.volume import Volume, default_affine, write_labels

SHAPE = (6, 8, 10)


def case(value: int = 4) -> tuple[Volume, np.ndarray]:
    image = np.random.default_rng(value).random(SHAPE, np.float32)
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:4, 3:5, 1:9] = value
    return Volume(image, default_affine(SHAPE)), labels


def add(folder: Path, name: str, scheme=TERRITORIES, value: int = 4, **options) -> TrainingSet:
    volume, labels = case(value)
    provenance = {"labels": scheme.name}
    return add_case(folder, name, volume, labels, scheme, volume.affine, provenance, **options)


def test_cases_that_were_added_are_what_training_reads(tmp_path):
    folder = tmp_path / "set"
    assert len(open_training_set(folder)) == 0
    assert len(add(folder, "sub-01_angio")) == 1
    found = add(folder, "a scan (seed 3)", value=5)
    assert len(found) == 2
    assert found.scheme is TERRITORIES
    assert "SUB-01_angio" in found
    cases = read_folders(folder / "images", folder / "labels", TERRITORIES)
    assert {one.name: one.present for one in cases.cases} == {
        "sub-01_angio": {4},
        "a_scan_seed_3_": {5},
    }


def test_a_case_is_replaced_only_if_asked_for(tmp_path, single_sentence):
    add(tmp_path, "one")
    with pytest.raises(CowganError, match="holds a case One already") as refusal:
        add(tmp_path, "One", value=5)
    single_sentence(refusal)
    assert len(add(tmp_path, "one", value=5, replace=True)) == 1
    (found,) = read_folders(tmp_path / "images", tmp_path / "labels", TERRITORIES).cases
    assert found.present == {5}


def test_other_schemes_are_refused(tmp_path, single_sentence):
    add(tmp_path, "one")
    with pytest.raises(CowganError, match="has labels of territories, and this label map") as no:
        add(tmp_path, "two", TOPCOW_2024)
    single_sentence(no)
    assert len(open_training_set(tmp_path)) == 1


def test_label_maps_without_a_stated_scheme_are_looked_into(tmp_path, single_sentence):
    add(tmp_path, "one", TOPCOW_2024, value=9)
    next((tmp_path / "labels").glob("*.json")).unlink()
    assert open_training_set(tmp_path).scheme is None
    with pytest.raises(CowganError, match=r"one\.nii\.gz: The label 9 is not one") as refusal:
        add(tmp_path, "two")
    single_sentence(refusal)
    assert len(add(tmp_path, "two", TOPCOW_2024, value=10)) == 2


def test_a_mixture_of_schemes_is_named(tmp_path, single_sentence):
    add(tmp_path, "one")
    add(tmp_path / "other", "two", TOPCOW_2024)
    for file in (tmp_path / "other").rglob("two.*"):
        file.rename(tmp_path / file.parent.name / file.name)
    with pytest.raises(CowganError, match="different label schemes: TopCoW 2024 and terr") as no:
        open_training_set(tmp_path)
    single_sentence(no)


def test_what_cannot_be_learned_from_is_refused(tmp_path, single_sentence):
    volume, labels = case()
    elsewhere = volume.affine + np.eye(4)
    for wrong, affine, words in (
        (np.zeros_like(labels), volume.affine, "label map is empty"),
        (labels, elsewhere, "one grid"),
        (labels[:-1], volume.affine, "one grid"),
        (np.where(labels, 77, labels), volume.affine, "label 77 is not one of territories"),
    ):
        with pytest.raises(CowganError, match=words) as refusal:
            add_case(tmp_path, "one", volume, wrong, TERRITORIES, affine, {})
        single_sentence(refusal)
    assert not (tmp_path / "labels").exists()


def test_an_image_without_a_label_map_is_named(tmp_path):
    add(tmp_path, "one")
    (tmp_path / "labels" / "one.nii.gz").unlink()
    volume, labels = case()
    write_labels(labels, volume.affine, tmp_path / "labels" / "two.nii.gz")
    with pytest.raises(CowganError, match="no label map for one"):
        open_training_set(tmp_path)
