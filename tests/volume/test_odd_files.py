"""Tests of unusual files: misnamed, paired, byte-swapped, scaled, linked, or no images at all."""

import gzip
import os
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from cowgan.errors import CowganError
from cowgan.volume import Volume, read_labels, read_volume
from cowgan.volume.itk import to_itk

LAS = np.array([[-3.0, 0, 0, 30], [0, 3, 0, -36], [0, 0, 4, -20], [0, 0, 0, 1]])
VOXELS = np.random.default_rng(0).integers(0, 900, (10, 12, 8)).astype(np.int16)
NETWORK_ORDER = VOXELS.transpose(2, 0, 1)


def nifti(array=VOXELS, kind=nib.Nifti1Image, **fields) -> bytes:
    content = bytearray(kind(array, LAS).to_bytes())
    size = kind.header_class.sizeof_hdr
    header = kind.header_class(bytes(content[:size]), check=False)
    for name, value in fields.items():
        header[name] = value
    content[:size] = header.binaryblock
    return bytes(content)


def opened(folder: Path, content: bytes, name: str = "scan.nii") -> Volume:
    (folder / name).write_bytes(content)
    return read_volume(folder / name)


def refused(folder: Path, content: bytes, name: str, single_sentence) -> str:
    with pytest.raises(CowganError) as refusal:
        opened(folder, content, name)
    sentence = single_sentence(refusal)
    assert name in sentence
    return sentence


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz", "SCAN.NII.GZ", "scan.img.nii", "scan"])
@pytest.mark.parametrize("packed", [False, True])
def test_what_the_file_holds_counts_and_not_its_name(tmp_path, kind, name, packed):
    content = nifti(kind=kind)
    volume = opened(tmp_path, gzip.compress(content) if packed else content, name)
    np.testing.assert_array_equal(volume.data, NETWORK_ORDER)
    np.testing.assert_allclose(volume.affine, LAS)


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("order", ["little", "big"])
def test_numbers_of_every_type_and_byte_order(tmp_path, dtype, order):
    array = (VOXELS % 100).astype(dtype)
    header = nib.Nifti1Header(endianness=order)
    header.set_data_dtype(dtype)
    image = nib.Nifti1Image(array, LAS, header)
    assert image.header.endianness == ("<" if order == "little" else ">")
    volume = opened(tmp_path, image.to_bytes())
    np.testing.assert_array_equal(volume.data, array.transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("slope", "intercept", "factor", "offset"),
    [(0, 5, 1, 0), (np.nan, 0, 1, 0), (np.inf, 0, 1, 0), (0.25, -3, 0.25, -3), (2, np.nan, 2, 0)],
)
def test_scaling_by_the_header(tmp_path, slope, intercept, factor, offset):
    volume = opened(tmp_path, nifti(scl_slope=slope, scl_inter=intercept))
    np.testing.assert_allclose(volume.data, NETWORK_ORDER * factor + offset)
    assert bool(volume.remarks) == (np.isnan(intercept))


def test_scaling_is_that_of_nibabel(tmp_path):
    content = nifti(scl_slope=1 / 3, scl_inter=0.1)
    volume = opened(tmp_path, content)
    reference = nib.load(tmp_path / "scan.nii").get_fdata(dtype=np.float32)
    np.testing.assert_array_equal(volume.data, reference.transpose(2, 0, 1))


def test_voxels_follow_the_header_where_no_offset_is_stated(tmp_path):
    np.testing.assert_array_equal(opened(tmp_path, nifti(vox_offset=0)).data, NETWORK_ORDER)


def test_header_extensions_are_read_past(tmp_path):
    image = nib.Nifti1Image(VOXELS, LAS)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 1000))
    np.testing.assert_array_equal(opened(tmp_path, image.to_bytes()).data, NETWORK_ORDER)


def test_one_volume_stored_as_a_series_is_read(tmp_path):
    for dim in ([4, 10, 12, 8, 1, 1, 1, 1], [4, 10, 12, 8, 0, 0, 0, 0]):
        np.testing.assert_array_equal(opened(tmp_path, nifti(dim=dim)).data, NETWORK_ORDER)


@pytest.mark.parametrize("kind", [nib.Nifti1Pair, nib.AnalyzeImage])
@pytest.mark.parametrize("suffixes", [(".hdr", ".img"), (".HDR", ".IMG"), (".hdr.gz", ".img.gz")])
@pytest.mark.parametrize("named", [0, 1])
def test_pairs_of_header_and_voxels(tmp_path, kind, suffixes, named):
    nib.save(kind(VOXELS, LAS), tmp_path / "made.img")
    for made, suffix in zip((".hdr", ".img"), suffixes, strict=True):
        content = (tmp_path / f"made{made}").read_bytes()
        if suffix.endswith(".gz"):
            content = gzip.compress(content)
        (tmp_path / f"scan{suffix}").write_bytes(content)
    volume = read_volume(tmp_path / f"scan{suffixes[named]}")
    np.testing.assert_array_equal(volume.data, NETWORK_ORDER)
    remarks = " ".join(volume.remarks)
    assert ("stores no orientation" in remarks) == ("is a guess" in remarks)
    assert ("is a guess" in remarks) == (kind is nib.AnalyzeImage)
    (tmp_path / f"scan{suffixes[1 - named]}").unlink()
    with pytest.raises(CowganError, match="is one of two files"):
        read_volume(tmp_path / f"scan{suffixes[named]}")


