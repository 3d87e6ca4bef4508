import gzip
import json
import os
import tracemalloc
from contextlib import suppress
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from scipy.spatial.transform import Rotation

from cowgan import __version__
from cowgan.errors import CowganError
from cowgan.volume import (
    Volume,
    default_affine,
    read_labels,
    read_volume,
    sidecar_path,
    write_labels,
    write_nifti,
)

SHAPE = (4, 6, 8)
STATE = {"seed": 12, "psi": 0.7}


@pytest.fixture
def volume() -> Volume:
    data = np.random.default_rng(0).random(SHAPE, np.float32)
    provenance = {"synthetic": True, "state": STATE, "checkpoint_sha256": "ab" * 32}
    return Volume(data, default_affine(SHAPE), provenance)


def save(path: Path, array: np.ndarray, affine: np.ndarray | None = None, **header) -> Path:
    image = nib.Nifti1Image(array, np.diag([-1.0, 1, 1, 1]) if affine is None else affine)
    for name, value in header.items():
        image.header[name] = value
    nib.save(image, path)
    return path


# Writing


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "A.NII.GZ", "sub-1.v2.nii.gz"])
def test_what_is_written_is_read_back(volume, tmp_path, name):
    write_nifti(volume, tmp_path / name)
    back = read_volume(tmp_path / name)
    assert np.array_equal(back.data, volume.data)
    assert np.allclose(back.affine, volume.affine, atol=1e-6)
    (source,) = back.provenance.pop("sources")
    assert back.provenance == volume.provenance
    assert source.pop("remarks") == ["Its largest side is 4.95 mm, small for a head."]
    assert source == {
        "file": name,
        "data_type": "float32",
        "orientation": "LAS",
        "orientation_from": "sform",
        "header_marks_synthetic": True,
        "content": "image",
    }


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    data=arrays(
        np.float32,
        array_shapes(min_dims=3, max_dims=3, max_side=4),
        elements=st.floats(-1e6, 1e6, width=32),
    ),
    spacing=st.tuples(*[st.floats(1, 5)] * 3),
    angles=st.tuples(*[st.floats(-30, 30)] * 3),
)
def test_round_trip_of_any_spacing_and_tilt(tmp_path, data, spacing, angles):
    affine = default_affine(data.shape, spacing)
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() @ affine[:3, :3]
    write_nifti(Volume(data, affine), tmp_path / "v.nii")
    back = read_volume(tmp_path / "v.nii")
    assert np.array_equal(back.data, data)
    assert np.allclose(back.affine, affine, atol=1e-5)
    assert back.spacing_mm == pytest.approx(spacing, rel=1e-5)


def test_other_software_finds_the_grid_the_mark_and_the_unit(volume, tmp_path):
    write_nifti(volume, tmp_path / "v.nii.gz")
    image = nib.load(tmp_path / "v.nii.gz")
    assert image.shape == (6, 8, 4)
    assert nib.aff2axcodes(image.affine) == ("L", "A", "S")
    assert image.get_data_dtype() == np.float32
    assert np.array_equal(image.get_fdata(), volume.data.transpose(1, 2, 0))
    assert np.allclose(image.get_sform(), volume.affine, atol=1e-6)
    assert np.allclose(image.get_qform(), volume.affine, atol=1e-5)
    assert image.header.get_xyzt_units()[0] == "mm"
    mark = image.header["descrip"].item().decode()
    assert mark == f"SYNTHETIC napari-cowgan {__version__} seed 12"


def test_shear_leaves_the_qform_unset(tmp_path):
    affine = default_affine(SHAPE)
    affine[0, 1] = 0.2
    write_nifti(Volume(np.zeros(SHAPE), affine), tmp_path / "v.nii")
    header = nib.load(tmp_path / "v.nii").header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (0, 1)
    assert np.allclose(read_volume(tmp_path / "v.nii").affine, affine, atol=1e-6)


def test_a_real_volume_is_not_marked_unless_asked(tmp_path):
    real = Volume(np.zeros(SHAPE), default_affine(SHAPE))
    write_nifti(real, tmp_path / "real.nii")
    assert not read_volume(tmp_path / "real.nii").synthetic
    assert nib.load(tmp_path / "real.nii").header["descrip"].item() == b""
    write_nifti(real, tmp_path / "marked.nii", synthetic=True)
    assert read_volume(tmp_path / "marked.nii").synthetic


