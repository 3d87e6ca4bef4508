"""Reorientation of images to LAS, the axis order of `Volume`."""

# nibabel is only partly typed.
# mypy: allow-untyped-calls

from typing import Any

import nibabel as nib
import numpy as np
from nibabel.orientations import (
    apply_orientation,
    axcodes2ornt,
    inv_ornt_aff,
    io_orientation,
    ornt_transform,
)
from numpy.typing import NDArray

from cowgan.errors import CowganError

_SMALLEST_VOXEL_MM, _FARTHEST_MM = 1e-6, 1e9


def places_voxels(affine: NDArray[np.float64]) -> bool:
    """Return whether an affine is valid for an image: finite, of full rank and of sane scale."""
    if not np.isfinite(affine).all() or np.abs(affine).max() > _FARTHEST_MM:
        return False
    lengths_mm = np.linalg.norm(affine[:3, :3], axis=0)
    return bool(
        lengths_mm.min() > _SMALLEST_VOXEL_MM and np.linalg.matrix_rank(affine[:3, :3]) == 3
    )


def reorient_to_las(
    array: NDArray[Any], affine: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Flip and permute whole axes until they point left, anterior and superior.

    No voxel is interpolated: an oblique image stays oblique in its affine.

    Parameters
    ----------
    array : ndarray, 3D
        Any axis order.
    affine : ndarray, shape (4, 4)
        Maps the index of `array` to RAS+ millimetres.

    Returns
    -------
    array : ndarray, shape (z, x, y)
        View of the input in network axis order.
    affine : ndarray, shape (4, 4), float64
        Maps the LAS voxel index (x, y, z) to RAS+ millimetres.

    Raises
    ------
    CowganError
        The affine is singular, not finite, or of absurd scale; see `places_voxels`.
    """
    affine = np.asarray(affine, dtype=np.float64)
    if not places_voxels(affine):
        raise CowganError(
            "The position of this image in space is damaged, so left and right are unknown.",
            f"affine {affine.tolist()}",
        )
    to_las = ornt_transform(io_orientation(affine), axcodes2ornt("LAS"))
    las = apply_orientation(array, to_las)
    return las.transpose(2, 0, 1), affine @ inv_ornt_aff(to_las, array.shape)


def restore_axes(las: NDArray[Any], affine: NDArray[np.float64]) -> NDArray[Any]:
    """Flip and permute the axes (x, y, z) of an LAS array to those of an affine.

    Undoes the turning of `reorient_to_las`, given the affine before it.
    """
    stored: NDArray[Any] = apply_orientation(
        las, ornt_transform(axcodes2ornt("LAS"), io_orientation(affine))
    )
    return stored


def affine_with_axes(
    las_affine: NDArray[np.float64], shape_zxy: tuple[int, int, int], codes: str
) -> NDArray[np.float64]:
    """Return the affine of a grid after flipping and permuting its axes.

    Parameters
    ----------
    las_affine : ndarray, shape (4, 4)
        As in `Volume.affine`.
    shape_zxy : tuple of int
        As in `Volume.shape`.
    codes : str
        Directions of the axes, as `axis_codes` returns them.

    Returns
    -------
    ndarray, shape (4, 4), float64
        Affine from which `reorient_to_las` leads back to the given one.
    """
    nz, nx, ny = shape_zxy
    turn = ornt_transform(axcodes2ornt("LAS"), axcodes2ornt(codes))
    affine: NDArray[np.float64] = las_affine @ inv_ornt_aff(turn, (nx, ny, nz))
    return affine


def axis_codes(affine: NDArray[np.float64]) -> str:
    """Return the anatomical direction of each axis, for example ``"LAS"``."""
    return "".join(nib.aff2axcodes(affine))
