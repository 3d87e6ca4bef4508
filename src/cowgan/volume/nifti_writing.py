"""Writer of volumes and label maps as NIfTI with a JSON sidecar."""

# nibabel is only partly typed.
# mypy: allow-untyped-calls

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from cowgan._version import __version__
from cowgan.errors import CowganError
from cowgan.files import atomic_path, sha256_of, write_json
from cowgan.volume.content_type import are_labels
from cowgan.volume.formats import has_nifti_suffix
from cowgan.volume.orientation import restore_axes
from cowgan.volume.placement import is_sheared
from cowgan.volume.sidecar import refuse_foreign_sidecar, sidecar_content, sidecar_path
from cowgan.volume.volume import Volume, checked_affine

SYNTHETIC_MARK = "SYNTHETIC"
"""Start of the header field ``descrip`` of generated images."""

_DESCRIP_BYTES = 79


def write_labels(
    labels: NDArray[np.integer[Any]],
    affine: NDArray[np.float64],
    path: Path,
    provenance: dict[str, Any] | None = None,
    stored_affine: NDArray[np.float64] | None = None,
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
    stored_affine : ndarray, shape (4, 4), optional
        Affine of the stored image that the labels belong to, whose axes the file then has too;
        LAS by default.

    Raises
    ------
    CowganError
        As for `write_nifti`, or the labels are not such numbers.
    """
    labels = np.asarray(labels)
    if labels.ndim != 3 or labels.dtype.kind not in "biu" or not are_labels(labels):
        raise CowganError("A label map needs 3 dimensions and whole numbers from 0 to 255.")
    stored = labels.astype(np.uint8)
    _write(stored, checked_affine(affine), provenance or {}, Path(path), stored_affine)


def write_nifti(volume: Volume, path: Path, *, synthetic: bool = False) -> None:
    """Write a volume and its JSON sidecar.

    The image is stored as float32 in LAS order with its affine in mm. A synthetic volume
    is marked in the header field ``descrip``. The same volume always gives the same
    bytes, and a failure leaves existing files as they were.

    Parameters
    ----------
    volume : Volume
        The volume.
    path : path-like
        Must end in .nii or .nii.gz; the sidecar goes to `sidecar_path` of it.
    synthetic : bool
        Mark as synthetic in addition to the provenance, whose mark is always kept.

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
    data: NDArray[Any],
    affine: NDArray[np.float64],
    provenance: dict[str, Any],
    path: Path,
    stored_affine: NDArray[np.float64] | None = None,
) -> None:
    if not has_nifti_suffix(path):
        raise CowganError(f"The file name {path.name} must end in .nii or .nii.gz.")
    beside = sidecar_path(path)
    refuse_foreign_sidecar(beside)
    array = data.transpose(1, 2, 0)
    if stored_affine is not None:
        array, affine = restore_axes(array, stored_affine), stored_affine
    content = _image(array, affine, provenance).to_bytes()
    # The sidecar is written once the image is complete; its checksum reveals whether renaming
    # the image failed afterwards.
    with atomic_path(path) as temporary:
        with temporary.open("wb") as file:
            if path.name.lower().endswith(".gz"):
                with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
                    packed.write(content)
            else:
                file.write(content)
        write_json(beside, sidecar_content(provenance, sha256_of(temporary)))


def _image(
    array: NDArray[Any], affine: NDArray[np.float64], provenance: dict[str, Any]
) -> nib.Nifti1Image:
    image = nib.Nifti1Image(array, affine)
    synthetic = provenance.get("synthetic", False)
    # A generated volume is in template space, not in scanner coordinates.
    code = "aligned" if synthetic else "scanner"
    image.set_sform(affine, code=code)
    # A quaternion cannot represent shear, so the qform is then unset.
    image.set_qform(affine, code=0 if is_sheared(affine) else code)
    image.header.set_xyzt_units("mm")
    if synthetic:
        image.header["descrip"] = _synthetic_mark(provenance)
    return image


def _synthetic_mark(provenance: dict[str, Any]) -> bytes:
    state = provenance.get("state", provenance)
    seed = state.get("seed") if isinstance(state, dict) else None
    text = f"{SYNTHETIC_MARK} napari-cowgan {__version__}"
    if seed is not None:
        text += f" seed {seed}"
    return text.encode("ascii", errors="replace")[:_DESCRIP_BYTES]
