"""Tests of reading DICOM series, and of messages for series that cannot be read."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_series import write_series
from scipy.spatial.transform import Rotation

from cowgan.errors import CowganError
from cowgan.volume import default_affine, read_volume

SHAPE = (13, 30, 26)
AFFINE = default_affine(SHAPE, (4.0, 3.0, 2.5))
VOXELS = np.random.default_rng(0).integers(0, 900, SHAPE).astype(np.float32)


def refused(path: Path, single_sentence) -> str:
    with pytest.raises(CowganError) as refusal:
        read_volume(path)
    sentence = single_sentence(refusal)
    assert path.name in sentence
    return sentence


@pytest.mark.parametrize("angle", [0, 17])
def test_a_series_is_the_volume_it_was_made_of(tmp_path, angle):
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("x", angle, degrees=True).as_matrix()
    files = write_series(tmp_path / "tof_5", VOXELS, turn @ AFFINE)
    for path in (tmp_path / "tof_5", files[4]):
        volume = read_volume(path)
        np.testing.assert_array_equal(volume.data, VOXELS)
        np.testing.assert_allclose(volume.affine, turn @ AFFINE, atol=1e-3)
        assert "13 DICOM files (series 5 “TOF 5”)" in volume.remarks[0]
        assert any("oblique by 17 degrees" in text for text in volume.remarks) == (angle == 17)


def test_a_series_lies_where_itk_says(tmp_path):
    write_series(tmp_path / "tof_5", VOXELS, AFFINE)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "tof_5")))
    reference = reader.Execute()
    volume = read_volume(tmp_path / "tof_5")
    z, x, y = np.unravel_index(np.argmax(volume.data), SHAPE)
    ras = volume.affine @ [x, y, z, 1]
    found = reference.TransformPhysicalPointToIndex((-ras[0], -ras[1], ras[2]))
    assert reference[found] == VOXELS.max()


def test_localizers_and_screenshots_are_left_out_and_named(tmp_path):
    write_series(tmp_path / "a" / "tof_5", VOXELS, AFFINE)
    write_series(tmp_path / "b", VOXELS, AFFINE, 1, t0008_0008="ORIGINAL\\PRIMARY\\LOCALIZER")
    write_series(tmp_path / "c", VOXELS[:3], AFFINE, 2)
    write_series(tmp_path / "d", VOXELS, AFFINE, 9, t0008_0008="DERIVED\\SECONDARY\\MIP")
    volume = read_volume(tmp_path)
    np.testing.assert_array_equal(volume.data, VOXELS)
    for part in ("series 1 “TOF 1”: a localizer", "only 3 slices", "projections"):
        assert part in volume.remarks[0]


def test_two_series_are_named_and_one_is_chosen_by_a_file(tmp_path, single_sentence):
    write_series(tmp_path / "two_series", VOXELS, AFFINE)
    files = write_series(tmp_path / "two_series", VOXELS[::-1], AFFINE, 6)
    sentence = refused(tmp_path / "two_series", single_sentence)
    assert "series 5 “TOF 5” (13 slices), series 6 “TOF 6” (13 slices)" in sentence
    np.testing.assert_array_equal(read_volume(files[0]).data, VOXELS[::-1])


def test_missing_slices_are_noticed(tmp_path, single_sentence):
    files = write_series(tmp_path / "tof_5", VOXELS, AFFINE)
    files[5].unlink()
    assert "1 slice is missing" in refused(tmp_path / "tof_5", single_sentence)


def test_several_images_at_one_place_are_no_volume(tmp_path, single_sentence):
    files = write_series(tmp_path / "tof_5", VOXELS, AFFINE)
    for file in files:
        shutil.copy(file, f"{file}_second")
    sentence = refused(tmp_path / "tof_5", single_sentence)
    assert "2 images at one place" in sentence
    assert "dcm2niix" in sentence


def test_padding_that_the_files_state_is_background(tmp_path):
    data = VOXELS.copy()
    data[:, :5] = -7
    write_series(tmp_path / "tof_5", data, AFFINE, t0028_0120="-7")
    volume = read_volume(tmp_path / "tof_5")
    assert volume.data.min() == 0
    assert any("as the file says" in text for text in volume.remarks)


def test_files_without_a_header_are_called_dicom(tmp_path, single_sentence):
    folder = tmp_path / "SE0005"
    folder.mkdir()
    for k in range(3):
        (folder / f"IM{k:04}").write_bytes(bytes(128) + b"DICM" + bytes(64))
    for path in (folder, folder / "IM0001"):
        assert "dcm2niix" in refused(path, single_sentence)


def test_without_simpleitk_the_conversion_is_explained(tmp_path, monkeypatch, single_sentence):
    write_series(tmp_path / "tof_5", VOXELS, AFFINE)
    monkeypatch.setitem(__import__("sys").modules, "SimpleITK", None)
    sentence = refused(tmp_path / "tof_5", single_sentence)
    assert "dcm2niix" in sentence
    assert "napari-cowgan[preprocess]" in sentence


def test_a_folder_of_other_files_is_no_image(tmp_path, single_sentence):
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    assert "is a folder; choose an image" in refused(tmp_path, single_sentence)
