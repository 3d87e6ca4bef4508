"""Reader of NIfTI-1, NIfTI-2 and Analyze files."""

# nibabel is only partly typed.
# mypy: allow-untyped-calls

import gzip
import os
import zlib
from glob import escape
from hashlib import file_digest, sha256
from io import BufferedReader
from math import isfinite, prod
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from cowgan.errors import CowganError
from cowgan.files import open_regular
from cowgan.text import dimensions
from cowgan.volume.formats import PAIR_SUFFIXES, has_suffix
from cowgan.volume.nifti_writing import SYNTHETIC_MARK
from cowgan.volume.orientation import places_voxels
from cowgan.volume.placement import MM_PER_UNIT, UNIT_NAMES, Units, disagreement
from cowgan.volume.stored import MOST_VOXELS, Stored

UNPACKING_ERRORS = (OSError, EOFError, zlib.error)
"""Errors of damaged gzip streams."""

_GZIP_MAGIC = b"\x1f\x8b"
_LARGEST_GZIP_RATIO = 1032
_LARGEST_HEADER_BYTES = 544
_LARGEST_OFFSET_BYTES = 64 * 2**20
_SURPLUS_BYTES = 2**20
"""Largest accepted trailing padding."""

_PIECE_BYTES = 2**16
_INTENT_LABEL = 1002
_SPACE_UNIT_BITS = 0b111
_UNITS: dict[int, Units] = {1: "m", 2: "mm", 3: "um"}
_MAGIC_AT = {348: 344, 540: 4}
_SINGLE_FILE = (b"n+1", b"n+2")
_UNREADABLE = (
    *UNPACKING_ERRORS,
    KeyError,
    ValueError,
    OverflowError,
    HeaderDataError,
    WrapStructError,
)


def is_nifti(start: bytes) -> bool:
    """Return whether a file, unpacked, begins with a NIfTI or Analyze header."""
    return _header_size(start) is not None


def unpacked_start(file: BufferedReader, length: int) -> bytes:
    """Return the first bytes of a file, decompressed if it is gzipped."""
    return bytes(_unpacked(file)[1].read(length))


def read_nifti(path: Path, units: Units | None = None) -> Stored:
    """Read a NIfTI-1 or NIfTI-2 file, gzipped or not, or a pair of header and voxel file.

    The sform is used if it is valid, else the qform. Headers without either, including those of
    Analyze, are taken as LAS, as nibabel and FSL do.

    Parameters
    ----------
    path : Path
        The file, or either file of a pair.
    units : {"mm", "m", "um"}, optional
        Unit of lengths, overriding the file.

    Raises
    ------
    CowganError
        The file is damaged, or not one 3D image of real numbers.
    """
    path = Path(path)
    try:
        if has_suffix(path, PAIR_SUFFIXES):
            content, digest = _pair(path)
        else:
            with open_regular(path) as file:
                content = _content(path, file)
                file.seek(0)
                digest = file_digest(file, "sha256").hexdigest()
        return _decoded(content, digest, units)
    except _UNREADABLE as error:
        raise _damaged(path, repr(error)) from error


def _decoded(content: "_Content", digest: str, units: Units | None) -> Stored:
    header, remarks = content.header, list(content.remarks)
    shape = _shape(header)
    data_type = header.get_data_dtype()
    array = np.frombuffer(content.voxels, data_type, prod(shape), content.offset)
    array = array.reshape(shape[:3], order="F")
    stated = _UNITS.get(int(header["xyzt_units"]) & _SPACE_UNIT_BITS)
    used = units or stated or "mm"
    if stated is not None and used != stated:
        remarks.append(
            f"The file states {UNIT_NAMES[stated]}; {UNIT_NAMES[used]} were used, as asked."
        )
    # Overflows of an invalid affine are refused later, with a message of their own.
    with np.errstate(all="ignore"):
        affine_mm, orientation_from, said = _choose_affine(header, shape[:3], MM_PER_UNIT[used])
    remarks += said
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if not isfinite(slope) or slope == 0:
        slope, intercept = 1.0, 0.0
    elif not isfinite(intercept):
        intercept = 0.0
        remarks.append("The offset of its intensities is no number; none was added.")
    mark = header["descrip"].item().decode("ascii", errors="replace")
    return Stored(
        array,
        affine_mm,
        str(data_type.newbyteorder("=")),
        orientation_from,
        digest,
        slope,
        intercept,
        used,
        tuple(remarks),
        marked_labels=int(header["intent_code"]) == _INTENT_LABEL,
        synthetic=mark.startswith(SYNTHETIC_MARK),
    )


# Which orientation counts


