"""The manifest of a reader's package: everything except the truth."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from cowgan.canonical_json import sha256_of_content
from cowgan.documents import checked
from cowgan.errors import CowganError
from cowgan.turing.design.trials import Course, Rules, Trial, require_reader_name

SCHEMA = "cowgan.turing-package/3"
_AROUND = ("schema", "package_sha256")


@dataclass(frozen=True)
class VolumeEntry:
    """A volume file.

    Parameters
    ----------
    file : str
        Path below the package.
    bytes : int
        Size of the file.
    sha256 : str
        Of the file.
    """

    file: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Display:
    """Initial display of every volume.

    Parameters
    ----------
    shape : tuple of int
        Voxels along (z, x, y).
    spacing_mm : tuple of float
        Voxel size along (z, x, y).
    contrast_limits : tuple of int
        Grey levels that are black and white.
    start_slice : int
        Index along z.
    colormap, interpolation : str
        Names that napari knows.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    contrast_limits: tuple[int, int]
    start_slice: int
    colormap: str = "gray"
    interpolation: str = "linear"

    def __post_init__(self) -> None:
        if min(self.shape) < 1 or min(self.spacing_mm) <= 0:
            raise CowganError("A volume has voxels, and they have a size.")
        if not 0 <= self.start_slice < self.shape[0]:
            raise CowganError(f"There is no slice {self.start_slice}.")


@dataclass(frozen=True)
class Manifest:
    """The contents of ``manifest.json``.

    Parameters
    ----------
    study, reader : str
        Whose package it is.
    software : str
        What made it.
    created : str
        Day, ISO 8601.
    study_sha256 : str
        Of the frozen description of the study; empty until it is frozen.
    key_commitment : str
        SHA-256 of salt and key, which the coordinator keeps: neither can change unnoticed.
    rules : Rules
        Of reading.
    display : Display
        First view.
    trials : tuple of Trial
        In order.
    volumes : dict of str to VolumeEntry
        By case.
    start_files : dict of str to str
        SHA-256 of each file that helps to begin, by name.
    """

    study: str
    reader: str
    software: str
    created: str
    study_sha256: str
    key_commitment: str
    rules: Rules
    display: Display
    trials: tuple[Trial, ...]
    volumes: dict[str, VolumeEntry]
    start_files: dict[str, str]

    def __post_init__(self) -> None:
        require_reader_name(self.reader)
        numbers = [trial.number for trial in self.trials]
        if not numbers or numbers != list(range(1, len(numbers) + 1)):
            raise CowganError("The trials are not numbered in order.")
        for trial in self.trials:
            if not 1 <= len(trial.cases) <= 2 or not self.volumes.keys() >= {*trial.cases}:
                raise CowganError("A trial shows volumes that there are not.")

    @property
    def course(self) -> Course:
        """Trials and rules."""
        return Course(self.trials, self.rules)

    @property
    def sha256(self) -> str:
        """SHA-256 of the manifest, and through its hashes of the whole package."""
        return sha256_of_content(self._content())

    @property
    def contents_sha256(self) -> str:
        """SHA-256 of all but `study_sha256`, which the study's description enters."""
        return replace(self, study_sha256="").sha256

    def to_dict(self) -> dict[str, Any]:
        """Return what ``manifest.json`` holds."""
        return {**self._content(), "package_sha256": self.sha256}

    def _content(self) -> dict[str, Any]:
        return {"schema": SCHEMA, **asdict(self)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], what: str) -> Self:
        """Rebuild a manifest.

        Raises
        ------
        CowganError
            It is damaged, or not what was written; `what` begins the sentence.
        """
        own = {name: of for name, of in content.items() if name not in _AROUND}
        manifest = checked(own, cls, what)
        if manifest.sha256 != content.get("package_sha256"):
            raise CowganError(f"{what} was changed after it was written.")
        return manifest
