"""Checks of the size, position and orientation of images, for every format."""

# nibabel is only partly typed.
# mypy: allow-untyped-calls

from collections.abc import Sequence
from typing import Literal

import numpy as np
from nibabel.affines import obliquity, voxel_sizes
from numpy.typing import NDArray

from cowgan.errors import CowganError
from cowgan.text import dimensions
from cowgan.volume.orientation import axis_codes, places_voxels

Units = Literal["mm", "m", "um"]

MM_PER_UNIT: dict[Units, float] = {"mm": 1.0, "m": 1e3, "um": 1e-3}
UNIT_NAMES: dict[Units, str] = {"mm": "millimetres", "m": "metres", "um": "micrometres"}

_SMALLEST_MM, _LARGEST_MM = 1.0, 1000.0
"""Limits of the largest side of any image of a head."""
_SMALL_HEAD_MM, _LARGE_HEAD_MM = 25.0, 400.0
_LARGEST_ANISOTROPY = 100.0
_OBLIQUE_DEGREES = 1.0
_RIGHT_ANGLE_DEGREES = 0.5
_SAME_SIZE = 0.02
_SAME_PLACE_MM = 2.0


class ImpossibleSizeError(CowganError):
    """The size of an image is impossible for a head, probably because its units are wrong.

    The attribute ``likely_units`` holds units in which the size would be possible, if any.
    """

    likely_units: Units | None = None


def refuse_impossible_size(
    name: str, affine_mm: NDArray[np.float64], shape: Sequence[int], units: Units
) -> None:
    """Raise `ImpossibleSizeError` if the size is impossible for an image of a head.

    Parameters
    ----------
    name : str
        Of the file.
    affine_mm : ndarray, shape (4, 4)
        Maps voxel indices to presumed millimetres.
    shape : sequence of int
        Number of voxels along the same three axes.
    units : {"mm", "m", "um"}
        Unit from which lengths were converted.
    """
    if not places_voxels(affine_mm):
        return
    sizes_mm = voxel_sizes(affine_mm)
    extent_mm = sizes_mm * shape
    anisotropic = sizes_mm.max() > _LARGEST_ANISOTROPY * sizes_mm.min()
    if _SMALLEST_MM <= extent_mm.max() <= _LARGEST_MM and not anisotropic:
        return
    likely = None if anisotropic else _likely_units(extent_mm / MM_PER_UNIT[units])
    sizes_text = " x ".join(f"{size:,.0f}" if size >= 100 else f"{size:.3g}" for size in extent_mm)
    question = (
        f": are the units {UNIT_NAMES[likely]}? If so, open it with --units {likely} "
        f'("Lengths" in the Data panel)'
        if likely
        else ""
    )
    error = ImpossibleSizeError(
        f"{name} states a size of {sizes_text} mm, which is impossible for a head{question}.",
        f"voxels of {sizes_mm.tolist()} mm",
    )
    error.likely_units = likely
    raise error


def remarks_on(affine_mm: NDArray[np.float64], shape: Sequence[int]) -> list[str]:
    """Return remarks on the size, position and orientation of an image.

    Parameters
    ----------
    affine_mm : ndarray, shape (4, 4)
        Maps voxel indices to RAS+ millimetres.
    shape : sequence of int
        Number of voxels along the same three axes.
    """
    remarks = []
    extent_mm = float((voxel_sizes(affine_mm) * shape).max())
    if not _SMALL_HEAD_MM <= extent_mm <= _LARGE_HEAD_MM:
        size = "small" if extent_mm < _SMALL_HEAD_MM else "large"
        remarks.append(f"Its largest side is {extent_mm:.3g} mm, {size} for a head.")
    skew = _skew_degrees(affine_mm)
    if skew > _RIGHT_ANGLE_DEGREES:
        remarks.append(
            f"Its axes are up to {skew:.0f} degrees off right angles; it is shown as if they "
            "were at right angles."
            if skew >= 1
            else f"Its axes are {skew:.1f} degrees off right angles."
        )
    angle = float(np.degrees(obliquity(affine_mm).max()))
    if angle >= _OBLIQUE_DEGREES:
        remarks.append(
            f"It is oblique by {angle:.0f} degrees and shown along its own axes, unrotated."
        )
    return remarks


def disagreement(
    one: NDArray[np.float64], other: NDArray[np.float64], shape: Sequence[int]
) -> str | None:
    """Return how two affines of one image disagree.

    Returns
    -------
    str or None
        Such as "about left and right"; None if they agree.
    """
    codes, other_codes = axis_codes(one), axis_codes(other)
    if codes != other_codes:
        swapped = str.maketrans("L", "R")
        if codes.translate(swapped) == other_codes.translate(swapped):
            return "about left and right"
        return f"about the directions of the axes ({codes} and {other_codes})"
    sizes, other_sizes = voxel_sizes(one), voxel_sizes(other)
    if not np.allclose(sizes, other_sizes, rtol=_SAME_SIZE, atol=0):
        sizes_text = " and ".join(dimensions(each, ".3g") for each in (sizes, other_sizes))
        return f"about the size of a voxel ({sizes_text} mm)"
    corners = np.array(np.meshgrid(*((0, n - 1) for n in shape))).reshape(3, -1)
    shift = (one - other)[:3, :3] @ corners + (one - other)[:3, 3:]
    shift_mm = float(np.linalg.norm(shift, axis=0).max())
    if shift_mm > _SAME_PLACE_MM:
        return f"about its position, by up to {shift_mm:.0f} mm"
    return None


def is_sheared(affine: NDArray[np.float64]) -> bool:
    """Return whether axes are not at right angles; a quaternion cannot represent them."""
    directions = affine[:3, :3] / voxel_sizes(affine)
    return not np.allclose(directions.T @ directions, np.eye(3), atol=1e-5)


def _likely_units(extent: NDArray[np.float64]) -> Units | None:
    """Return the units in which an extent would be plausible for a head."""
    for units, factor in MM_PER_UNIT.items():
        if _SMALL_HEAD_MM <= extent.max() * factor <= _LARGE_HEAD_MM:
            return units
    return None


def _skew_degrees(affine: NDArray[np.float64]) -> float:
    directions = affine[:3, :3] / voxel_sizes(affine)
    cosines = np.abs(directions.T @ directions)[np.triu_indices(3, 1)]
    return float(np.degrees(np.arcsin(cosines.clip(max=1).max())))
