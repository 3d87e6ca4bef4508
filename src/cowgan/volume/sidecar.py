"""JSON sidecar files, which store the provenance of an image."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cowgan._version import __version__
from cowgan.documents import LARGEST_BYTES, checked, parse_json, read_json
from cowgan.errors import CowganError
from cowgan.files import read_bytes
from cowgan.volume.formats import image_stem

_WRITER = "napari-cowgan"


def sidecar_path(path: Path) -> Path:
    """Return the sidecar path of an image: same folder and stem."""
    path = Path(path)
    return path.with_name(image_stem(path) + ".json")


def sidecar_content(provenance: dict[str, Any], image_sha256: str) -> dict[str, Any]:
    """Return the content of a sidecar."""
    return {
        "written_by": f"{_WRITER} {__version__}",
        "synthetic": bool(provenance.get("synthetic", False)),
        "image_sha256": image_sha256,
        "provenance": provenance,
    }


@dataclass(frozen=True)
class Sidecar:
    """A sidecar that this program wrote.

    Parameters
    ----------
    written_by : str
        Software and version.
    synthetic : bool
        Whether a network generated the image.
    image_sha256 : str
        SHA-256 of the image at the time of writing.
    provenance : dict
        Provenance of the image.
    """

    written_by: str
    synthetic: bool = False
    image_sha256: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checked(self.provenance, _Provenance, "The history", other_versions=True)


@dataclass(frozen=True)
class _Provenance:
    """The provenance entries that are checked on reading."""

    synthetic: bool = False
    sources: tuple[dict[str, Any], ...] = ()


def open_sidecar(path: Path) -> Sidecar:
    """Read a sidecar that this program wrote.

    Raises
    ------
    CowganError
        It cannot be read, is damaged, or another tool wrote it.
    """
    content = read_json(path, object)
    if not _is_own(content):
        raise CowganError(f"{path} was not written by napari-cowgan.")
    return checked(content, Sidecar, str(path), other_versions=True)


def refuse_foreign_sidecar(path: Path) -> None:
    """Raise `CowganError` if writing the sidecar `path` would replace another tool's file."""
    if not path.exists():
        return
    try:
        own = _is_own(read_json(path, object))
    except CowganError:
        own = False
    if not own:
        raise CowganError(
            f"{path} exists and was not written by napari-cowgan; choose another file name."
        )


def read_sidecar(path: Path, image_sha256: str) -> dict[str, Any]:
    """Return the provenance stored in the sidecar `path`, ``{}`` if there is none.

    A sidecar of another tool, such as BIDS, is returned whole under ``"sidecar"``. A damaged
    sidecar does not prevent the image from opening: the problem, or a mismatch with the image,
    is returned under ``"sidecar_problem"``.
    """
    if not path.is_file():
        return {}
    try:
        # The name alone, since the folder must not enter the provenance.
        content = parse_json(read_bytes(path, LARGEST_BYTES), object, path.name)
        if not _is_own(content):
            return {"sidecar": content}
        stored = checked(content, Sidecar, path.name, other_versions=True)
    except CowganError as error:
        return {"sidecar_problem": error.sentence}
    provenance = {**stored.provenance}
    provenance.pop("sidecar_problem", None)
    if stored.synthetic:
        provenance["synthetic"] = True
    if stored.image_sha256 != image_sha256:
        provenance["sidecar_problem"] = f"the image changed after {path.name} was written"
    return provenance


def _is_own(content: object) -> bool:
    """Return whether parsed JSON is a sidecar of this program."""
    if not isinstance(content, dict) or not isinstance(content.get("provenance"), dict):
        return False
    writer = content.get("written_by")
    return isinstance(writer, str) and writer.startswith(_WRITER)
