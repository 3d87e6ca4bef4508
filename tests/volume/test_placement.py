"""Tests of remarks on orientation, size and position of images."""

import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from cowgan.errors import CowganError
from cowgan.volume import ImpossibleSizeError, Volume, read_volume, write_nifti

SHAPE = (20, 24, 10)
LAS = np.array([[-3.0, 0, 0, 30], [0, 3, 0, -36], [0, 0, 4, -20], [0, 0, 0, 1]])
RAS = np.diag([-1.0, 1, 1, 1]) @ LAS
VOXELS = np.random.default_rng(0).random(SHAPE, np.float32)


def save(folder: Path, sform=LAS, qform=None, codes=(1, 0), **fields) -> Path:
    image = nib.Nifti1Image(VOXELS, LAS)
    image.set_qform(LAS if qform is None else qform, code=codes[1])
    image.set_sform(sform, code=codes[0])
    image.header.set_xyzt_units("mm")
    content = bytearray(image.to_bytes())
    header = nib.Nifti1Header(bytes(content[:348]), check=False)
    header["sform_code"], header["qform_code"] = codes
    for name, value in fields.items():
        header[name] = value
    content[:348] = header.binaryblock
    path = folder / "scan.nii"
    path.write_bytes(content)
    return path


def remarks_of(volume: Volume) -> str:
    return " ".join(volume.remarks)


def test_a_plain_image_gives_no_occasion_for_remarks(tmp_path):
    volume = read_volume(save(tmp_path, codes=(1, 1)))
    assert volume.remarks == ()
    assert "remarks" not in volume.provenance["sources"][-1]


def test_an_empty_sform_gives_way_to_the_qform(tmp_path):
    volume = read_volume(save(tmp_path, codes=(2, 1), srow_x=0, srow_y=0, srow_z=0))
    np.testing.assert_allclose(volume.affine, LAS, atol=1e-4)
    assert volume.remarks == ("The sform is empty; the qform was used.",)
    assert volume.provenance["sources"][-1]["orientation_from"] == "qform"


def test_contradictory_left_and_right_are_reported(tmp_path):
    volume = read_volume(save(tmp_path, RAS, LAS, (1, 1)))
    assert "disagree about left and right; the sform was used" in remarks_of(volume)
    np.testing.assert_array_equal(volume.data, VOXELS[::-1].transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("qform", "part"),
    [
        (LAS @ np.diag([1, 1, 1.5, 1]), "size of a voxel (3 x 3 x 4 and 3 x 3 x 6 mm)"),
        (LAS + np.array([[0, 0, 0, 12]] + [[0] * 4] * 3), "its position, by up to 12 mm"),
        (LAS[[0, 2, 1, 3]] * [1, 1, -1, 1], "the directions of the axes"),
    ],
    ids=["size", "position", "directions"],
)
def test_other_contradictions_are_reported(tmp_path, qform, part):
    assert part in remarks_of(read_volume(save(tmp_path, LAS, qform, (1, 1))))


def test_a_missing_orientation_is_reported(tmp_path):
    volume = read_volume(save(tmp_path, codes=(0, 0)))
    assert "which side is the patient's left is a guess" in remarks_of(volume)
    np.testing.assert_allclose(volume.spacing_mm, (4, 3, 3))


def test_without_orientation_and_voxel_size_nothing_is_guessed(tmp_path, single_sentence):
    with pytest.raises(CowganError) as refusal:
        read_volume(save(tmp_path, codes=(0, 0), pixdim=[1, 0, 3, 4, 0, 0, 0, 0]))
    assert "how large its voxels are" in single_sentence(refusal)


def test_a_negative_voxel_size_is_reported_and_mirrors_nothing(tmp_path):
    volume = read_volume(save(tmp_path, codes=(0, 1), pixdim=[-1, -3, 3, 4, 0, 0, 0, 0]))
    np.testing.assert_allclose(volume.affine, LAS, atol=1e-4)
    assert "negative voxel size" in remarks_of(volume)


@pytest.mark.parametrize("qfac", [0, 1])
def test_a_qfac_of_zero_means_one(tmp_path, qfac):
    volume = read_volume(
        save(tmp_path, qform=RAS, codes=(0, 1), pixdim=[qfac, 3, 3, 4, 0, 0, 0, 0])
    )
    np.testing.assert_allclose(volume.data, VOXELS[::-1].transpose(2, 0, 1))