def test_the_mark_survives_without_the_sidecar_and_stays_within_its_field(volume, tmp_path):
    long = Volume(volume.data, volume.affine, {"synthetic": True, "seed": 10**90})
    write_nifti(long, tmp_path / "v.nii")
    sidecar_path(tmp_path / "v.nii").unlink()
    assert read_volume(tmp_path / "v.nii").synthetic
    assert len(nib.load(tmp_path / "v.nii").header["descrip"].item()) == 79


def test_the_sidecar_has_the_full_provenance(volume, tmp_path):
    path = tmp_path / "v.nii.gz"
    write_nifti(volume, path)
    assert sidecar_path(path) == tmp_path / "v.json"
    content = json.loads((tmp_path / "v.json").read_text(encoding="utf-8"))
    assert content["written_by"] == f"napari-cowgan {__version__}"
    assert content["synthetic"] is True
    assert content["provenance"] == volume.provenance


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz"])
def test_the_same_volume_gives_the_same_bytes(volume, tmp_path, name):
    write_nifti(volume, tmp_path / "one" / name)
    write_nifti(volume, tmp_path / "two" / name)
    for file in (name, "v.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.parametrize("name", ["v.mha", "v.gz", "v", "v.nii.zip"])
def test_other_suffixes_are_refused(volume, tmp_path, name):
    with pytest.raises(CowganError, match=r"must end in \.nii or \.nii\.gz"):
        write_nifti(volume, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_files_and_no_litter(volume, tmp_path, monkeypatch):
    path = tmp_path / "v.nii.gz"
    write_nifti(volume, path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CowganError, match="No space left on device"):
        write_nifti(Volume(volume.data + 1, volume.affine), path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_json_file_of_another_tool_is_never_replaced(volume, tmp_path):
    foreign = tmp_path / "v.json"
    foreign.write_text('{"EchoTime": 0.004}', encoding="utf-8")
    with pytest.raises(CowganError, match=r"v\.json exists and was not written by"):
        write_nifti(volume, tmp_path / "v.nii.gz")
    assert foreign.read_text(encoding="utf-8") == '{"EchoTime": 0.004}'
    assert not (tmp_path / "v.nii.gz").exists()


# Reading what others wrote


def test_scaled_integers_keep_their_meaning(tmp_path):
    image = nib.Nifti1Image(np.full((2, 3, 4), 100, np.int16), np.diag([-1.0, 1, 1, 1]))
    image.header.set_slope_inter(0.5, 7)
    nib.save(image, tmp_path / "v.nii")
    stored = read_volume(tmp_path / "v.nii")
    raw = nib.load(tmp_path / "v.nii")
    assert np.allclose(stored.data, raw.get_fdata().transpose(2, 0, 1))
    assert stored.provenance["sources"][0]["data_type"] == "int16"


def test_trailing_axes_of_length_one_are_dropped(tmp_path):
    array = np.random.default_rng(0).random((3, 4, 5, 1, 1), np.float32)
    volume = read_volume(save(tmp_path / "v.nii.gz", array))
    assert np.array_equal(volume.data, array[..., 0, 0].transpose(2, 0, 1))


def test_single_slice_volumes_open(tmp_path):
    assert read_volume(save(tmp_path / "v.nii", np.zeros((3, 4, 1)))).shape == (1, 3, 4)


def test_nifti2_opens(tmp_path):
    nib.save(nib.Nifti2Image(np.zeros((3, 4, 5), np.float32), np.eye(4)), tmp_path / "v.nii")
    assert read_volume(tmp_path / "v.nii").shape == (5, 3, 4)


@pytest.mark.parametrize(("unit", "factor"), [("meter", 1000), ("micron", 0.001), ("mm", 1)])
def test_units_become_mm(tmp_path, unit, factor):
    size = 2 / factor
    image = nib.Nifti1Image(np.zeros((3, 4, 5), np.float32), np.diag([-size, size, size, 1]))
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "v.nii")
    assert read_volume(tmp_path / "v.nii").spacing_mm == pytest.approx([2] * 3)


def test_only_a_qform_is_enough(tmp_path):
    image = nib.Nifti1Image(np.zeros((3, 4, 5), np.float32), np.diag([2.0, 2, 2, 1]))
    image.set_sform(None, code=0)
    image.set_qform(np.diag([2.0, 2, 2, 1]), code=1)
    nib.save(image, tmp_path / "v.nii")
    (source,) = read_volume(tmp_path / "v.nii").provenance["sources"]
    assert (source["orientation"], source["orientation_from"]) == ("RAS", "qform")


def test_a_header_without_orientation_is_taken_as_las_and_says_so(tmp_path):
    array = np.random.default_rng(0).random((3, 4, 5), np.float32)
    nib.save(nib.Nifti1Image(array, None), tmp_path / "v.nii")
    volume = read_volume(tmp_path / "v.nii")
    assert np.array_equal(volume.data, array.transpose(2, 0, 1))
    (source,) = volume.provenance["sources"]
    assert (source["orientation"], source["orientation_from"]) == ("LAS", "assumed")


def test_a_bids_sidecar_is_kept_whole(tmp_path):
    path = save(tmp_path / "sub-1_TOF.nii.gz", np.zeros((2, 3, 4), np.int16))
    (tmp_path / "sub-1_TOF.json").write_text(
        '{"EchoTime": 0.004, "synthetic": true}', encoding="utf-8"
    )
    volume = read_volume(path)
    assert volume.provenance["sidecar"] == {"EchoTime": 0.004, "synthetic": True}
    assert not volume.synthetic


def test_a_damaged_sidecar_is_reported_and_the_image_read(tmp_path):
    path = save(tmp_path / "v.nii", np.zeros((2, 3, 4), np.int16))
    (tmp_path / "v.json").write_text("{", encoding="utf-8")
    assert "v.json is damaged" in read_volume(path).provenance["sidecar_problem"]


@pytest.mark.parametrize(
    "provenance",
    [
        '{"sources": 5}',
        '{"sources": [5]}',
        '{"synthetic": "no"}',
        '{"deep": ' + "[" * 500 + "]" * 500 + "}",
    ],
    ids=lambda text: text[:20],
)
def test_a_sidecar_of_wrong_types_or_depth_is_reported(tmp_path, provenance):
    path = save(tmp_path / "v.nii", np.zeros((2, 3, 4), np.int16))
    (tmp_path / "v.json").write_text(
        f'{{"written_by": "napari-cowgan 0.1.0", "provenance": {provenance}}}',
        encoding="utf-8",
    )
    volume = read_volume(path)
    assert "v.json is damaged" in volume.provenance["sidecar_problem"]
    assert [source["file"] for source in volume.provenance["sources"]] == ["v.nii"]


def test_an_image_changed_after_its_sidecar_is_reported(volume, tmp_path):
    write_nifti(volume, tmp_path / "v.nii")
    save(tmp_path / "v.nii", np.zeros((2, 3, 4), np.float32))
    provenance = read_volume(tmp_path / "v.nii").provenance
    assert "changed after v.json" in provenance["sidecar_problem"]
    assert provenance["synthetic"]


def test_each_file_on_the_way_is_listed(volume, tmp_path):
    write_nifti(volume, tmp_path / "a.nii")
    write_nifti(read_volume(tmp_path / "a.nii"), tmp_path / "b.nii.gz")
    sources = read_volume(tmp_path / "b.nii.gz").provenance["sources"]
    assert [source["file"] for source in sources] == ["a.nii", "b.nii.gz"]


# Bad files


def test_colour_and_complex_images_are_refused(tmp_path):
    rgb = np.zeros((2, 3, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    for array in (rgb, np.zeros((2, 3, 4), np.complex64)):
        with pytest.raises(CowganError, match="colour or complex"):
            read_volume(save(tmp_path / "v.nii", array))


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ((2, 3, 4, 5), "series of volumes"),
        ((4, 5), "2D image"),
        ((5,), "1D image"),
        ((3, 0, 4), "no voxels"),
    ],
)
def test_other_shapes_are_refused(tmp_path, shape, sentence):
    with pytest.raises(CowganError, match=sentence):
        read_volume(save(tmp_path / "v.nii", np.zeros(shape, np.float32)))


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz"])
@pytest.mark.parametrize("kept", [20, 200, 360, 5000])
def test_truncated_files_are_refused(tmp_path, name, kept):
    array = np.random.default_rng(0).random((16, 16, 16), np.float32)
    path = save(tmp_path / name, array)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CowganError, match="damaged, incomplete or not a NIfTI file"):
        read_volume(path)


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz"])
@pytest.mark.parametrize("content", [b"hello" * 200, gzip.compress(b"hello" * 200, mtime=0)])
def test_other_content_under_a_nifti_name_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CowganError, match="is a text file"):
        read_volume(path)


