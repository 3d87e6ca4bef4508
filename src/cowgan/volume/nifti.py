"""NIfTI files in and out."""

# nibabel is only partly typed.
# mypy: allow-untyped-calls

import gzip
import os
import zlib
from hashlib import file_digest
from io import BufferedReader
from math import prod
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.affines import voxel_sizes
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from cowgan._version import __version__
from cowgan.errors import CowganError
from cowgan.files import atomic_path, open_regular, sha256_of, write_json
from cowgan.volume.orientation import axis_codes, reorient_to_las
from cowgan.volume.sidecar import (
    has_nifti_suffix,
    read_sidecar,
    refuse_foreign_sidecar,
    sidecar_content,
    sidecar_path,
)
from cowgan.volume.volume import Volume, checked_affine

MOST_VOXELS = 2**29
"""Of an image that is read, such as 1024 x 1024 x 512."""

_GZIP_MAGIC = b"\x1f\x8b"
_LARGEST_GZIP_RATIO = 1032
_LARGEST_HEADER_BYTES = 544
_LARGEST_OFFSET_BYTES = 64 * 2**20
_SURPLUS_BYTES = 2**20
"""Padding after the voxels that is still taken for such."""

_PIECE_BYTES = 2**16
_SYNTHETIC_MARK = "SYNTHETIC"
_DESCRIP_BYTES = 79
_SPACE_UNIT_BITS = 0b111
_MM_PER_UNIT_CODE = {1: 1e3, 2: 1.0, 3: 1e-3}
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    zlib.error,
    ImageFileError,
    HeaderDataError,
    WrapStructError,
)


def read_nifti(path: Path, *, nonfinite_as: float | None = None) -> Volume:
    """Read a NIfTI file of any orientation.

    Whole axes are flipped and permuted to LAS; nothing is interpolated and intensities
    stay as stored (scaled integers become float32). Spatial units are converted to mm.

    Parameters
    ----------
    path : path-like
        A .nii or .nii.gz file with one 3D image; extra trailing axes of length 1 are
        dropped.
    nonfinite_as : float, optional
        Value that replaces NaN and infinite voxels; their number is recorded in the
        provenance. By default such a file is refused.

    Returns
    -------
    Volume
        Its provenance holds the content of the JSON sidecar, if there is one, and one
        more entry in ``"sources"``: file name, stored data type, stored orientation and
        where it was found. A header without any orientation (qform and sform code 0) is
        taken as LAS, like nibabel and FSL do; ``"orientation_from"`` then says
        ``"assumed"``. ``"synthetic"`` is true if the header or the sidecar says so.

    Raises
    ------
    CowganError
        The file is missing, unreadable, damaged, not NIfTI, or not one real-valued 3D
        image.
    """
    path = Path(path)
    image, array, sha256 = _decode(path)
    try:
        data, affine = reorient_to_las(array, _affine_mm(image))
        source = _describe(path, image)
        if nonfinite_as is not None:
            data, replaced = _replace_nonfinite(data, nonfinite_as)
            source |= replaced
        provenance = read_sidecar(sidecar_path(path), sha256)
        if source["header_marks_synthetic"]:
            provenance["synthetic"] = True
        provenance["sources"] = [*provenance.get("sources", []), source]
        return Volume(np.ascontiguousarray(data), affine, provenance)
    except CowganError as error:
        raise CowganError(f"{path.name}: {error.sentence}", error.detail) from error


