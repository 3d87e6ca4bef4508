"""Tests that every format gives the same volume, or one clear message."""

import gzip
import os

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from cowgan.errors import CowganError
from cowgan.volume import Volume, default_affine, read_volume, write_nifti
from cowgan.volume.itk import to_itk


@pytest.fixture
def volume() -> Volume:
    random = np.random.default_rng(3)
    affine = default_affine((5, 6, 7), (8.0, 5.0, 6.0))
    affine[:3, 3] += [3, -20, 40]
    return Volume(random.random((5, 6, 7), dtype=np.float32), affine)


@pytest.mark.parametrize("codes", ["LAS", "RAS", "LPS", "RPI", "SAL", "AIR"])
def test_any_orientation_reads_as_the_same_volume(volume, codes, tmp_path):
    image = nib.Nifti1Image(volume.data.transpose(1, 2, 0), volume.affine)
    turn = nib.orientations.ornt_transform(
        nib.io_orientation(volume.affine), nib.orientations.axcodes2ornt(codes)
    )
    nib.save(image.as_reoriented(turn), tmp_path / "scan.nii.gz")
    read = read_volume(tmp_path / "scan.nii.gz")
    np.testing.assert_array_equal(read.data, volume.data)
    np.testing.assert_allclose(read.affine, volume.affine, atol=1e-5)


@pytest.mark.parametrize("suffix", [".mha", ".mhd", ".nrrd", ".nhdr"])
def test_other_formats_hold_the_same_volume(volume, suffix, tmp_path):
    path = tmp_path / f"scan{suffix}"
    image = sitk.PermuteAxes(
        sitk.Flip(to_itk(volume.data, volume.affine), [True, False, True]), [2, 0, 1]
    )
    sitk.WriteImage(image, str(path))
    read = read_volume(path)
    np.testing.assert_array_equal(read.data, volume.data)
    np.testing.assert_allclose(read.affine, volume.affine, atol=1e-5)
    assert read.provenance["sources"][-1]["file"] == path.name


def test_an_oblique_scan_keeps_its_angle(volume, tmp_path):
    angle = np.radians(20)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    oblique = Volume(volume.data, turn @ volume.affine)
    write_nifti(oblique, tmp_path / "a.nii.gz")
    sitk.WriteImage(to_itk(oblique.data, oblique.affine), str(tmp_path / "a.mha"))
    for name in ("a.nii.gz", "a.mha"):
        np.testing.assert_allclose(read_volume(tmp_path / name).affine, oblique.affine, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32])
def test_integers_are_read_as_they_are(dtype, tmp_path):
    values = np.arange(60).reshape(3, 4, 5).astype(dtype)
    nib.save(nib.Nifti1Image(values, np.diag([-1, 1, 1, 1.0])), tmp_path / "scan.nii")
    np.testing.assert_array_equal(
        read_volume(tmp_path / "scan.nii").data, values.transpose(2, 0, 1)
    )


@pytest.mark.parametrize("suffix", [".nii.gz", ".mha"])
def test_unknown_voxels_become_zero_and_are_counted(volume, suffix, tmp_path):
    data = volume.data.copy()
    data[1, 2, 3], data[0, 0, 0] = np.nan, np.inf
    path = tmp_path / f"scan{suffix}"
    if suffix == ".mha":
        sitk.WriteImage(to_itk(data, volume.affine), str(path))
    else:
        nib.save(nib.Nifti1Image(data.transpose(1, 2, 0), volume.affine), path)
    read = read_volume(path)
    assert read.data[1, 2, 3] == read.data[0, 0, 0] == 0
    assert read.provenance["sources"][-1]["nonfinite_replaced"] == 2
    np.testing.assert_array_equal(read.data[2:], volume.data[2:])


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape)


def _write_series(folder):
    nib.save(nib.Nifti1Image(_noise(4, 4, 4, 3), np.eye(4)), folder / "scan.nii.gz")
    return folder / "scan.nii.gz", "series"


def _write_itk_series(folder):
    image = sitk.GetImageFromArray(_noise(3, 4, 4, 4).astype(np.float32), isVector=False)
    sitk.WriteImage(image, str(folder / "scan.nrrd"))
    return folder / "scan.nrrd", "series"


