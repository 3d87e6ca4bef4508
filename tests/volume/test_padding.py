"""Tests of the replacement of padding, NaN and infinite voxels."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cowgan.volume import read_volume
from cowgan.volume.padding import without_padding

HEAD = np.random.default_rng(0).integers(1, 900, (30, 32, 20)).astype(np.int16)
OUTSIDE = np.zeros(HEAD.shape, bool)
OUTSIDE[:6] = OUTSIDE[:, -4:] = True


def opened(folder: Path, array: np.ndarray):
    nib.save(nib.Nifti1Image(array, np.diag([-3, 3, 4, 1])), folder / "a.nii.gz")
    return read_volume(folder / "a.nii.gz")


@pytest.mark.parametrize("value", [-32768, -2000, np.nan, np.inf, -np.inf, np.finfo("f4").min])
def test_the_same_image_comes_out_whatever_fills_the_outside(tmp_path, value):
    array = np.where(OUTSIDE, value, HEAD).astype(np.float32)
    volume = opened(tmp_path, array)
    np.testing.assert_array_equal(
        volume.data, np.where(OUTSIDE, 0, HEAD).transpose(2, 0, 1).astype(np.float32)
    )
    (remark,) = volume.remarks
    assert f"{OUTSIDE.sum():,} voxels" in remark
    assert "count as background" in remark


def test_what_interpolation_put_between_padding_and_head_goes_with_it(tmp_path):
    array = np.where(OUTSIDE, -32768, HEAD).astype(np.float32)
    array[6, :20] = -16000
    volume = opened(tmp_path, array)
    assert volume.data.min() == 0
    assert volume.provenance["sources"][-1]["padding_replaced"] == OUTSIDE.sum() + 20 * 20


def test_nan_in_an_image_around_zero_becomes_the_least_of_the_others(tmp_path):
    array = np.where(OUTSIDE, np.nan, HEAD / 450 - 1).astype(np.float32)
    volume = opened(tmp_path, array)
    assert volume.data.min() == pytest.approx(np.nanmin(array))


@settings(max_examples=40, deadline=None)
@given(
    low=st.floats(-1000, 1000),
    width=st.floats(0.01, 5000),
    background=st.floats(0, 1),
)
def test_a_background_among_the_others_is_left_alone(low, width, background):
    """Such as 0 around a brain whose intensities were standardised."""
    data = (low + width * np.random.default_rng(1).random((8, 9, 10))).astype(np.float32)
    data[:3] = low + width * background
    same, details, remarks = without_padding(data.copy())
    np.testing.assert_array_equal(same, data)
    assert not details
    assert not remarks


def test_an_image_of_nothing_but_nan_is_empty(tmp_path):
    assert not opened(tmp_path, np.full(HEAD.shape, np.nan, np.float32)).data.any()
