"""The `Volume`: a 3D image with fixed anatomical axes, an affine and its provenance."""

# nibabel is only partly typed.
# mypy: allow-untyped-calls

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from nibabel.affines import voxel_sizes
from numpy.typing import ArrayLike, NDArray

from cowgan.errors import CowganError
from cowgan.text import dimensions
from cowgan.volume.orientation import places_voxels

DEFAULT_SPACING_MM: tuple[float, float, float] = (0.62, 0.61875, 0.61875)
"""Voxel size (z, x, y) of the template grid of the paper, in mm."""


def default_affine(
    shape_zxy: tuple[int, int, int],
    spacing_mm: tuple[float, float, float] = DEFAULT_SPACING_MM,
) -> NDArray[np.float64]:
    """Return the affine of an LAS grid centred on the origin.

    Parameters
    ----------
    shape_zxy : tuple of int
        Number of voxels along (z, x, y), the network axis order.
    spacing_mm : tuple of float
        Voxel size along (z, x, y) in mm.

    Returns
    -------
    ndarray, shape (4, 4), float64
        Maps the voxel index (x, y, z) to RAS+ millimetres:
        diag(-spacing_x, +spacing_y, +spacing_z), the template axes of Aydin et al. 2024.
    """
    (nz, nx, ny), (sz, sx, sy) = shape_zxy, spacing_mm
    affine = np.diag([-sx, sy, sz, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.array([nx, ny, nz]) - 1) / 2)
    return affine


@dataclass(frozen=True, eq=False, repr=False)
class Volume:
    """A 3D image in network axis order, with its affine and provenance.

    Increasing index means superior along axis 0 (z), patient left along axis 1 (x) and
    anterior along axis 2 (y), so the NIfTI voxel order (x, y, z) is LAS and flipping
    axis 1 swaps left and right.

    Parameters
    ----------
    data : ndarray, shape (z, x, y)
        Finite intensities; kept as float32.
    affine : ndarray, shape (4, 4)
        Maps the NIfTI voxel index (x, y, z) to RAS+ millimetres; may be oblique; kept as
        float64.
    provenance : dict, optional
        JSON-serialisable history. A true ``"synthetic"`` entry marks a generated volume.

    Raises
    ------
    CowganError
        The array is not 3D, is empty or has NaN or infinite voxels; the affine is not
        LAS; the provenance cannot be written as JSON.
    """

    data: NDArray[np.float32]
    affine: NDArray[np.float64]
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", _checked_data(self.data))
        object.__setattr__(self, "affine", checked_affine(self.affine))
        try:
            json.dumps(self.provenance)
        except (TypeError, ValueError) as error:
            raise CowganError(
                "The history of this volume cannot be stored as JSON.", repr(error)
            ) from error

    def __repr__(self) -> str:
        kind = "synthetic " if self.synthetic else ""
        return f"<{kind}Volume {dimensions(self.shape)} (z, x, y)>"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along (z, x, y)."""
        nz, nx, ny = self.data.shape
        return nz, nx, ny

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel size along (z, x, y) in mm."""
        return spacing_of(self.affine)

    @property
    def synthetic(self) -> bool:
        """Whether the provenance says that a network generated this volume."""
        return bool(self.provenance.get("synthetic", False))

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences on what was ambiguous or assumed when the image was read.

        Remarks on the source files of this volume come last, with the file names.
        """
        return remarks_in(self.provenance)


def checked_spacing(spacing_mm: Sequence[float]) -> tuple[float, float, float]:
    """Return a voxel size as floats; raise `CowganError` unless it is three positive numbers."""
    sizes = tuple(float(size) for size in spacing_mm)
    if len(sizes) != 3 or not all(np.isfinite(size) and size > 0 for size in sizes):
        raise CowganError(f"The voxel size {spacing_mm} mm is not three positive numbers.")
    return sizes[0], sizes[1], sizes[2]


def spacing_of(affine: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the voxel size along (z, x, y) of an affine of the voxel index (x, y, z)."""
    sx, sy, sz = voxel_sizes(affine)
    return float(sz), float(sx), float(sy)


def remarks_in(provenance: dict[str, Any]) -> tuple[str, ...]:
    """Return the remarks of a history; see `Volume.remarks`."""
    *earlier, last = provenance.get("sources") or [{}]
    texts = dict.fromkeys(_texts(last))
    for source in earlier:
        texts |= dict.fromkeys(f"{source.get('file')}: {text}" for text in _texts(source))
    return tuple(texts)


def _texts(source: dict[str, Any]) -> list[str]:
    remarks = source.get("remarks")
    return [text for text in remarks if isinstance(text, str)] if isinstance(remarks, list) else []


def _checked_data(data: ArrayLike) -> NDArray[np.float32]:
    array = np.asarray(data)
    if array.dtype.kind not in "biuf":
        raise CowganError(
            "A volume needs one real number per voxel, not colours or complex numbers.",
            f"dtype {array.dtype}",
        )
    if array.ndim != 3:
        raise CowganError(f"A volume needs 3 dimensions, but this image has {array.ndim}.")
    if array.size == 0:
        raise CowganError("The image contains no voxels.", f"shape {array.shape}")
    with np.errstate(over="ignore"):
        array = array.astype(np.float32, copy=False)
    if not np.isfinite(array).all():
        count = int(array.size - np.isfinite(array).sum())
        voxels = "1 voxel" if count == 1 else f"{count} voxels"
        raise CowganError(
            f"The image contains {voxels} whose value is not a finite number "
            "(NaN or infinite); replace them, for example by 0."
        )
    return array


def checked_affine(affine: ArrayLike) -> NDArray[np.float64]:
    """Return the affine as float64; raise `CowganError` unless its axes are LAS."""
    matrix = np.array(affine, dtype=np.float64)
    if matrix.shape != (4, 4) or not places_voxels(matrix):
        raise CowganError(
            "The position of this image in space is damaged.", f"affine {matrix.tolist()}"
        )
    directions = matrix[:3, :3] * [-1, 1, 1]
    if (np.diag(directions) <= 0).any() or np.linalg.det(directions) <= 0:
        raise CowganError(
            "The axes of this image do not tell left, anterior and superior apart.",
            f"affine {matrix.tolist()} is not LAS",
        )
    return matrix