def test_a_corrupted_byte_in_the_compressed_stream_is_noticed(tmp_path):
    path = save(tmp_path / "v.nii.gz", np.random.default_rng(0).random((16, 16, 16), np.float32))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(CowganError, match="damaged, incomplete"):
        read_volume(path)


def test_a_header_that_promises_too_much_is_refused(tmp_path):
    path = save(tmp_path / "v.nii", np.zeros((2, 3, 4), np.float32))
    content = bytearray(path.read_bytes())
    content[42:48] = np.array([32767] * 3, "<i2").tobytes()
    path.write_bytes(content)
    with pytest.raises(CowganError, match="damaged, incomplete"):
        read_volume(path)


def test_a_flat_affine_is_refused(tmp_path):
    path = save(tmp_path / "v.nii", np.zeros((2, 3, 4), np.float32))
    content = bytearray(path.read_bytes())
    content[280:328] = bytes(48)
    path.write_bytes(content)
    with pytest.raises(CowganError, match="left and right are unknown"):
        read_volume(path)


def test_missing_files_folders_and_other_names_are_refused(tmp_path):
    with pytest.raises(CowganError, match="does not exist"):
        read_volume(tmp_path / "v.nii")
    with pytest.raises(CowganError, match="is a folder"):
        read_volume(tmp_path)
    (tmp_path / "v.txt").write_text("x", encoding="utf-8")
    with pytest.raises(CowganError, match="is a text file"):
        read_volume(tmp_path / "v.txt")
    (tmp_path / "v.dat").write_bytes(bytes(range(200)))
    with pytest.raises(CowganError, match="not an image that can be read; use NIfTI"):
        read_volume(tmp_path / "v.dat")


