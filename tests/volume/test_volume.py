import numpy as np
import pytest

from cowgan.errors import CowganError
from cowgan.volume import DEFAULT_SPACING_MM, Volume, default_affine

SHAPE = (4, 6, 8)


def make(data: np.ndarray | None = None, **changes) -> Volume:
    data = np.zeros(SHAPE) if data is None else data
    return Volume(**{"data": data, "affine": default_affine(SHAPE), **changes})


def test_default_affine_is_the_template_grid_centred_on_the_origin():
    affine = default_affine(SHAPE)
    assert np.diag(affine).tolist() == [-0.61875, 0.61875, 0.62, 1]
    centre = (np.array([6, 8, 4]) - 1) / 2
    assert np.allclose(affine @ [*centre, 1], [0, 0, 0, 1])


def test_shape_and_spacing_are_in_network_order():
    volume = make(affine=default_affine(SHAPE, (3, 1, 2)))
    assert volume.shape == SHAPE
    assert volume.spacing_mm == pytest.approx((3, 1, 2))
    assert make().spacing_mm == pytest.approx(DEFAULT_SPACING_MM)


def test_numbers_of_any_real_type_become_float32_and_float32_is_not_copied():
    assert make(np.ones(SHAPE, np.int16)).data.dtype == np.float32
    data = np.ones(SHAPE, np.float32)
    assert make(data).data is data


def test_the_provenance_says_whether_a_volume_is_synthetic():
    assert make(provenance={"synthetic": True}).synthetic
    assert not make().synthetic


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"data": np.zeros((4, 6))}, "3 dimensions, but this image has 2"),
        ({"data": np.zeros((0, 6, 8))}, "no voxels"),
        ({"data": np.zeros(SHAPE, complex)}, "one real number per voxel"),
        ({"affine": np.eye(3)}, "position of this image in space is damaged"),
        ({"affine": np.full((4, 4), np.nan)}, "position of this image in space is damaged"),
        ({"affine": np.eye(4)}, "do not tell left"),
        ({"affine": np.diag([-1, 1, 0, 1])}, "position of this image in space is damaged"),
        ({"provenance": {"z": np.zeros(3)}}, "cannot be stored as JSON"),
    ],
)
def test_an_invalid_volume_is_refused_in_one_sentence(changes, sentence):
    with pytest.raises(CowganError, match=sentence):
        make(**changes)


def test_an_affine_so_tilted_that_it_mirrors_is_refused():
    normal = np.ones(3) / np.sqrt(3)
    mirror = np.eye(4)
    mirror[:3, :3] -= 2 * np.outer(normal, normal)
    with pytest.raises(CowganError, match="do not tell left"):
        make(affine=np.diag([-1, 1, 1, 1]) @ mirror)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_non_finite_voxels_are_counted(bad):
    data = np.zeros(SHAPE)
    data[0, 0, :3] = bad
    with pytest.raises(CowganError, match="3 voxels whose value is not a finite number"):
        make(data)
    data[0, 0, 1:3] = 0
    with pytest.raises(CowganError, match="1 voxel whose"):
        make(data)


def test_values_beyond_float32_count_as_non_finite():
    with pytest.raises(CowganError, match="not a finite number"):
        make(np.full(SHAPE, 1e300))