def _choose_affine(
    header: Any, shape: tuple[int, ...], mm_per_unit: float
) -> tuple[NDArray[np.float64], str, list[str]]:
    """Return the affine in mm, its header field, and remarks."""
    remarks: list[str] = []
    sizes_mm = header["pixdim"][1:4].astype(np.float64) * mm_per_unit
    if (sizes_mm < 0).any():
        remarks.append("The file states a negative voxel size; its sign was ignored.")
        sizes_mm = np.abs(sizes_mm)
    has_sizes = bool(np.isfinite(sizes_mm).all() and sizes_mm.all())
    sform = _in_mm(header.get_sform(), mm_per_unit) if header["sform_code"] > 0 else None
    qform = _qform(header, mm_per_unit) if header["qform_code"] > 0 else None
    if sform is not None and places_voxels(sform):
        other, called = qform, "the qform"
        if other is None and has_sizes:
            lengths = np.linalg.norm(sform[:3, :3], axis=0)
            other, called = sform @ np.diag([*(sizes_mm / lengths), 1]), "pixdim"
        if other is not None and places_voxels(other):
            differ = disagreement(sform, other, shape if called == "the qform" else (1, 1, 1))
            if differ:
                remarks.append(f"The sform and {called} disagree {differ}; the sform was used.")
        return sform, "sform", remarks
    if qform is not None and places_voxels(qform):
        if sform is not None:
            fault = "cannot place the image" if np.any(sform[:3, :3]) else "is empty"
            remarks.append(f"The sform {fault}; the qform was used.")
        return qform, "qform", remarks
    stated = sform if sform is not None else qform
    if stated is not None:
        raise CowganError(
            "The position of this image in space is damaged, so left and right are unknown.",
            f"sform and qform {stated.tolist()}",
        )
    if not has_sizes:
        raise CowganError("The file does not say how large its voxels are.", f"{sizes_mm.tolist()}")
    remarks.append(
        "No orientation is stored, so which side is the patient's left is a guess: the first axis "
        "was taken to run to the left, the second to anterior, the third to superior."
    )
    affine = np.diag([-sizes_mm[0], sizes_mm[1], sizes_mm[2], 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine, "assumed", remarks


def _qform(header: Any, mm_per_unit: float) -> NDArray[np.float64]:
    """Return the affine of the qform; NaN if it is damaged."""
    mended = header.copy()
    mended["pixdim"][1:4] = np.abs(mended["pixdim"][1:4])
    if mended["pixdim"][0] not in (-1, 1):
        mended["pixdim"][0] = 1
    try:
        return _in_mm(mended.get_qform(), mm_per_unit)
    except (HeaderDataError, ValueError):
        return np.full((4, 4), np.nan)


def _in_mm(affine: NDArray[Any], mm_per_unit: float) -> NDArray[np.float64]:
    return np.diag([mm_per_unit, mm_per_unit, mm_per_unit, 1.0]) @ affine


# The content of files


class _Content:
    """A checked header and the voxel data."""

    def __init__(self, header: Any, voxels: bytes, offset: int, remarks: list[str]) -> None:
        self.header, self.voxels, self.offset, self.remarks = header, voxels, offset, remarks


def _content(path: Path, file: BufferedReader) -> _Content:
    """Return the header and as much unpacked data as it requires.

    The header is checked first, so that a small file cannot fill the memory.
    """
    stored_bytes, stream = _unpacked(file)
    start = stream.read(_LARGEST_HEADER_BYTES)
    header, remarks = _parse(path, start)
    if not _is_single(header, start):
        raise CowganError(
            f"{path.name} is only the header of an image whose voxels lie in another file; name "
            "the .hdr file."
        )
    offset = int(header["vox_offset"])
    if offset == 0:
        offset = len(header.binaryblock) + 4
    needed_bytes = offset + _voxel_bytes(path, header, offset, stored_bytes)
    return _Content(header, _read(path, file, stream, start, needed_bytes), offset, remarks)


def _pair(path: Path) -> tuple[_Content, str]:
    """Return the content of a .hdr and an .img file, and a checksum of both."""
    header_path, voxel_path = _both_paths(path)
    with open_regular(header_path) as file, open_regular(voxel_path) as voxel_file:
        start = _unpacked(file)[1].read(_LARGEST_HEADER_BYTES)
        header, remarks = _parse(header_path, start)
        if _is_single(header, start):
            raise _damaged(header_path, "a single file by its magic")
        stored_bytes, stream = _unpacked(voxel_file)
        offset = int(header["vox_offset"])
        needed_bytes = offset + _voxel_bytes(voxel_path, header, offset, stored_bytes)
        voxels = _read(voxel_path, voxel_file, stream, b"", needed_bytes)
        for one in (file, voxel_file):
            one.seek(0)
        digests = [file_digest(one, "sha256").hexdigest() for one in (file, voxel_file)]
    return _Content(header, voxels, offset, remarks), sha256("".join(digests).encode()).hexdigest()


def _both_paths(path: Path) -> tuple[Path, Path]:
    """Return the paths of header and voxels, of which one is given."""
    suffix = next(s for s in PAIR_SUFFIXES if path.name.lower().endswith(s))
    stem = path.name[: -len(suffix)]
    found: dict[str, Path] = {}
    for beside in path.parent.glob(f"{escape(stem)}.*"):
        ending = beside.name[len(stem) :].lower()
        if ending in PAIR_SUFFIXES:
            found.setdefault(ending.removesuffix(".gz"), beside)
    found[suffix.removesuffix(".gz")] = path
    for ending, what in ((".hdr", "header"), (".img", "voxels")):
        if ending not in found:
            raise CowganError(
                f"{path.name} is one of two files, and {stem}{ending} with the {what} is missing."
            )
    return found[".hdr"], found[".img"]


def _unpacked(file: BufferedReader) -> tuple[int, Any]:
    """Return the largest possible unpacked size of a file, and a stream of its content."""
    stored_bytes = os.fstat(file.fileno()).st_size
    packed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    file.seek(0)
    if packed:
        return stored_bytes * _LARGEST_GZIP_RATIO, gzip.GzipFile(fileobj=file)
    return stored_bytes, file


def _read(path: Path, file: BufferedReader, stream: Any, start: bytes, needed_bytes: int) -> bytes:
    if os.fstat(file.fileno()).st_size > needed_bytes + needed_bytes // 100 + _SURPLUS_BYTES:
        raise _surplus(path)
    content = start + stream.read(max(0, needed_bytes - len(start)))
    if len(content) < needed_bytes:
        raise _damaged(path, f"{needed_bytes} bytes needed, {len(content)} found")
    if stream is not file:
        # Read to the end, to verify the checksum.
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


# Headers


def _header_size(start: bytes) -> int | None:
    for order in ("little", "big"):
        size = int.from_bytes(start[:4], order)
        if size in _MAGIC_AT and len(start) >= size:
            return size
    return None


def _magic(start: bytes) -> bytes:
    at = _MAGIC_AT[_header_size(start) or 348]
    return start[at : at + 3]


def _is_single(header: Any, start: bytes) -> bool:
    return _magic(start) in _SINGLE_FILE


def _parse(path: Path, start: bytes) -> tuple[Any, list[str]]:
    """Return a header and remarks on it."""
    size = _header_size(start)
    if size is None:
        raise _damaged(path, f"begins with {start[:8]!r}")
    kind = nib.Nifti2Header if size == 540 else nib.Nifti1Header
    header = kind(start[:size], check=False)
    if _magic(start) in (*_SINGLE_FILE, b"ni1", b"ni2"):
        return header, []
    if not has_suffix(path, PAIR_SUFFIXES):
        raise _damaged(path, f"magic {_magic(start)!r}")
    # Analyze 7.5 keeps other things in the second half of the header.
    plain = nib.Nifti1Header(endianness=header.endianness)
    for name in ("dim", "datatype", "bitpix", "pixdim", "vox_offset"):
        plain[name] = header[name]
    return plain, ["It is an Analyze image, a format that stores no orientation."]


def _shape(header: Any) -> tuple[int, ...]:
    """Return the number of voxels along each axis; some programs write 0 for unused ones."""
    n = int(header["dim"][0])
    if not 0 <= n <= 7:
        raise ValueError(f"{n} dimensions")
    sizes = [int(size) for size in header["dim"][1 : n + 1]]
    return tuple(sizes[:3] + [size or 1 for size in sizes[3:]])


def _voxel_bytes(path: Path, header: Any, offset: int, most_bytes: int) -> int:
    """Return the number of voxel bytes; raise `CowganError` for an unsuitable image."""
    shape = _shape(header)
    size = dimensions(shape)
    try:
        data_type = header.get_data_dtype()
    except (HeaderDataError, KeyError) as error:
        raise CowganError(
            f"{path.name} holds voxels of a type that is not known.", repr(error)
        ) from error
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
    voxels = prod(shape)
    needed_bytes = voxels * int(data_type.itemsize)
    first = 0 if has_suffix(path, PAIR_SUFFIXES) else len(header.binaryblock)
    if not first <= offset <= _LARGEST_OFFSET_BYTES or offset + needed_bytes > most_bytes:
        raise _damaged(path, f"{size} voxels from byte {offset}, at most {most_bytes} bytes stored")
    if voxels > MOST_VOXELS:
        raise CowganError(
            f"{path.name} states {size} voxels; more than {MOST_VOXELS / 1e6:,.0f} million are "
            "not read."
        )
    return needed_bytes