def test_a_file_that_may_not_be_opened_is_refused(tmp_path, monkeypatch):
    path = save(tmp_path / "v.nii", np.zeros((2, 3, 4), np.float32))

    def forbidden(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Removing the permission itself would not stop a test that runs as root.
    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(CowganError, match="could not be read: Permission denied"):
        read_volume(path)


@pytest.mark.parametrize("read", [read_volume, read_labels])
def test_only_what_the_header_states_is_unpacked(tmp_path, read, single_sentence):
    small = save(tmp_path / "v.nii", np.zeros((2, 2, 2), np.uint8)).read_bytes()
    path = tmp_path / "bomb.nii.gz"
    with gzip.open(path, "wb", compresslevel=1) as packed:
        packed.write(small)
        for _ in range(100):
            packed.write(bytes(2**20))
    tracemalloc.start()
    try:
        with pytest.raises(CowganError) as refusal:
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()
    assert "more than the image that its header states" in single_sentence(refusal)


def test_a_file_far_longer_than_its_image_is_refused(tmp_path, single_sentence):
    path = save(tmp_path / "v.nii", np.zeros((2, 2, 2), np.uint8))
    os.truncate(path, 2**40)
    with pytest.raises(CowganError) as refusal:
        read_volume(path)
    assert "more than the image" in single_sentence(refusal)


def test_padding_after_the_voxels_is_read_past(tmp_path):
    content = save(tmp_path / "v.nii", np.arange(8, dtype=np.uint8).reshape(2, 2, 2)).read_bytes()
    for name, padded in (
        ("a.nii", content + bytes(1000)),
        ("b.nii.gz", gzip.compress(content + bytes(1000))),
    ):
        (tmp_path / name).write_bytes(padded)
        assert read_volume(tmp_path / name).data.sum() == 28


def test_a_volume_beyond_any_scan_is_refused_unread(tmp_path, single_sentence):
    header = nib.Nifti1Header()
    header.set_data_shape((2048, 2048, 2048))
    header.set_data_dtype(np.uint8)
    header["vox_offset"] = 352
    header["magic"] = b"n+1"
    path = tmp_path / "v.nii"
    path.write_bytes(header.binaryblock + bytes(4))
    os.truncate(path, 352 + 2048**3)
    with pytest.raises(CowganError) as refusal:
        read_volume(path)
    assert "million" in single_sentence(refusal)


def test_an_affine_beyond_all_numbers_is_refused(tmp_path, single_sentence):
    affine = np.diag([-1e155, 1e155, 1e155, 1])
    nib.save(nib.Nifti2Image(np.zeros((4, 4, 4), np.uint8), affine), tmp_path / "v.nii")
    with pytest.raises(CowganError) as refusal:
        read_volume(tmp_path / "v.nii")
    single_sentence(refusal)


def test_reference_scans_open_where_nibabel_says(shared_dir):
    path = shared_dir / "topcow_mr_003_label.nii.gz"
    path = path if path.exists() else shared_dir / "data" / path.name
    volume = read_volume(path)
    image = nib.load(path)
    stored = image.get_fdata()
    index = np.unravel_index(np.flatnonzero(stored)[::997], stored.shape)
    world = nib.affines.apply_affine(image.affine, np.stack(index, axis=-1))
    found = np.linalg.solve(
        volume.affine, np.concatenate([world, np.ones((len(world), 1))], axis=1).T
    )[:3]
    x, y, z = np.round(found).astype(int)
    assert np.allclose(found, [x, y, z], atol=1e-3)
    assert np.array_equal(volume.data[z, x, y], stored[index].astype(np.float32))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(st.integers(0, 347), st.integers(0, 255), min_size=1, max_size=4))