def test_voxel_sizes_that_contradict_the_only_orientation_are_reported(tmp_path):
    volume = read_volume(save(tmp_path, codes=(1, 0), pixdim=[1, 1, 1, 1, 0, 0, 0, 0]))
    assert "The sform and pixdim disagree about the size of a voxel" in remarks_of(volume)
    assert volume.spacing_mm == pytest.approx((4, 3, 3))


@pytest.mark.parametrize(("units", "named"), [(1, "60,000 x 72,000"), (3, "0.06 x 0.072 x 0.04")])
def test_millimetres_marked_as_something_else_are_no_size_of_a_head(
    tmp_path, units, named, single_sentence
):
    path = save(tmp_path, xyzt_units=units)
    with pytest.raises(ImpossibleSizeError) as refusal:
        read_volume(path)
    sentence = single_sentence(refusal)
    assert named in sentence
    assert "are the units millimetres? If so, open it with --units mm" in sentence
    assert refusal.value.likely_units == "mm"
    volume = read_volume(path, units="mm")
    assert volume.spacing_mm == pytest.approx((4, 3, 3))
    assert "millimetres were used, as asked" in remarks_of(volume)


def test_metres_without_a_unit_are_recognised(tmp_path):
    in_metres = np.diag([1e-3, 1e-3, 1e-3, 1]) @ LAS
    path = save(tmp_path, in_metres, in_metres, xyzt_units=0)
    with pytest.raises(ImpossibleSizeError, match="are the units metres"):
        read_volume(path)
    assert read_volume(path, units="m").spacing_mm == pytest.approx((4, 3, 3))


def test_voxels_like_needles_are_impossible(tmp_path):
    with pytest.raises(ImpossibleSizeError, match=r"impossible for a head\."):
        read_volume(save(tmp_path, LAS @ np.diag([0.01, 1, 1, 1])))


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(angle=st.floats(-40, 40), axis=st.sampled_from("xyz"))
def test_an_oblique_image_is_reported_with_its_angle_and_placed_as_by_nibabel(
    tmp_path, angle, axis
):
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler(axis, angle, degrees=True).as_matrix()
    path = save(tmp_path, affine @ LAS, affine @ LAS, (1, 1))
    volume = read_volume(path)
    oblique = [text for text in volume.remarks if "oblique" in text]
    assert bool(oblique) == (abs(angle) >= 1) or abs(abs(angle) - 1) < 1e-3
    if oblique:
        remarks_of = int(re.search(r"by (\d+) degrees", oblique[0])[1])
        assert abs(remarks_of - abs(angle)) < 0.501
    np.testing.assert_allclose(volume.affine, nib.load(path).affine, atol=1e-3)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    codes=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    units=st.sampled_from([0, 2]),
    flips=st.tuples(*[st.sampled_from([-1, 1])] * 3),
    order=st.permutations(range(3)),
)
def test_the_voxels_lie_where_nibabel_says_whatever_the_header_states(
    tmp_path, codes, units, flips, order
):
    affine = np.diag([*flips, 1.0]) @ LAS[[*order, 3]]
    path = save(tmp_path, affine, LAS, codes, xyzt_units=units)
    volume = read_volume(path)
    reference = nib.load(path)
    marked = np.unravel_index(np.argmax(VOXELS), SHAPE)
    z, x, y = np.unravel_index(np.argmax(volume.data), volume.shape)
    position_mm = volume.affine @ [x, y, z, 1]
    np.testing.assert_allclose(position_mm, reference.affine @ [*marked, 1], atol=1e-3)


def test_axes_off_right_angles_are_reported(tmp_path):
    sheared = LAS.copy()
    sheared[0, 2] = 1
    assert "off right angles" in remarks_of(read_volume(save(tmp_path, sheared)))


def test_remarks_go_on_to_what_is_made_of_an_image(tmp_path):
    volume = read_volume(save(tmp_path, codes=(0, 0)))
    write_nifti(volume, tmp_path / "copy.nii.gz")
    (remark,) = read_volume(tmp_path / "copy.nii.gz").remarks
    assert remark.startswith("scan.nii: No orientation is stored")
