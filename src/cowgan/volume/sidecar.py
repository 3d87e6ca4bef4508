"""The JSON file beside a NIfTI that carries the history of its volume."""

import json
from pathlib import Path
from typing import Any

from cowgan._version import __version__
from cowgan.errors import CowganError

SUFFIXES = (".nii.gz", ".nii")
_WRITER = "napari-cowgan"


def has_nifti_suffix(path: Path) -> bool:
    """Tell whether a file name ends in .nii or .nii.gz, in any case."""
    return path.name.lower().endswith(SUFFIXES)


def nifti_stem(path: Path) -> str:
    """Return the file name without .nii or .nii.gz."""
    name = Path(path).name
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def sidecar_path(path: Path) -> Path:
    """Return the JSON path that belongs to a NIfTI path: same folder, same stem."""
    path = Path(path)
    return path.with_name(nifti_stem(path) + ".json")


def sidecar_content(provenance: dict[str, Any], image_sha256: str) -> dict[str, Any]:
    """Return what is stored beside an image."""
    return {
        "written_by": f"{_WRITER} {__version__}",
        "synthetic": bool(provenance.get("synthetic", False)),
        "image_sha256": image_sha256,
        "provenance": provenance,
    }


def is_own(content: Any) -> bool:
    """Tell whether parsed JSON was written beside an image by this program."""
    return (
        isinstance(content, dict)
        and str(content.get("written_by", "")).startswith(_WRITER)
        and isinstance(content.get("provenance"), dict)
    )


def refuse_foreign_sidecar(path: Path) -> None:
    """Raise `CowganError` if writing the sidecar `path` would replace another tool's file."""
    if not path.exists():
        return
    try:
        own = is_own(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        own = False
    if not own:
        raise CowganError(
            f"{path} exists and was not written by napari-cowgan; choose another file name."
        )


def read_sidecar(path: Path, image_sha256: str) -> dict[str, Any]:
    """Return the history stored in the sidecar `path`, ``{}`` if there is none.

    A sidecar that another tool wrote (BIDS, for example) is kept whole under
    ``"sidecar"``. A damaged one does not stop the image from opening; the reason is kept
    under ``"sidecar_problem"``, and so is a mismatch with the image it belongs to.
    """
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return {"sidecar_problem": f"{path.name} could not be read: {error}"}
    if not is_own(content):
        return {"sidecar": content}
    provenance = dict(content["provenance"])
    provenance.pop("sidecar_problem", None)
    if content.get("synthetic"):
        provenance["synthetic"] = True
    if content.get("image_sha256") != image_sha256:
        provenance["sidecar_problem"] = f"the image changed after {path.name} was written"
    return provenance
