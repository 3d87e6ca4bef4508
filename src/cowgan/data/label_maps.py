"""Label maps that belong to images: what they must be, and how they are brought to another grid."""

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.errors import CowganError
from cowgan.text import dimensions
from cowgan.volume import OpenedImage, Volume
from cowgan.volume.label_resampling import resample_labels
from cowgan.volume.resampling import Grid, resample

_MOST_APART_VOXELS = 0.1
"""Distance of corresponding corners at which two maps no longer lie in the same place."""


def require_labels(image: OpenedImage, scheme: LabelScheme) -> None:
    """Raise `CowganError` unless an image is a label map of a scheme."""
    try:
        scheme.require(image.labels())
    except CowganError as error:
        name = image.path.name
        # An empty or odd label map may look like an image, so that is no reason to refuse one.
        if image.content == "image":
            raise CowganError(f"{name} is an image and no label map.", error.sentence) from error
        if name in error.sentence:
            raise
        raise CowganError(f"{name}: {error.sentence}", error.detail) from error


def require_one_grid(
    case: str, one: tuple[str, OpenedImage], other: tuple[str, OpenedImage]
) -> None:
    """Raise `CowganError` unless two images, given with what they are, lie on one grid."""
    if difference := difference_of_grids(case, one, other):
        raise CowganError(difference)


def difference_of_grids(
    case: str, one: tuple[str, OpenedImage], other: tuple[str, OpenedImage]
) -> str:
    """Return in a sentence how the grids of two images differ; empty if they do not."""
    (name, image), (other_name, other_image) = one, other
    both = f"The {name} and the {other_name} of {case}"
    advice = "resample one to the grid of the other."
    shapes = image.turned.shape, other_image.turned.shape
    if shapes[0] != shapes[1]:
        return (
            f"{both} differ in size: {dimensions(shapes[0])} and {dimensions(shapes[1])} voxels "
            f"(z, x, y); {advice}"
        )
    if not np.allclose(image.spacing_mm, other_image.spacing_mm, rtol=1e-3, atol=0):
        sizes = [dimensions(each.spacing_mm, ".4g") for each in (image, other_image)]
        return f"{both} differ in voxel size: {sizes[0]} and {sizes[1]} mm (z, x, y); {advice}"
    nz, nx, ny = shapes[0]
    corners = np.array([[*index, 1] for index in np.ndindex(2, 2, 2)]) * [nx, ny, nz, 1]
    apart_mm = np.linalg.norm(corners @ (image.affine - other_image.affine).T, axis=1).max()
    if apart_mm > _MOST_APART_VOXELS * min(other_image.spacing_mm):
        return f"{both} lie up to {apart_mm:.3g} mm apart by their headers; {advice}"
    return ""


def labels_on_grid(
    labels: NDArray[np.uint8],
    affine: NDArray[np.float64],
    grid: Grid,
    to_grid: NDArray[np.float64] | None = None,
) -> NDArray[np.uint8]:
    """Return a label map on another grid, with the volume of every label.

    Parameters
    ----------
    labels : ndarray, shape (z, x, y), uint8
        0 is background; some voxel has another label.
    affine : ndarray, shape (4, 4)
        As in `cowgan.volume.Volume.affine`.
    grid : Grid
        The output grid.
    to_grid : ndarray, shape (4, 4), optional
        Maps RAS millimetres of the label map to RAS millimetres of the grid; identity by default.
    """
    placed = affine if to_grid is None else to_grid @ affine
    filled = resample(Volume((labels > 0).astype(np.float32), placed), grid, order=1).data
    return resample_labels(labels, placed, grid, filled)
