"""Tests of the region of interest: its grid, the paper's, and its detection."""

import numpy as np
import pytest

from cowgan.data.roi import find_centre_mm, paper_centre_mm, region_around
from cowgan.errors import CowganError
from cowgan.volume import DEFAULT_SPACING_MM, Volume, default_affine


def test_the_region_has_the_papers_voxels_around_the_point():
    grid = region_around(np.array([5.0, -3, 12]), np.diag([-2.0, 3, 1, 1]))
    assert grid.shape == (32, 128, 128)
    np.testing.assert_allclose(grid.affine[:3, :3], np.diag([-0.61875, 0.61875, 0.62]))
    np.testing.assert_allclose(grid.centre_mm, [5, -3, 12])


def test_the_region_follows_the_axes_of_an_oblique_image():
    angle = np.radians(15)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([-0.5, 0.5, 0.8])
    grid = region_around(np.zeros(3), affine)
    np.testing.assert_allclose(grid.affine[:3, :3], turn @ np.diag([-0.61875, 0.61875, 0.62]))


def test_the_papers_region_is_its_voxels_of_its_template():
    shape = (90, 290, 360)
    template = Volume(np.zeros(shape, np.float32), default_affine(shape))
    grid = region_around(paper_centre_mm(template), template.affine)
    first = np.linalg.solve(template.affine, grid.affine[:, 3])
    np.testing.assert_allclose(first, [80, 120, 40, 1], atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((60, 290, 360), DEFAULT_SPACING_MM), ((90, 290, 360), (1.0, 1.0, 1.0))],
    ids=["too small", "other voxels"],
)
def test_the_papers_region_is_refused_in_other_templates(shape, spacing, single_sentence):
    template = Volume(np.zeros(shape, np.float32), default_affine(shape, spacing))
    with pytest.raises(CowganError) as refusal:
        paper_centre_mm(template)
    single_sentence(refusal)


def test_the_circle_of_a_head_is_found_by_its_arteries(head, other_heads):
    for scan in (head, *other_heads):
        assert (np.abs(find_centre_mm(scan)) < 12).all()


# Where the circles of real anatomies were marked, in RAS mm: the middle of their crops in a
# data set whose regions of interest were chosen by hand.
_MARKED = {
    "IXI002": (1.6, 10.0, 20.1),
    "IXI013": (-1.4, 23.2, 14.8),
    "IXI016": (4.3, 7.7, 23.7),
    "IXI033": (0.7, 24.9, 17.8),
}


@pytest.mark.parametrize("name", _MARKED)
def test_the_circle_is_found_in_real_anatomies(name, real_scan):
    error = find_centre_mm(real_scan(name)) - _MARKED[name]
    assert np.abs(error[1:]).max() < 8
    assert abs(error[0]) < 12


def test_the_circle_is_found_wherever_the_head_is(head, move, rigid):
    moved, matrix = move(head, rigid((8, -6, 10), (10, -8, 6)))
    expected = matrix @ [*find_centre_mm(head), 1]
    assert np.linalg.norm(find_centre_mm(moved) - expected[:3]) < 8


def test_an_image_without_arteries_has_no_circle(single_sentence):
    shape = (20, 60, 60)
    with pytest.raises(CowganError) as refusal:
        find_centre_mm(Volume(np.ones(shape, np.float32), default_affine(shape)))
    single_sentence(refusal)
