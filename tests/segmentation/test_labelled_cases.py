"""Tests of the reading of images with label maps."""

import numpy as np
import pytest
from segmentation_cases import LEFT, tubes

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.errors import CowganError
from cowgan.measure.overlap import dice
from cowgan.segmentation.labelled_cases import read_folders
from cowgan.volume import DEFAULT_SPACING_MM, Volume, default_affine, write_labels, write_nifti


def write_pair(
    folder, case, seed=0, image_name="{}", label_name="{}", spacing_mm=DEFAULT_SPACING_MM
):
    image, labels = tubes(seed)
    affine = default_affine(image.shape, spacing_mm)
    for name in ("images", "labels"):
        (folder / name).mkdir(exist_ok=True)
    write_nifti(
        Volume(100 * image.astype(np.float32), affine),
        folder / "images" / f"{image_name.format(case)}.nii.gz",
    )
    write_labels(labels, affine, folder / "labels" / f"{label_name.format(case)}.nii.gz")
    return image, labels


@pytest.mark.parametrize(
    "names", [("{}", "{}"), ("{}_0000", "{}"), ("{}", "{}_label"), ("{}", "{}_dseg")]
)
def test_pairs_are_found_by_name(tmp_path, names) -> None:
    for seed, case in enumerate(("IXI002-a", "IXI012-b")):
        write_pair(tmp_path, case, seed, *names)
    found = read_folders(tmp_path / "images", tmp_path / "labels", TERRITORIES)
    assert [case.subject for case in found.cases] == ["IXI002", "IXI012"]
    for seed, case in enumerate(found.cases):
        assert np.array_equal(case.labels, tubes(seed)[1])
        assert (case.image.min(), case.image.max()) == (0, 1)
        assert case.present == {4, 5}


def test_images_and_label_maps_may_share_a_folder(tmp_path) -> None:
    write_pair(tmp_path, "case", label_name="{}_label")
    (tmp_path / "labels" / "case_label.nii.gz").rename(tmp_path / "images" / "case_label.nii.gz")
    found = read_folders(tmp_path / "images", tmp_path / "images", TERRITORIES)
    assert [case.name for case in found.cases] == ["case"]


def test_cases_are_brought_to_one_voxel_size(tmp_path) -> None:
    _, labels = write_pair(tmp_path, "case", spacing_mm=(0.6, 0.5, 0.5))
    found = read_folders(tmp_path / "images", tmp_path / "labels", TERRITORIES, (0.6, 0.25, 0.25))
    (case,) = found.cases
    assert case.image.shape == case.labels.shape == (8, 64, 64)
    assert dice(case.labels == LEFT, (labels == LEFT).repeat(2, 1).repeat(2, 2)) > 0.95


def test_the_hash_tells_cases_apart(tmp_path) -> None:
    write_pair(tmp_path, "case")
    folders = tmp_path / "images", tmp_path / "labels", TERRITORIES
    first = read_folders(*folders).sha256
    assert read_folders(*folders).sha256 == first
    write_pair(tmp_path, "case", seed=1)
    assert read_folders(*folders).sha256 != first


@pytest.mark.parametrize(
    "trouble", ["no label map", "empty", "unknown label", "other size", "other place", "no folder"]
)
def test_bad_pairs_end_in_one_sentence(tmp_path, trouble, single_sentence) -> None:
    image, labels = write_pair(tmp_path, "case")
    affine = default_affine(image.shape)
    path = tmp_path / "labels" / "case.nii.gz"
    said = {
        "no label map": "no label map for case",
        "empty": "is empty",
        "unknown label": "label 77",
        "other size": "differ in size",
        "other place": "apart",
        "no folder": "does not exist",
    }[trouble]
    if trouble == "no label map":
        path.rename(path.with_name("other.nii.gz"))
    elif trouble == "empty":
        write_labels(np.zeros_like(labels), affine, path)
    elif trouble == "unknown label":
        write_labels(np.where(labels, 77, 0), affine, path)
    elif trouble == "other size":
        write_labels(labels[:, :20], affine, path)
    elif trouble == "other place":
        affine[0, 3] += 5
        write_labels(labels, affine, path)
    folder = tmp_path / ("nowhere" if trouble == "no folder" else "labels")
    with pytest.raises(CowganError) as refusal:
        read_folders(tmp_path / "images", folder, TERRITORIES)
    assert said in single_sentence(refusal)
