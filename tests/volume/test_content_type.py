"""Tests of the classification of voxels as image, mask or label map."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cowgan.anatomy.arteries import Artery
from cowgan.simulate import make_anatomy, simulate_tof
from cowgan.volume import default_affine, open_image, read_volume, write_labels, write_nifti

BALLS = np.zeros((30, 30, 20), np.uint8)
for place, label in enumerate((2, 7, 40, 41)):
    BALLS[5 * place : 5 * place + 6, 8:20, 5:15] = label


@pytest.fixture(scope="module")
def tof() -> np.ndarray:
    data = simulate_tof(make_anatomy(1, "complete").occupancy, seed=1).data
    return data.transpose(1, 2, 0)


def content(folder: Path, array: np.ndarray, intent: str = "none") -> str:
    image = nib.Nifti1Image(array, np.diag([-2, 2, 2, 1]))
    image.header.set_intent(intent)
    nib.save(image, folder / "a.nii.gz")
    opened = open_image(folder / "a.nii.gz")
    remarks = opened.volume().remarks
    assert any("not like an image" in text for text in remarks) == (opened.content != "image")
    return opened.content


@pytest.mark.parametrize("value", [1, 5, 255])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_zero_and_one_other_value_are_a_mask(tmp_path, value, dtype):
    assert content(tmp_path, (value * (BALLS > 0)).astype(dtype)) == "mask"


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float64])
def test_regions_of_few_values_are_a_label_map(tmp_path, dtype):
    assert content(tmp_path, BALLS.astype(dtype)) == "label map"


def test_scattered_arteries_are_a_label_map_as_integers(tmp_path):
    array = np.zeros((12, 13, 10), np.int16)
    array[2:, 3, 3].flat[:10] = list(Artery)[:10]
    assert content(tmp_path, array) == "label map"
    assert content(tmp_path, array.astype(np.float32)) == "image"


@pytest.mark.parametrize("scale", [20, 40, 255, 4000])
def test_an_angiogram_is_an_image_however_few_its_grey_levels(tmp_path, tof, scale):
    for smooth in (0, 1):
        array = np.rint(gaussian_filter(tof, smooth) * scale).astype(np.int16)
        assert content(tmp_path, array) == "image"


def test_a_noiseless_phantom_is_an_image(tmp_path):
    grey = np.array([0, 38, 80, 207], np.uint8)[np.digitize(BALLS, [1, 7, 40])]
    assert content(tmp_path, grey) == "image"


def test_the_mark_of_a_file_counts(tmp_path):
    array = np.random.default_rng(0).integers(0, 200, (20, 20, 20)).astype(np.int16)
    assert content(tmp_path, array, "label") == "label map"
    assert content(tmp_path, array) == "image"


def test_own_label_maps_are_known_by_the_file_beside_them(tmp_path):
    artery = (BALLS.transpose(2, 0, 1) > 0).astype(np.uint8)
    affine = default_affine(artery.shape, (2, 2, 2))
    write_labels(artery, affine, tmp_path / "a.nii.gz", {"labels": "TopCoW"})
    assert open_image(tmp_path / "a.nii.gz").content == "label map"


def test_a_uniform_image_is_an_image(tmp_path):
    for value in (0, 1, 7):
        assert content(tmp_path, np.full((20, 20, 20), value, np.uint8)) == "image"


def test_a_copy_keeps_that_it_was_a_mask(tmp_path):
    content(tmp_path, BALLS)
    write_nifti(read_volume(tmp_path / "a.nii.gz"), tmp_path / "b.nii.gz")
    assert any("label map" in text for text in read_volume(tmp_path / "b.nii.gz").remarks)
