"""What a reader's package says of itself: everything but the truth."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from cowgan.turing.canonical import sha256_of_content
from cowgan.turing.course import Course, Rules, Trial

SCHEMA = "cowgan.turing-package/2"


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
    """How every volume is first shown.

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
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild a manifest.

        Raises
        ------
        KeyError, TypeError, ValueError, CowganError
            It is damaged, or not what was written.
        """
        values = {entry.name: content[entry.name] for entry in fields(cls)}
        display: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values["display"].items()
        }
        manifest = cls(
            **{
                **values,
                "rules": Rules.from_dict(values["rules"]),
                "display": Display(**display),
                "trials": tuple(map(Trial.from_dict, values["trials"])),
                "volumes": {c: VolumeEntry(**entry) for c, entry in values["volumes"].items()},
            }
        )
        if manifest.sha256 != content["package_sha256"]:
            raise ValueError("the manifest was changed")
        if not {case for trial in manifest.trials for case in trial.cases} <= {*manifest.volumes}:
            raise ValueError("a trial shows a volume that there is not")
        return manifest
