import numpy as np
import pytest

from cowgan.errors import CowganError
from cowgan.volume import Volume, default_affine, mip, thumbnail

SHAPE = (8, 12, 16)
SUPERIOR, LEFT, ANTERIOR = 1.0, 2.0, 3.0


@pytest.fixture
def volume() -> Volume:
    """Return a volume with one bright voxel at the superior, left and anterior face."""
    data = np.zeros(SHAPE, np.float32)
    data[-1, 5, 7] = SUPERIOR
    data[4, -1, 7] = LEFT
    data[4, 5, -1] = ANTERIOR
    return Volume(data, default_affine(SHAPE, (2, 1, 1)))


def where(picture: np.ndarray, value: float) -> tuple[int, int]:
    ((row, column),) = np.argwhere(picture == value)
    return int(row), int(column)


def test_axial_has_anterior_up_and_the_patients_left_on_the_right(volume):
    picture = mip(volume, "axial")
    assert picture.shape == (16, 12)
    assert where(picture, ANTERIOR) == (0, 5)
    assert where(picture, LEFT) == (8, 11)


def test_coronal_has_superior_up_and_the_patients_left_on_the_right(volume):
    picture = mip(volume, "coronal")
    assert picture.shape == (8, 12)
    assert where(picture, SUPERIOR) == (0, 5)
    assert where(picture, LEFT) == (3, 11)


def test_sagittal_has_superior_up_and_anterior_on_the_left(volume):
    picture = mip(volume, "sagittal")
    assert picture.shape == (8, 16)
    assert where(picture, SUPERIOR) == (0, 8)
    assert where(picture, ANTERIOR) == (3, 0)


def test_isotropic_pixels_restore_proportions(volume):
    assert mip(volume, "axial", isotropic=True).shape == (16, 12)
    assert mip(volume, "coronal", isotropic=True).shape == (16, 12)
    assert mip(volume, "sagittal", isotropic=True).shape == (16, 16)


def test_thumbnail_is_letterboxed(volume):
    picture = thumbnail(volume, "axial", 32)
    assert picture.shape == (32, 32)
    assert picture.dtype == np.uint8
    assert picture.max() == 255
    assert not picture[:, :4].any()
    assert not picture[:, -4:].any()
    row, column = np.unravel_index(picture.argmax(), picture.shape)
    assert row < 3
    assert 10 < column < 18


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 40, 3), (40, 1, 2)])
def test_thumbnail_of_odd_shapes_and_constant_volumes(plane, shape):
    volume = Volume(np.ones(shape), default_affine(shape))
    assert thumbnail(volume, plane, 16).shape == (16, 16)


def test_unknown_plane_and_size_are_refused(volume):
    with pytest.raises(CowganError, match="choose one of axial, coronal, sagittal"):
        mip(volume, "oblique")
    with pytest.raises(CowganError, match="at least 1 pixel"):
        thumbnail(volume, size=0)