def test_a_damaged_header_gives_a_volume_or_a_sentence(tmp_path, changes):
    path = save(tmp_path / "v.nii", np.ones((2, 3, 4), np.float32))
    content = bytearray(path.read_bytes())
    for position, value in changes.items():
        content[position] = value
    path.write_bytes(content)
    with suppress(CowganError):
        read_volume(path)


def test_a_label_map_keeps_its_values_its_side_and_its_integer_type(tmp_path: Path) -> None:
    labels = np.zeros((4, 6, 5), np.uint8)
    labels[1, 5, 2] = 15
    write_labels(labels, default_affine((4, 6, 5)), tmp_path / "l.nii.gz", {"synthetic": True})
    image = nib.load(tmp_path / "l.nii.gz")
    assert image.get_data_dtype() == np.uint8
    (marked,) = np.argwhere(np.asanyarray(image.dataobj) == 15)
    assert (image.affine @ [*marked, 1])[0] < 0, "the mark is on the patient's left"
    to_pir = ornt_transform(io_orientation(image.affine), axcodes2ornt("PIR"))
    turned = image.as_reoriented(to_pir)
    nib.save(turned, tmp_path / "turned.nii")
    for name in ("l.nii.gz", "turned.nii"):
        again, affine = read_labels(tmp_path / name)
        np.testing.assert_array_equal(again, labels)
        np.testing.assert_allclose(affine, default_affine((4, 6, 5)), atol=1e-6)


@pytest.mark.parametrize("value", [0.5, -1, 256, np.nan])
def test_an_image_is_not_a_label_map(tmp_path: Path, value: float, single_sentence) -> None:
    array = np.zeros((3, 3, 3), np.float32)
    array[0, 0, 0] = value
    nib.save(nib.Nifti1Image(array, np.eye(4)), tmp_path / "image.nii")
    with pytest.raises(CowganError) as refusal:
        read_labels(tmp_path / "image.nii")
    assert "not a label map" in single_sentence(refusal)
    with pytest.raises(CowganError) as refusal:
        write_labels(array, np.eye(4), tmp_path / "out.nii")
    single_sentence(refusal)
    assert not (tmp_path / "out.nii").exists()
