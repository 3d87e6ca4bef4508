"""Tests of resampling: positions, edges and intensity ranges."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from cowgan.volume import Volume, default_affine, reorient_to_las
from cowgan.volume.averaging import shrink
from cowgan.volume.itk import from_itk_transform, image_affine, to_itk, to_itk_transform
from cowgan.volume.resampling import Grid, grid_of_spacing, resample

sitk = pytest.importorskip("SimpleITK")


def _voxels_of(image: sitk.Image) -> np.ndarray:
    array = sitk.GetArrayFromImage(image).transpose(2, 1, 0)
    return reorient_to_las(array, image_affine(image))[0]


@pytest.fixture(scope="module")
def volume() -> Volume:
    random = np.random.default_rng(1)
    smooth = gaussian_filter(random.random((30, 40, 50)), 2.0)
    affine = default_affine((30, 40, 50), (1.2, 0.8, 0.9))
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec([0.1, -0.2, 0.15]).as_matrix()
    return Volume(smooth, turn @ affine)


@pytest.fixture(scope="module")
def to_input() -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec([-0.2, 0.1, 0.3]).as_matrix()
    matrix[:3, 3] = [2, -3, 1]
    return matrix


def test_linear_interpolation_agrees_with_itk(volume, to_input):
    grid = Grid((14, 20, 20), default_affine((14, 20, 20), (1.3, 1.0, 1.1)))
    resampled = resample(volume, grid, to_input, order=1)
    like = to_itk(np.zeros(grid.shape, np.float32), grid.affine)
    reference = sitk.Resample(
        to_itk(volume.data, volume.affine), like, to_itk_transform(to_input), sitk.sitkLinear
    )
    assert resampled.coverage == 1
    np.testing.assert_allclose(resampled.data, _voxels_of(reference), atol=2e-4)


def test_cubic_interpolation_agrees_with_itk(volume, to_input):
    grid = Grid((16, 24, 20), default_affine((16, 24, 20), (1.3, 1.0, 1.1)))
    fine = Grid(grid.shape, grid.affine @ np.diag([0.7, 0.7, 0.7, 1]))
    resampled = resample(volume, fine, to_input)
    like = to_itk(np.zeros(fine.shape, np.float32), fine.affine)
    reference = sitk.Resample(
        to_itk(volume.data, volume.affine), like, to_itk_transform(to_input), sitk.sitkBSpline3
    )
    np.testing.assert_allclose(resampled.data, _voxels_of(reference), atol=2e-3)


def test_transforms_survive_the_way_to_itk_and_back(to_input):
    np.testing.assert_allclose(from_itk_transform(to_itk_transform(to_input)), to_input, atol=1e-9)
    point = np.array([12.0, -7.0, 30.0])
    expected = to_input[:3, :3] @ point + to_input[:3, 3]
    lps = [-1, -1, 1]
    moved = to_itk_transform(to_input).TransformPoint((point * lps).tolist())
    np.testing.assert_allclose(np.array(moved) * lps, expected, atol=1e-9)


def test_outside_the_input_is_zero_and_known_to_be_outside(volume):
    shifted = volume.affine.copy()
    shifted[:3, 3] += volume.affine[:3, 0] * 10
    part = resample(Volume(volume.data + 5, volume.affine), Grid(volume.shape, shifted))
    assert part.coverage == pytest.approx(30 / 40)
    assert (part.data[~part.inside] == 0).all()
    assert (part.data[part.inside] > 4).all()


def test_a_grid_far_away_is_empty(volume):
    far = volume.affine.copy()
    far[:3, 3] += 1000
    part = resample(volume, Grid((4, 4, 4), far))
    assert part.coverage == 0
    assert not part.data.any()


def test_a_needed_corner_gives_what_the_whole_would(volume):
    """Only the needed part of an input is interpolated."""
    big = Volume(np.pad(volume.data, 40, mode="reflect"), volume.affine)
    corner = np.eye(4)
    corner[:3, 3] = 70
    grid = Grid((10, 10, 10), big.affine @ corner)
    np.testing.assert_allclose(resample(big, grid).data, big.data[70:80, 70:80, 70:80], atol=1e-5)


def test_splines_do_not_leave_the_range_of_the_input():
    data = np.zeros((20, 20, 20), np.float32)
    data[8:12, 8:12, 8:12] = 1
    affine = default_affine((20, 20, 20), (1, 1, 1))
    fine = Grid((50, 50, 50), default_affine((50, 50, 50), (0.37, 0.37, 0.37)))
    part = resample(Volume(data, affine), fine)
    assert part.data.min() >= 0
    assert part.data.max() <= 1


def test_a_fine_input_does_not_alias():
    """Stripes finer than the grid must turn grey."""
    data = np.zeros((8, 96, 8), np.float32)
    data[:, ::2] = 1
    volume = Volume(data, default_affine(data.shape, (1, 0.25, 1)))
    part = resample(volume, Grid((8, 20, 8), default_affine((8, 20, 8), (1, 1.05, 1))))
    assert np.abs(part.data[:, 3:-3] - 0.5).max() < 0.1


def test_shrinking_averages_and_keeps_places(volume):
    ramp = np.arange(40, dtype=np.float32)[None, :, None] * np.ones((30, 40, 50), np.float32)
    small = shrink(Volume(ramp, volume.affine), 2.5)
    assert small.shape == (15, 13, 16)
    # A ramp tells where each voxel lies.
    index = np.linalg.solve(volume.affine, small.affine @ [4, 5, 6, 1])
    assert small.data[6, 4, 5] == pytest.approx(index[0])


def test_a_grid_of_another_spacing_covers_the_same_place(volume):
    spacing_mm = (2.4, 0.4, 0.9)
    grid = grid_of_spacing(volume, spacing_mm)
    assert grid.shape == (15, 80, 50)
    corner = np.array([-0.5, -0.5, -0.5, 1.0])
    np.testing.assert_allclose(grid.affine @ corner, volume.affine @ corner, atol=1e-9)
    far = np.array(volume.shape)[[1, 2, 0]] - 0.5
    own = np.array(grid.shape)[[1, 2, 0]] - 0.5
    np.testing.assert_allclose(grid.affine @ [*own, 1.0], volume.affine @ [*far, 1.0], atol=1e-9)
