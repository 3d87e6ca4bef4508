from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from cowgan.errors import CowganError
from cowgan.volume import Volume, reorient_to_las
from cowgan.volume.orientation import affine_with_axes, restore_axes

ALL_AXIS_CODES = [
    "".join(codes) for order in permutations(("LR", "PA", "IS")) for codes in product(*order)
]


def test_there_are_48_orientations():
    assert len(set(ALL_AXIS_CODES)) == 48


@settings(max_examples=60, deadline=None)
@given(
    codes=st.sampled_from(ALL_AXIS_CODES),
    shape=st.tuples(*[st.integers(1, 4)] * 3),
    spacing=st.tuples(*[st.floats(0.1, 5)] * 3),
    angles=st.tuples(*[st.floats(-25, 25)] * 3),
    origin=st.tuples(*[st.floats(-200, 200)] * 3),
)
def test_every_voxel_keeps_its_value_and_world_position(codes, shape, spacing, angles, origin):
    straight = nib.orientations.inv_ornt_aff(
        nib.orientations.ornt_transform(
            nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(codes)
        ),
        shape,
    )
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * spacing
    affine[:3, 3] = origin
    affine = affine @ straight
    array = np.arange(np.prod(shape)).reshape(shape)

    data, las = reorient_to_las(array, affine)

    assert nib.aff2axcodes(las) == ("L", "A", "S")
    Volume(data, las)
    for index in np.ndindex(*shape):
        ((z, x, y),) = np.argwhere(data == array[index])
        assert np.allclose(las @ [x, y, z, 1], affine @ [*index, 1], atol=1e-9)


def test_rotations_at_the_edge_between_two_orientations_stay_valid():
    array = np.arange(24).reshape(2, 3, 4)
    for axis, sign in product("xyz", (-45, 45)):
        affine = np.eye(4)
        affine[:3, :3] = Rotation.from_euler(axis, sign, degrees=True).as_matrix()
        data, las = reorient_to_las(array, affine)
        Volume(data, las)


@pytest.mark.parametrize("affine", [np.diag([1, 1, 0, 1]), np.full((4, 4), np.inf)])
def test_a_singular_affine_is_refused(affine):
    with pytest.raises(CowganError, match="left and right are unknown"):
        reorient_to_las(np.zeros((2, 2, 2)), affine)


@pytest.mark.parametrize("codes", ALL_AXIS_CODES)
def test_restored_axes_are_those_before_turning(codes):
    array = np.arange(24).reshape(2, 3, 4)
    affine = nib.orientations.inv_ornt_aff(
        nib.orientations.ornt_transform(
            nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(codes)
        ),
        array.shape,
    )
    turned, las = reorient_to_las(array, affine)
    assert np.array_equal(restore_axes(turned.transpose(1, 2, 0), affine), array)
    assert np.allclose(affine_with_axes(las, turned.shape, codes), affine)
