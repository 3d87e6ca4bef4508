import analytic_shapes as shapes
import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, gaussian_filter, maximum_filter

from cowgan.skeleton import skeletonize_mask

SPACINGS = [shapes.TEMPLATE, (0.8, 0.469, 0.469), (0.6, 0.297, 0.297)]


def test_an_empty_mask_has_an_empty_skeleton():
    skeleton = skeletonize_mask(np.zeros((3, 4, 5), bool), (1, 1, 1))
    assert len(skeleton) == 0
    assert skeleton.links_mm.shape == (0, 0)


def test_a_line_of_voxels_is_its_own_skeleton_in_place():
    mask = np.zeros((5, 9, 7), bool)
    mask[2, 1:8, 3] = True
    skeleton = skeletonize_mask(mask, (1, 2, 3))
    assert np.array_equal(skeleton.voxels, np.argwhere(mask))
    assert np.allclose(skeleton.points_mm, np.argwhere(mask) * [1, 2, 3])
    assert skeleton.links_mm.sum() == pytest.approx(2 * 6 * 2)


def test_diagonal_neighbours_are_linked_at_their_distance():
    mask = np.zeros((6, 6, 6), bool)
    mask[range(1, 5), range(1, 5), range(1, 5)] = True
    skeleton = skeletonize_mask(mask, (1, 2, 2))
    assert skeleton.links_mm.nnz == 2 * 3
    assert np.allclose(skeleton.links_mm.data, 3)


def test_parts_that_do_not_touch_have_numbers_of_their_own():
    mask = np.zeros((4, 12, 12), bool)
    mask[1, 1:11, 2] = mask[1, 1:11, 8] = True
    skeleton = skeletonize_mask(mask, (1, 1, 1))
    assert len(set(skeleton.component)) == 2
    assert (skeleton.component == skeleton.component[0]).sum() == (skeleton.voxels[:, 2] == 2).sum()


@pytest.mark.parametrize("spacing_mm", SPACINGS)
@pytest.mark.parametrize("radius_mm", [0.7, 1.0, 1.4, 2.0, 2.5])
def test_the_radius_of_straight_tubes_is_right_within_0_1_mm(radius_mm, spacing_mm):
    medians = []
    for seed in range(6):
        shape = shapes.tube(shapes.line(15), radius_mm, spacing_mm, seed)
        medians.append(np.median(skeletonize_mask(shape.mask, spacing_mm).radius_mm))
    assert np.mean(medians) == pytest.approx(radius_mm, abs=0.1)


def test_the_edge_of_the_volume_is_no_wall():
    mask = np.zeros((20, 9, 9), bool)
    mask[:, 2:7, 2:7] = True
    assert skeletonize_mask(mask, (1, 1, 1)).radius_mm.max() == 3


def test_a_mask_moved_by_whole_voxels_has_the_same_skeleton():
    mask = shapes.tube(shapes.helix(4, 5, 1), 1.2, seed=1).mask
    moved = np.pad(mask, ((3, 0), (5, 2), (0, 7)))
    before, after = (skeletonize_mask(m, shapes.TEMPLATE) for m in (mask, moved))
    assert np.array_equal(before.voxels, after.voxels - np.array([3, 5, 0]))
    assert np.array_equal(before.radius_mm, after.radius_mm)


@pytest.mark.parametrize("width", range(1, 8))
@pytest.mark.parametrize("axis", range(3))
def test_a_straight_piece_of_any_width_keeps_its_centreline(width: int, axis: int) -> None:
    mask = np.zeros((24, 24, 24), bool)
    mask[2:22, 8 : 8 + width, 8 : 8 + width] = True
    skeleton = skeletonize_mask(np.moveaxis(mask, 0, axis), (0.6, 0.6, 0.6))
    along = skeleton.voxels[:, axis]
    assert np.ptp(along) >= 19 - width
    assert len(set(skeleton.component)) == 1


def test_every_piece_keeps_at_least_one_voxel() -> None:
    mask = np.zeros((20, 20, 20), bool)
    mask[2:4, 2:4, 2:4] = mask[8:12, 8:12, 8:12] = mask[16, 16, 16] = True
    assert len(set(skeletonize_mask(mask, (0.6, 0.6, 0.6)).component)) == 3


def test_the_radius_is_the_greatest_distance_around_each_voxel() -> None:
    spacing_mm = (0.8, 0.3, 0.5)
    mask = gaussian_filter(np.random.default_rng(3).random((30, 44, 40)), 2) > 0.5
    skeleton = skeletonize_mask(mask, spacing_mm)
    distance = distance_transform_edt(np.pad(mask, 1, mode="edge"), sampling=spacing_mm)
    greatest = maximum_filter(distance, 3)[1:-1, 1:-1, 1:-1]
    inner = ((skeleton.voxels > 7) & (skeleton.voxels < np.array(mask.shape) - 8)).all(axis=1)
    assert inner.sum() > 20
    np.testing.assert_allclose(
        skeleton.radius_mm[inner], greatest[tuple(skeleton.voxels[inner].T)], rtol=1e-6
    )
