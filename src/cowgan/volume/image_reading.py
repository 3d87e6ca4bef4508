"""Image reading: every format through one entry point, with remarks on ambiguities."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.errors import CowganError
from cowgan.file_kinds import BYTES_NEEDED, what_it_is
from cowgan.files import open_regular, sha256_of
from cowgan.volume.content_type import Content, are_labels, content_of
from cowgan.volume.dicom import dicom_sha256, is_dicom, read_dicom
from cowgan.volume.formats import (
    NIFTI_SUFFIXES,
    READABLE,
    VOXEL_SUFFIXES,
    has_suffix,
    is_image_name,
)
from cowgan.volume.itk_files import image_io, read_with_itk
from cowgan.volume.nifti_reading import UNPACKING_ERRORS, is_nifti, read_nifti, unpacked_start
from cowgan.volume.orientation import axis_codes, reorient_to_las
from cowgan.volume.padding import without_padding
from cowgan.volume.placement import Units, refuse_impossible_size, remarks_on
from cowgan.volume.sidecar import read_sidecar, sidecar_path
from cowgan.volume.stored import Stored
from cowgan.volume.volume import Volume, remarks_in, spacing_of

_DIRECTIONS = ({"L", "R"}, {"A", "P"}, {"S", "I"})
_RECOGNISED = {
    "mask": "It looks like a mask and not like an image: it holds 0 and one other value.",
    "label map": "It looks like a label map and not like an image: its values are labels.",
}


def read_volume(path: Path, *, units: Units | None = None) -> Volume:
    """Read an image of any format and orientation.

    Axes are flipped and permuted to LAS; nothing is interpolated and intensities stay as
    stored. NaN, infinite and padding voxels become background.

    Parameters
    ----------
    path : path-like
        NIfTI-1 or -2 (.nii, .nii.gz, .hdr with .img), Analyze; MetaImage, NRRD, a folder of
        one DICOM series or a file of it, which need SimpleITK. The format is detected from the
        content. Links are not resolved for the name.
    units : {"mm", "m", "um"}, optional
        Unit of lengths, overriding the file.

    Returns
    -------
    Volume
        Its `remarks` describe ambiguities and assumptions about orientation, size, position
        and voxels. Its provenance holds the content of the JSON sidecar, if any, and one more
        entry in ``"sources"``: file name, stored data type, stored orientation and its origin,
        the remarks, and ``"content"``: ``"image"``, ``"mask"`` or ``"label map"``.
        ``"synthetic"`` is true if the file or the sidecar says so.

    Raises
    ------
    CowganError
        The file is missing, unreadable, damaged, not a single real-valued 3D image, or not an
        image; the message then says what it is.
    ImpossibleSizeError
        The stated size is impossible for a head.
    """
    return open_image(path, units=units).volume()


def read_labels(
    path: Path, *, units: Units | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Read a label map of any format and orientation.

    Parameters
    ----------
    path : path-like
        As for `read_volume`; voxels must be whole numbers from 0 to 255.
    units : {"mm", "m", "um"}, optional
        As for `read_volume`.

    Returns
    -------
    labels : ndarray, shape (z, x, y), uint8
        In the axis order of `Volume.data`.
    affine : ndarray, shape (4, 4), float64
        As in `Volume.affine`.

    Raises
    ------
    CowganError
        As for `read_volume`, or a voxel is not such a number.
    """
    image = open_image(path, units=units)
    return image.labels(), image.affine


def image_sha256(path: Path) -> str:
    """Return the SHA-256 of an image's file, or that of those of its slices if it is DICOM.

    Raises
    ------
    CowganError
        It cannot be opened.
    """
    path = Path(path)
    try:
        return dicom_sha256(path) if is_dicom(path) else sha256_of(path)
    except OSError as error:
        raise CowganError(
            f"{path} could not be opened: {error.strerror or error}.", repr(error)
        ) from error


def open_image(path: Path, *, units: Units | None = None) -> "OpenedImage":
    """Open an image that may be a volume or a label map.

    Parameters and errors are those of `read_volume`.
    """
    path = Path(path)
    stored = _stored(path, units)
    with _named(path):
        if stored.array.dtype.kind not in "biuf":
            raise CowganError(
                "It holds colour or complex voxels; one real number per voxel is needed."
            )
        shape = stored.array.shape
        refuse_impossible_size(path.name, stored.affine_mm, shape, stored.units)
        turned, affine = reorient_to_las(stored.array, stored.affine_mm)
        remarks = (*stored.remarks, *remarks_on(stored.affine_mm, shape))
    provenance = {} if path.is_dir() else read_sidecar(sidecar_path(path), stored.sha256)
    return OpenedImage(path, stored, turned, affine, remarks, provenance)


