"""NIfTI files in and out."""

# nibabel is only partly typed.
# mypy: allow-untyped-calls

import gzip
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.affines import voxel_sizes
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from cowgan._version import __version__
from cowgan.errors import CowganError
from cowgan.files import atomic_path, sha256_of, write_json
from cowgan.volume.orientation import axis_codes, reorient_to_las
from cowgan.volume.sidecar import (
    has_nifti_suffix,
    read_sidecar,
    refuse_foreign_sidecar,
    sidecar_content,
    sidecar_path,
)
from cowgan.volume.volume import Volume

_SYNTHETIC_MARK = "SYNTHETIC"
_DESCRIP_BYTES = 79
_MM_PER_UNIT = {"unknown": 1.0, "mm": 1.0, "meter": 1e3, "micron": 1e-3}
_UNREADABLE = (OSError, EOFError, ValueError, zlib.error, ImageFileError, HeaderDataError)


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
    _refuse_unopenable(path)
    image, array = _load(path)
    provenance = read_sidecar(sidecar_path(path), sha256_of(path))
    source = _describe(path, image)
    if nonfinite_as is not None:
        finite = np.isfinite(array)
        if not finite.all():
            source["nonfinite_replaced"] = int(array.size - finite.sum())
            source["nonfinite_as"] = nonfinite_as
            array = np.where(finite, array, np.float32(nonfinite_as))
    if source["header_marks_synthetic"]:
        provenance["synthetic"] = True
    provenance["sources"] = [*provenance.get("sources", []), source]
    try:
        data, affine = reorient_to_las(array, _affine_mm(image))
        return Volume(np.ascontiguousarray(data), affine, provenance)
    except CowganError as error:
        raise CowganError(f"{path.name}: {error.sentence}", error.detail) from error


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
    path = Path(path)
    if not has_nifti_suffix(path):
        raise CowganError(f"The file name {path.name} must end in .nii or .nii.gz.")
    beside = sidecar_path(path)
    refuse_foreign_sidecar(beside)
    synthetic = synthetic or volume.synthetic
    content = _image(volume, synthetic).to_bytes()
    # Both files are complete on disk before either name is taken.
    with atomic_path(path) as temporary:
        with temporary.open("wb") as file:
            if path.name.lower().endswith(".gz"):
                with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
                    packed.write(content)
            else:
                file.write(content)
        write_json(beside, sidecar_content(volume.provenance, synthetic, sha256_of(temporary)))


def _refuse_unopenable(path: Path) -> None:
    try:
        if path.is_dir():
            raise CowganError(f"{path} is a folder; choose a .nii or .nii.gz file.")
        if not path.exists():
            raise CowganError(f"{path} does not exist.")
        if not has_nifti_suffix(path):
            raise CowganError(f"{path.name} is not a NIfTI file name (.nii or .nii.gz).")
        with path.open("rb"):
            pass
    except OSError as error:
        raise CowganError(
            f"{path} could not be opened: {error.strerror or error}.", repr(error)
        ) from error


def _load(path: Path) -> tuple[nib.Nifti1Image, NDArray[np.float32]]:
    """Return the image and its 3D voxels in stored axis order."""
    try:
        image = nib.load(path)
        if not isinstance(image, nib.Nifti1Image):
            raise CowganError(f"{path.name} is not a NIfTI image.", str(type(image)))
        _refuse_unsuitable(path, image)
        array = image.get_fdata(dtype=np.float32, caching="unchanged")
    except MemoryError as error:
        raise CowganError(f"{path.name} is too large for the memory of this computer.") from error
    except _UNREADABLE as error:
        raise CowganError(
            f"{path.name} is damaged, incomplete or not a NIfTI file.", repr(error)
        ) from error
    return image, array.reshape(array.shape[:3])


def _refuse_unsuitable(path: Path, image: nib.Nifti1Image) -> None:
    """Judge by the header alone, before any voxel is read."""
    shape = image.shape
    size = " x ".join(str(n) for n in shape)
    if image.get_data_dtype().kind not in "biuf":
        raise CowganError(
            f"{path.name} holds colour or complex voxels; one real number per voxel is needed.",
            f"dtype {image.get_data_dtype()}",
        )
    if 0 in shape or not shape:
        raise CowganError(f"{path.name} contains no voxels.", f"shape {shape}")
    if len(shape) < 3:
        raise CowganError(
            f"{path.name} is a {len(shape)}D image ({size} voxels); a 3D volume is needed."
        )
    if any(n > 1 for n in shape[3:]):
        raise CowganError(
            f"{path.name} is a series of volumes ({size} voxels); save the wanted one as a 3D file."
        )


def _affine_mm(image: nib.Nifti1Image) -> NDArray[np.float64]:
    unit = image.header.get_xyzt_units()[0]
    scale = _MM_PER_UNIT[unit]
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


def _image(volume: Volume, synthetic: bool) -> nib.Nifti1Image:
    image = nib.Nifti1Image(volume.data.transpose(1, 2, 0), volume.affine)
    # A generated volume lies in template space, not in the coordinates of a scanner.
    code = "aligned" if synthetic else "scanner"
    image.set_sform(volume.affine, code=code)
    # A quaternion cannot hold shear: then leave the qform unset rather than wrong.
    image.set_qform(volume.affine, code=0 if _is_sheared(volume.affine) else code)
    image.header.set_xyzt_units("mm")
    if synthetic:
        image.header["descrip"] = _synthetic_mark(volume.provenance)
    return image


def _is_sheared(affine: NDArray[np.float64]) -> bool:
    directions = affine[:3, :3] / voxel_sizes(affine)
    return not np.allclose(directions.T @ directions, np.eye(3), atol=1e-5)


def _synthetic_mark(provenance: dict[str, Any]) -> bytes:
    state = provenance.get("latent_state", provenance)
    seed = state.get("seed") if isinstance(state, dict) else None
    text = f"{_SYNTHETIC_MARK} napari-cowgan {__version__}"
    if seed is not None:
        text += f" seed {seed}"
    return text.encode("ascii", errors="replace")[:_DESCRIP_BYTES]