def _write_truncated(folder):
    nib.save(nib.Nifti1Image(_noise(20, 20, 20), np.eye(4)), folder / "whole.nii.gz")
    content = (folder / "whole.nii.gz").read_bytes()
    (folder / "scan.nii.gz").write_bytes(content[: len(content) // 2])
    return folder / "scan.nii.gz", "damaged"


def _write_truncated_raw(folder):
    nib.save(nib.Nifti1Image(_noise(20, 20, 20), np.eye(4)), folder / "whole.nii")
    (folder / "scan.nii").write_bytes((folder / "whole.nii").read_bytes()[:20_000])
    return folder / "scan.nii", "damaged"


def _write_truncated_mha(folder):
    sitk.WriteImage(sitk.GetImageFromArray(_noise(20, 20, 20)), str(folder / "whole.mha"))
    (folder / "scan.mha").write_bytes((folder / "whole.mha").read_bytes()[:20_000])
    return folder / "scan.mha", "damaged"


def _write_text(folder):
    (folder / "scan.nii.gz").write_bytes(gzip.compress(b"not an image"))
    return folder / "scan.nii.gz", "text file"


def _write_flat(folder):
    sitk.WriteImage(sitk.GetImageFromArray(_noise(20, 20)), str(folder / "scan.nrrd"))
    return folder / "scan.nrrd", "2D"


def _write_colour(folder):
    image = sitk.GetImageFromArray(_noise(5, 5, 5, 3), isVector=True)
    sitk.WriteImage(image, str(folder / "scan.mha"))
    return folder / "scan.mha", "3 values per voxel"


def _write_nothing(folder):
    return folder / "scan.mha", "does not exist"


@pytest.mark.parametrize(
    "write",
    [
        _write_series,
        _write_itk_series,
        _write_truncated,
        _write_truncated_raw,
        _write_truncated_mha,
        _write_text,
        _write_flat,
        _write_colour,
        _write_nothing,
    ],
    ids=lambda write: write.__name__.removeprefix("_write_"),
)
def test_unusable_scans_are_refused_in_one_sentence(write, tmp_path, single_sentence):
    path, part = write(tmp_path)
    with pytest.raises(CowganError) as refusal:
        read_volume(path)
    assert part in single_sentence(refusal)
    assert path.name in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [("../outside.raw", "does not lie in it"), ("/dev/zero", "does not lie in it"),
     ("LIST", "many files"), ("slice%03d.raw", "many files"), ("pipe", "not a file")],
)  # fmt: skip
@pytest.mark.skipif(os.name == "nt", reason="there are no such pipes there")
def test_the_voxels_of_a_scan_lie_in_a_file_beside_it(tmp_path, name, said, single_sentence):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "outside.raw").write_bytes(bytes(64))
    os.mkfifo(folder / "pipe")
    path = folder / "scan.mhd"
    header = "ObjectType = Image\nNDims = 3\nDimSize = 4 4 4\nElementType = MET_UCHAR\n"
    path.write_text(f"{header}ElementDataFile = {name}\n", encoding="utf-8")
    with pytest.raises(CowganError) as refusal:
        read_volume(path)
    assert said in single_sentence(refusal)


def test_a_scan_that_states_more_than_its_file_can_hold_is_refused(tmp_path, single_sentence):
    path = tmp_path / "scan.mha"
    header = "ObjectType = Image\nNDims = 3\nDimSize = 4000 4000 4000\nElementType = MET_SHORT\n"
    path.write_bytes(f"{header}ElementDataFile = LOCAL\n".encode() + bytes(1000))
    with pytest.raises(CowganError) as refusal:
        read_volume(path)
    assert "damaged" in single_sentence(refusal)


@pytest.mark.parametrize("dimensions", ["99999 3", "-1", "11", "3\nNDims : 5000"])
def test_a_scan_of_senselessly_many_dimensions_never_reaches_itk(
    tmp_path, dimensions, single_sentence
):
    """ITK itself would crash."""
    path = tmp_path / "scan.mha"
    header = f"ObjectType = Image\nNDims = {dimensions}\nDimSize = 4 4 4\nElementType = MET_UCHAR\n"
    path.write_bytes(f"{header}ElementDataFile = LOCAL\n".encode() + bytes(64))
    with pytest.raises(CowganError) as refusal:
        read_volume(path)
    assert "damaged" in single_sentence(refusal)