def test_a_link_counts_by_the_name_it_was_given(tmp_path):
    store = tmp_path / "annex" / "objects" / "SHA256E-s1000--0101.dat"
    store.parent.mkdir(parents=True)
    store.write_bytes(nifti())
    for name in ("sub-01_angio.nii", "sub-01_angio"):
        (tmp_path / name).symlink_to(store)
        volume = read_volume(tmp_path / name)
        assert volume.provenance["sources"][-1]["file"] == name


def test_a_link_to_nowhere_is_called_one(tmp_path, single_sentence):
    (tmp_path / "a.nii.gz").symlink_to(tmp_path / "annex" / "objects" / "gone")
    with pytest.raises(CowganError, match="link that leads nowhere") as refusal:
        read_volume(tmp_path / "a.nii.gz")
    single_sentence(refusal)


@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.mha", "scan.dat"])
def test_what_stands_in_for_an_image_is_called_what_it_is(tmp_path, name, single_sentence):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64
    assert "pointer of Git LFS" in refused(tmp_path, pointer, name, single_sentence)
    assert "a web page" in refused(tmp_path, b"<!DOCTYPE html><html>", name, single_sentence)
    assert "empty" in refused(tmp_path, b"", name, single_sentence)
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("scan.nii", nifti())
    packed = (tmp_path / "packed.zip").read_bytes()
    assert "a zip archive" in refused(tmp_path, packed, name, single_sentence)


def test_line_ends_changed_in_transfer_are_noticed(tmp_path, single_sentence):
    content = nifti().replace(b"\n", b"\r\n")
    refused(tmp_path, gzip.compress(content)[:-9] + b"\r\n" + bytes(8), "a.nii.gz", single_sentence)


@pytest.mark.parametrize("name", ["scan.mha", "SCAN.MHA", "scan.nrrd", "scan"])
def test_other_formats_under_any_name(tmp_path, name):
    made = tmp_path / ("made.nrrd" if "nrrd" in name else "made.mha")
    sitk.WriteImage(to_itk(NETWORK_ORDER.copy(), LAS), str(made))
    volume = opened(tmp_path, made.read_bytes(), name)
    np.testing.assert_array_equal(volume.data, NETWORK_ORDER)
    np.testing.assert_allclose(volume.affine, LAS)
    assert volume.remarks == ()


def test_a_header_with_the_line_ends_of_windows(tmp_path):
    sitk.WriteImage(to_itk(NETWORK_ORDER.copy(), LAS), str(tmp_path / "made.mhd"))
    header = (tmp_path / "made.mhd").read_bytes().replace(b"\n", b"\r\n")
    np.testing.assert_array_equal(opened(tmp_path, header, "scan.mhd").data, NETWORK_ORDER)


META = b"ObjectType = Image\nNDims = 3\nDimSize = 10 12 8\nElementType = MET_SHORT\n"
NRRD = b"NRRD0004\ntype: short\ndimension: 3\nsizes: 10 12 8\nencoding: raw\nendian: little\n"


@pytest.mark.parametrize(
    ("name", "start", "end", "parts"),
    [
        ("a.mha", META, b"ElementDataFile = LOCAL\n", ("No orientation", "No voxel size")),
        (
            "b.mha",
            META + b"ElementSpacing = 3 3 4\n",
            b"ElementDataFile = LOCAL\n",
            ("No orientation",),
        ),
        ("c.nrrd", NRRD + b"spacings: 3 3 4\n", b"\n", ("No orientation",)),
    ],
)
def test_missing_fields_of_other_formats_are_reported(tmp_path, name, start, end, parts):
    volume = opened(tmp_path, start + end + VOXELS.tobytes("F"), name)
    for part in parts:
        assert part in " ".join(volume.remarks)
    assert volume.provenance["sources"][-1]["orientation_from"] == "assumed"


def test_the_units_of_other_formats_count(tmp_path):
    header = NRRD + b'space: left-posterior-superior\nspace units: "um" "um" "um"\n'
    header += b"space directions: (3000,0,0) (0,3000,0) (0,0,4000)\n\n"
    volume = opened(tmp_path, header + VOXELS.tobytes("F"), "a.nrrd")
    assert volume.spacing_mm == pytest.approx((4, 3, 3))
    assert volume.remarks == ()


def test_label_maps_come_through_the_same_door(tmp_path):
    labels = (NETWORK_ORDER % 13).astype(np.uint8)
    sitk.WriteImage(to_itk(labels, LAS), str(tmp_path / "label.mha"))
    found, affine = read_labels(tmp_path / "label.mha")
    np.testing.assert_array_equal(found, labels)
    np.testing.assert_allclose(affine, LAS)


@pytest.mark.skipif(os.name == "nt", reason="there are no such pipes there")
def test_a_pipe_is_not_waited_for(tmp_path, single_sentence):
    os.mkfifo(tmp_path / "a.nii.gz")
    with pytest.raises(CowganError) as refusal:
        read_volume(tmp_path / "a.nii.gz")
    single_sentence(refusal)


def test_without_simpleitk_the_extra_is_named(tmp_path, monkeypatch, single_sentence):
    monkeypatch.setitem(__import__("sys").modules, "SimpleITK", None)
    sentence = refused(tmp_path, META + b"ElementDataFile = LOCAL\n", "a.mha", single_sentence)
    assert 'pip install "napari-cowgan[preprocess]"' in sentence
