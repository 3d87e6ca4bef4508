"""Projections of a volume in radiological orientation."""

# scikit-image is only partly typed.
# mypy: allow-untyped-calls

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cowgan.errors import CowganError, require_choice
from cowgan.volume.intensity import to_grey
from cowgan.volume.volume import Volume

Plane = Literal["axial", "coronal", "sagittal"]


def mip(volume: Volume, plane: Plane = "axial", *, isotropic: bool = False) -> NDArray[np.float32]:
    """Return the maximum intensity projection in radiological display order.

    Parameters
    ----------
    volume : Volume
        The volume.
    plane : {"axial", "coronal", "sagittal"}
        Axial: anterior up, patient right on the left of the picture. Coronal: superior
        up, patient right on the left. Sagittal: superior up, anterior on the left.
    isotropic : bool
        Resample linearly so that both axes have the smaller of the two voxel sizes.

    Returns
    -------
    ndarray, 2D (row, column), float32
        Row 0 is the top of the picture, column 0 its left.

    Raises
    ------
    CowganError
        The plane is unknown.
    """
    picture, spacing_mm = _project(volume, plane)
    if isotropic:
        scale = np.array(spacing_mm) / min(spacing_mm)
        rows, columns = np.maximum(1, np.round(np.array(picture.shape) * scale)).astype(int)
        picture = _resize(picture, (int(rows), int(columns)))
    return np.ascontiguousarray(picture)


def thumbnail(volume: Volume, plane: Plane = "axial", size: int = 96) -> NDArray[np.uint8]:
    """Return a square greyscale projection with true proportions, padded with black.

    Parameters
    ----------
    volume : Volume
        The volume.
    plane : {"axial", "coronal", "sagittal"}
        See `mip`.
    size : int
        Height and width in pixels.

    Returns
    -------
    ndarray, shape (size, size), uint8
        Windowed between the 1st and the 99.8th percentile of the picture.

    Raises
    ------
    CowganError
        The plane is unknown or the size is not positive.
    """
    if size < 1:
        raise CowganError(f"A thumbnail needs at least 1 pixel, not {size}.")
    picture, spacing_mm = _project(volume, plane)
    extent = np.array(picture.shape) * spacing_mm
    rows, columns = np.maximum(1, np.round(extent * size / extent.max())).astype(int)
    picture = _resize(picture, (int(rows), int(columns)))
    low, high = np.percentile(picture, (1, 99.8))
    canvas = np.zeros((size, size), dtype=np.uint8)
    top, left = (size - rows) // 2, (size - columns) // 2
    canvas[top : top + rows, left : left + columns] = to_grey(picture, low, high)
    return canvas


def _project(volume: Volume, plane: Plane) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Return the projection and its (row, column) spacing in mm."""
    require_choice("plane", plane, get_args(Plane))
    sz, sx, sy = volume.spacing_mm
    if plane == "axial":
        return volume.data.max(axis=0).T[::-1], (sy, sx)
    if plane == "coronal":
        return volume.data.max(axis=2)[::-1], (sz, sx)
    return volume.data.max(axis=1)[::-1, ::-1], (sz, sy)


def _resize(picture: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    if picture.shape == shape:
        return picture
    # Imported late: it takes a third of a second, which reading a file does not need.
    from skimage.transform import resize

    resized = resize(picture, shape, order=1, anti_aliasing=True, preserve_range=True)
    return resized.astype(np.float32)
