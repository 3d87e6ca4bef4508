"""Tests of the resampling of label maps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cowgan.volume import Volume, default_affine
from cowgan.volume.label_resampling import most_filled, resample_labels
from cowgan.volume.resampling import Grid, resample

FINE_SHAPE, FINE_MM = (50, 60, 70), (0.5, 0.4, 0.3)
AFFINE = default_affine(FINE_SHAPE, FINE_MM)


def tubes() -> np.ndarray:
    """Return two tubes that touch, and a thin one."""
    z, x, y = ((np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(FINE_SHAPE, FINE_MM, strict=True))
    z, x, y = z[:, None, None], x[:, None], y
    labels = np.zeros(FINE_SHAPE, np.uint8)
    labels[np.hypot(x, y - 1 + 0 * z) < 2] = 3
    labels[(labels == 3) & (z > 1)] = 12
    labels[np.hypot(z - 3, x + 8 + 0 * y) < 0.35] = 8
    return labels


def resampled(labels: np.ndarray, grid: Grid) -> np.ndarray:
    filled = resample(Volume(labels > 0, AFFINE), grid, order=1).data
    return resample_labels(labels, AFFINE, grid, filled)


def test_every_label_keeps_its_volume_and_place():
    labels = tubes()
    grid = Grid((40, 48, 50), default_affine((40, 48, 50), (0.62, 0.61875, 0.61875)))
    coarse = resampled(labels, grid)
    assert np.unique(coarse).tolist() == [0, 3, 8, 12]
    for value in (3, 8, 12):
        volume_mm3 = (labels == value).sum() * np.prod(FINE_MM)
        assert (coarse == value).sum() * 0.62 * 0.61875**2 == pytest.approx(volume_mm3, rel=0.01)
        alone = resample(Volume(labels == value, AFFINE), grid, order=1).data
        assert (alone[coarse == value] > 0).mean() > 0.99


def test_the_same_grid_changes_nothing():
    labels = tubes()
    np.testing.assert_array_equal(resampled(labels, Grid(FINE_SHAPE, AFFINE)), labels)


def test_labels_outside_the_grid_do_not_count():
    labels = tubes()
    part = Grid((30, 30, 70), AFFINE @ shift(x=20, z=10))
    np.testing.assert_array_equal(resampled(labels, part), labels[10:40, 20:50])


def shift(x: int, z: int) -> np.ndarray:
    matrix = np.eye(4)
    matrix[0, 3], matrix[2, 3] = x, z
    return matrix


@given(
    arrays(np.uint8, 30, elements=st.sampled_from([2, 5, 9])),
    arrays(np.float32, 30, elements=st.floats(0, 1, width=32)),
    st.dictionaries(st.sampled_from([2, 5, 7]), st.floats(0, 40)),
)
def test_a_label_takes_the_fullest_of_its_voxels(nearest, filled, volumes):
    labels = most_filled(nearest, filled, volumes)
    for value in (2, 5, 9):
        own = nearest == value
        taken = labels == value
        assert taken.sum() == min(own.sum(), round(volumes.get(value, 0)))
        assert not taken[~own].any()
        if taken.any() and (own & ~taken).any():
            assert filled[taken].min() >= filled[own & ~taken].max()