def read_labels(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Read a label map of any orientation.

    Parameters
    ----------
    path : path-like
        A .nii or .nii.gz file whose voxels are whole numbers from 0 to 255.

    Returns
    -------
    labels : ndarray, shape (z, x, y), uint8
        In the axis order of `Volume.data`.
    affine : ndarray, shape (4, 4), float64
        As in `Volume.affine`.

    Raises
    ------
    CowganError
        As for `read_nifti`, or a voxel is not such a number.
    """
    path = Path(path)
    image, array, _ = _decode(path)
    if not _are_labels(array):
        raise CowganError(
            f"{path.name} is not a label map: its voxels are not whole numbers from 0 to 255."
        )
    try:
        labels, affine = reorient_to_las(array.astype(np.uint8), _affine_mm(image))
    except CowganError as error:
        raise CowganError(f"{path.name}: {error.sentence}", error.detail) from error
    return np.ascontiguousarray(labels), affine


def write_labels(
    labels: NDArray[np.integer[Any]],
    affine: NDArray[np.float64],
    path: Path,
    provenance: dict[str, Any] | None = None,
) -> None:
    """Write a label map and its JSON sidecar.

    Parameters
    ----------
    labels : ndarray, shape (z, x, y)
        Whole numbers from 0 to 255, in the axis order of `Volume.data`; stored as uint8.
    affine : ndarray, shape (4, 4)
        As in `Volume.affine`.
    path, provenance
        As for `write_nifti` and `Volume`; a true ``"synthetic"`` entry marks the file.

    Raises
    ------
    CowganError
        As for `write_nifti`, or the labels are not such numbers.
    """
    labels = np.asarray(labels)
    if labels.ndim != 3 or labels.dtype.kind not in "biu" or not _are_labels(labels):
        raise CowganError("A label map needs 3 dimensions and whole numbers from 0 to 255.")
    stored = labels.astype(np.uint8)
    _write(stored, checked_affine(affine), provenance or {}, Path(path))


def write_nifti(volume: Volume, path: Path, *, synthetic: bool = False) -> None:
    """Write a volume and its JSON sidecar.

    The image is stored as float32 in LAS order with its affine in mm. A synthetic volume
    is marked in the header field ``descrip``. The same volume always gives the same
    bytes, and a failure leaves existing files as they were.

    Parameters
    ----------
    volume : Volume
        What to write.
    path : path-like
        Must end in .nii or .nii.gz; the sidecar goes to `sidecar_path` of it.
    synthetic : bool
        Mark as synthetic even if the provenance does not; a mark in the provenance is
        never dropped.

    Raises
    ------
    CowganError
        The suffix is wrong, the folder cannot be written, or the sidecar would replace a
        JSON file of another tool.
    """
    provenance = volume.provenance
    if synthetic:
        provenance = {**provenance, "synthetic": True}
    _write(volume.data, volume.affine, provenance, Path(path))


def _write(
    data: NDArray[Any], affine: NDArray[np.float64], provenance: dict[str, Any], path: Path
) -> None:
    if not has_nifti_suffix(path):
        raise CowganError(f"The file name {path.name} must end in .nii or .nii.gz.")
    beside = sidecar_path(path)
    refuse_foreign_sidecar(beside)
    content = _image(data, affine, provenance).to_bytes()
    # The sidecar changes only once the image is complete; its checksum tells a reader if
    # the renaming of the image then failed all the same.
    with atomic_path(path) as temporary:
        with temporary.open("wb") as file:
            if path.name.lower().endswith(".gz"):
                with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
                    packed.write(content)
            else:
                file.write(content)
        write_json(beside, sidecar_content(provenance, sha256_of(temporary)))


def _decode(path: Path) -> tuple[nib.Nifti1Image, NDArray[np.float32], str]:
    """Return the image, its 3D voxels in stored axis order, and the SHA-256 of the file."""
    if path.is_dir():
        raise CowganError(f"{path} is a folder; choose a .nii or .nii.gz file.")
    if not os.path.lexists(path):
        raise CowganError(f"{path} does not exist.")
    if not has_nifti_suffix(path):
        raise CowganError(f"{path.name} is not a NIfTI file name (.nii or .nii.gz).")
    try:
        with open_regular(path) as file:
            content = _content(path, file)
            file.seek(0)
            digest = file_digest(file, "sha256").hexdigest()
        is_nifti2 = nib.Nifti2Header.may_contain_header(content)
        # A senseless affine is told in a sentence of its own.
        with np.errstate(all="ignore"):
            image = (nib.Nifti2Image if is_nifti2 else nib.Nifti1Image).from_bytes(content)
            array = image.get_fdata(dtype=np.float32, caching="unchanged")
    except MemoryError as error:
        raise CowganError(f"{path.name} is too large for the memory of this computer.") from error
    except _UNREADABLE as error:
        raise _damaged(path, repr(error)) from error
    return image, array.reshape(array.shape[:3]), digest


def _content(path: Path, file: BufferedReader) -> bytes:
    """Return what the header asks for, unpacked, and nothing beyond.

    The header is judged before anything behind it is unpacked or read, so that a small file
    cannot fill the memory.
    """
    stored_bytes = os.fstat(file.fileno()).st_size
    packed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    file.seek(0)
    stream = gzip.GzipFile(fileobj=file) if packed else file
    start = stream.read(_LARGEST_HEADER_BYTES)
    needed_bytes = _judge_header(
        path, start, stored_bytes * _LARGEST_GZIP_RATIO if packed else stored_bytes
    )
    if stored_bytes > needed_bytes + needed_bytes // 100 + _SURPLUS_BYTES:
        raise _surplus(path)
    content = start + stream.read(max(0, needed_bytes - len(start)))
    if len(content) < needed_bytes:
        raise _damaged(path, f"{needed_bytes} bytes needed, {len(content)} found")
    if packed:
        # Read to its end, where the checksum is.
        surplus = max(0, len(content) - needed_bytes)
        while piece := stream.read(_PIECE_BYTES):
            surplus += len(piece)
            if surplus > _SURPLUS_BYTES:
                raise _surplus(path)
    return content


def _surplus(path: Path) -> CowganError:
    return CowganError(
        f"{path.name} holds more than the image that its header states, so one of them is wrong.",
    )


def _damaged(path: Path, detail: str) -> CowganError:
    return CowganError(f"{path.name} is damaged, incomplete or not a NIfTI file.", detail)


def _judge_header(path: Path, start: bytes, most_bytes: int) -> int:
    """Refuse an unsuitable image, and return how many bytes header and voxels take."""
    header: Any
    if nib.Nifti2Header.may_contain_header(start):
        header = nib.Nifti2Header(start[: nib.Nifti2Header.sizeof_hdr])
    else:
        header = nib.Nifti1Header(start[: nib.Nifti1Header.sizeof_hdr])
    shape, data_type = header.get_data_shape(), header.get_data_dtype()
    size = " x ".join(str(n) for n in shape)
    if data_type.kind not in "biuf":
        raise CowganError(
            f"{path.name} holds colour or complex voxels; one real number per voxel is needed.",
            f"dtype {data_type}",
        )
    if not shape or min(shape) < 1:
        raise CowganError(f"{path.name} contains no voxels.", f"shape {shape}")
    if len(shape) < 3:
        raise CowganError(
            f"{path.name} is a {len(shape)}D image ({size} voxels); a 3D volume is needed."
        )
    if any(n > 1 for n in shape[3:]):
        raise CowganError(
            f"{path.name} is a series of volumes ({size} voxels); save the wanted one as a 3D file."
        )
    voxels = prod(int(n) for n in shape)
    offset = int(header["vox_offset"])
    needed_bytes = max(offset, len(header.binaryblock)) + voxels * int(data_type.itemsize)
    if not 0 <= offset <= _LARGEST_OFFSET_BYTES or needed_bytes > most_bytes:
        raise _damaged(path, f"{size} voxels from byte {offset}, at most {most_bytes} bytes stored")
    if voxels > MOST_VOXELS:
        raise CowganError(
            f"{path.name} states {size} voxels; more than {MOST_VOXELS / 1e6:,.0f} million are "
            "not read."
        )
    return needed_bytes


def _are_labels(array: NDArray[Any]) -> bool:
    return bool(((array >= 0) & (array <= 255) & (array == np.floor(array))).all())


def _replace_nonfinite(
    data: NDArray[np.float32], value: float
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    finite = np.isfinite(data)
    replaced = int(data.size - finite.sum())
    if replaced == 0:
        return data, {}
    record = {"nonfinite_replaced": replaced, "nonfinite_as": value}
    return np.where(finite, data, np.float32(value)), record


def _affine_mm(image: nib.Nifti1Image) -> NDArray[np.float64]:
    # Unknown codes count as mm; nibabel's own accessor fails on them.
    code = int(image.header["xyzt_units"]) & _SPACE_UNIT_BITS
    scale = _MM_PER_UNIT_CODE.get(code, 1.0)
    with np.errstate(all="ignore"):
        return np.diag([scale, scale, scale, 1.0]) @ image.affine


def _describe(path: Path, image: nib.Nifti1Image) -> dict[str, Any]:
    header = image.header
    if header["sform_code"] > 0:
        orientation_from = "sform"
    elif header["qform_code"] > 0:
        orientation_from = "qform"
    else:
        orientation_from = "assumed"
    mark = header["descrip"].item().decode("ascii", errors="replace")
    return {
        "file": path.name,
        "data_type": str(image.get_data_dtype()),
        "orientation": axis_codes(image.affine),
        "orientation_from": orientation_from,
        "header_marks_synthetic": mark.startswith(_SYNTHETIC_MARK),
    }


def _image(
    data: NDArray[Any], affine: NDArray[np.float64], provenance: dict[str, Any]
) -> nib.Nifti1Image:
    image = nib.Nifti1Image(data.transpose(1, 2, 0), affine)
    synthetic = provenance.get("synthetic", False)
    # A generated volume lies in template space, not in the coordinates of a scanner.
    code = "aligned" if synthetic else "scanner"
    image.set_sform(affine, code=code)
    # A quaternion cannot hold shear: then leave the qform unset rather than wrong.
    image.set_qform(affine, code=0 if _is_sheared(affine) else code)
    image.header.set_xyzt_units("mm")
    if synthetic:
        image.header["descrip"] = _synthetic_mark(provenance)
    return image


def _is_sheared(affine: NDArray[np.float64]) -> bool:
    directions = affine[:3, :3] / voxel_sizes(affine)
    return not np.allclose(directions.T @ directions, np.eye(3), atol=1e-5)


def _synthetic_mark(provenance: dict[str, Any]) -> bytes:
    state = provenance.get("state", provenance)
    seed = state.get("seed") if isinstance(state, dict) else None
    text = f"{_SYNTHETIC_MARK} napari-cowgan {__version__}"
    if seed is not None:
        text += f" seed {seed}"
    return text.encode("ascii", errors="replace")[:_DESCRIP_BYTES]