@dataclass(frozen=True, eq=False)
class OpenedImage:
    """An opened image, with its orientation; see `open_image`.

    Parameters
    ----------
    path : Path
        As the user gave it.
    stored : Stored
        Content of the file.
    turned : ndarray, shape (z, x, y)
        View of the voxels in network axis order.
    affine : ndarray, shape (4, 4)
        As in `Volume.affine`.
    placement_remarks : tuple of str
        Remarks on the header.
    history : dict
        Provenance from the sidecar.
    """

    path: Path
    stored: Stored
    turned: NDArray[Any]
    affine: NDArray[np.float64]
    placement_remarks: tuple[str, ...]
    history: dict[str, Any]

    @cached_property
    def content(self) -> Content:
        """Whether it is an image, a mask or a label map; see `content_of`."""
        labels = "labels" in self.history and are_labels(self.turned)
        return "label map" if labels else content_of(self.stored)

    def volume(self) -> Volume:
        """Return the image as a volume; see `read_volume`."""
        data = np.empty(self.turned.shape, np.float32)
        for layer, stored in zip(data, self.turned, strict=True):
            layer[:] = self.stored.scaled(stored)
        with _named(self.path):
            data, details, remarks = without_padding(data, self.stored.padding)
            recognised = _RECOGNISED.get(self.content)
            return Volume(
                data,
                self.affine,
                self._provenance([*remarks, *filter(None, [recognised])], details),
            )

    def labels(self) -> NDArray[np.uint8]:
        """Return the voxels as labels; see `read_labels`."""
        plain = (self.stored.slope, self.stored.intercept) == (1.0, 0.0)
        values = self.turned if plain else self.stored.scaled(self.turned)
        if not are_labels(values):
            raise CowganError(
                f"{self.path.name} is not a label map: its voxels are not whole numbers from 0 "
                "to 255."
            )
        return np.ascontiguousarray(values.astype(np.uint8))

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel size along (z, x, y) in mm."""
        return spacing_of(self.affine)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Remarks on this file and on its source files; see `Volume.remarks`."""
        return remarks_in(self.provenance)

    @property
    def provenance(self) -> dict[str, Any]:
        """The provenance of a label map, in the form of `Volume.provenance`."""
        return self._provenance([], {})

    def _provenance(self, remarks: list[str], details: dict[str, Any]) -> dict[str, Any]:
        source: dict[str, Any] = {
            "file": self.path.name,
            "data_type": self.stored.data_type,
            "orientation": axis_codes(self.stored.affine_mm),
            "orientation_from": self.stored.orientation_from,
            "content": self.content,
            "header_marks_synthetic": self.stored.synthetic,
            **self.stored.details,
            **details,
        }
        every = [*self.placement_remarks, *remarks]
        if every:
            source["remarks"] = every
        provenance = {**self.history}
        if self.stored.synthetic:
            provenance["synthetic"] = True
        provenance["sources"] = [*provenance.get("sources", []), source]
        return provenance


def stored_axes(provenance: dict[str, Any]) -> str:
    """Return the directions of the axes of the file that an image came from, such as ``"RPI"``.

    ``"LAS"``, the order in which this program writes, if it came from none.
    """
    *_, last = provenance.get("sources") or [{}]
    codes = last.get("orientation")
    if not isinstance(codes, str) or len(codes) != len(_DIRECTIONS):
        return "LAS"
    return codes if all(len({*codes} & pair) == 1 for pair in _DIRECTIONS) else "LAS"


def _stored(path: Path, units: Units | None) -> Stored:
    if path.is_dir():
        if is_dicom(path):
            return read_dicom(path, units)
        raise CowganError(f"{path} is a folder; choose an image: {READABLE}.")
    if not os.path.lexists(path):
        raise CowganError(f"{path} does not exist.")
    with _named(path):
        try:
            with open_regular(path) as file:
                start = unpacked_start(file, BYTES_NEEDED)
        except UNPACKING_ERRORS as error:
            raise _damaged(path, repr(error)) from error
        if is_nifti(start) or has_suffix(path, VOXEL_SUFFIXES):
            return read_nifti(path, units)
        reader_name = image_io(start)
        if reader_name is not None:
            return read_with_itk(path, reader_name, units)
        if is_dicom(path):
            return read_dicom(path, units)
        kind = what_it_is(start)
        if kind is not None:
            raise CowganError(f"{path.name} is {kind}.")
    raise _damaged(path, f"begins with {start[:8]!r}")


def _damaged(path: Path, detail: str) -> CowganError:
    if has_suffix(path, NIFTI_SUFFIXES):
        return CowganError(f"{path.name} is damaged, incomplete or not a NIfTI file.", detail)
    if is_image_name(path):
        return CowganError(f"{path.name} is damaged, incomplete or of an unknown kind.", detail)
    return CowganError(f"{path.name} is not an image that can be read; use {READABLE}.", detail)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Add the file name to every error."""
    try:
        yield
    except MemoryError as error:
        raise CowganError(f"{path.name} is too large for the memory of this computer.") from error
    except CowganError as error:
        if path.name in error.sentence:
            raise
        raise CowganError(f"{path.name}: {error.sentence}", error.detail) from error
