"""Sources of the volumes of a study."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import numpy as np

from cowgan.data.scans import Case, find_scans, is_scan_folder, read_case
from cowgan.data.subjects import subject_of
from cowgan.errors import CowganError
from cowgan.volume import Volume, image_sha256

RECOGNISED = (
    "Whoever has the real scans can recognise them among the volumes, so no reader may have them."
)
"""True of every study."""

_PUBLIC = re.compile(
    r"(?<![a-z])(IXI|TopCoW|OASIS|ADNI|(?:ITK)?TubeTK|MIDAS|CASILab|SMILE-UHURA|BraTS|HCP"
    r"|UK-?Biobank|OpenNeuro|ds00\d{4}|fastMRI)(?![a-z])",
    re.IGNORECASE,
)
"""Public data sets, by parts of file or folder names."""


def warn_of_public(names: Sequence[str]) -> str:
    """Return one sentence on volumes whose names speak of public data sets."""
    return (
        f"Some of the volumes seem to be public ({', '.join(names)}): a reader who downloads them "
        "can tell which they are."
    )


def draw_seeds(count: int, random: np.random.RandomState) -> list[int]:
    """Return so many seeds of 64 bits."""
    return [int.from_bytes(random.bytes(8), "big") for _ in range(count)]


@dataclass(frozen=True)
class Sourced:
    """A volume, and what the key says of it.

    Parameters
    ----------
    name : str
        Known to the coordinator: a file or a seed.
    volume : Volume
        As it is.
    origin : dict
        Where it comes from, as JSON.
    """

    name: str
    volume: Volume
    origin: dict[str, Any]


class StudySource(Protocol):
    """Supplies the volumes of one class."""

    @property
    def available(self) -> float:
        """Number of volumes; infinite if they are generated as needed."""

    def describe(self) -> dict[str, Any]:
        """Return what the study file says of the source, as JSON."""

    def volumes(self, count: int, random: np.random.RandomState) -> Iterator[Sourced]:
        """Yield so many volumes, or raise `CowganError` before the first if it has fewer."""


class FolderSource:
    """Scans of a folder and its subfolders, at most one of each subject.

    For what is a scan see `cowgan.data.scans.find_scans`. Which files are taken is drawn by lot.

    Parameters
    ----------
    folder : Path
        Searched to any depth.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    @property
    def available(self) -> float:
        """Number of subjects."""
        return len(self._subjects())

    def describe(self) -> dict[str, Any]:
        """Return folder and numbers, and which public data set its names speak of, if any."""
        subjects = self._subjects()
        folder = self.folder.resolve()
        cases = [case for of_one in subjects.values() for case in of_one]
        names = (str(folder), *(text for case in cases for text in (case.name, case.place)))
        found = {name.lower(): name for text in names for name in _PUBLIC.findall(text)}
        return {
            "folder": str(folder),
            "files": len(cases),
            "subjects": len(subjects),
            "public": sorted(found.values()),
        }

    def volumes(self, count: int, random: np.random.RandomState) -> Iterator[Sourced]:
        """Yield one volume each of `count` subjects."""
        subjects = self._subjects()
        if len(subjects) < count:
            raise CowganError(
                f"The study needs {count} volumes of different subjects from {self.folder}, which "
                f"has {len(subjects)}; lower the number of cases or add volumes."
            )
        chosen = random.choice(sorted(subjects), count, replace=False).tolist()
        return (self._read(subject, subjects[subject], random) for subject in chosen)

    def _read(self, subject: str, cases: list[Case], random: np.random.RandomState) -> Sourced:
        case = cases[int(random.choice(len(cases)))]
        volume = read_case(case)
        origin = {
            "file": case.place,
            "sha256": image_sha256(case.path),
            "subject": subject,
            "marked_synthetic": volume.synthetic,
            "remarks": list(volume.remarks),
        }
        return Sourced(PurePosixPath(case.place).name, volume, origin)

    def _subjects(self) -> dict[str, list[Case]]:
        if not self.folder.is_dir():
            raise CowganError(f"{self.folder} is not a folder of volumes.")
        subjects: dict[str, list[Case]] = {}
        found = find_scans([self.folder]).require_cases([self.folder])
        for case in sorted(found.cases, key=lambda case: case.name):
            _refuse_unwritable(case.path)
            subjects.setdefault(subject_of(case.name), []).append(case)
        return subjects


def _refuse_unwritable(path: Path) -> None:
    """Refuse a name that no file of the study could hold."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise CowganError(
            f"The name of {path} is in another encoding than UTF-8, so it cannot be written down; "
            "rename it.",
            repr(error),
        ) from error


class CheckpointSource:
    """A model that is rendered at seeds drawn by lot from all there are.

    Who has the model and could guess the seeds would have the volumes.

    Parameters
    ----------
    path : Path
        What `cowgan.checkpoint.load` reads.
    psi : float
        Truncation.
    device : str
        As for `cowgan.synthesis.Synthesizer`.
    """

    def __init__(self, path: Path, psi: float, device: str = "auto") -> None:
        from cowgan.checkpoint import load

        self._checkpoint = load(path)
        self._psi, self._device = psi, device

    @property
    def available(self) -> float:
        """As many as there are seeds."""
        return math.inf

    def describe(self) -> dict[str, Any]:
        """Return model and truncation."""
        return {
            "checkpoint": str(self._checkpoint.path),
            "checkpoint_sha256": self._checkpoint.sha256,
            "model": self._checkpoint.card.name,
            "psi": self._psi,
        }

    def volumes(self, count: int, random: np.random.RandomState) -> Iterator[Sourced]:
        """Yield the volumes of `count` seeds of 64 bits."""
        from cowgan.synthesis import LatentState, Synthesizer

        states = [LatentState(seed=seed, psi=self._psi) for seed in draw_seeds(count, random)]
        synthesizer = Synthesizer(self._checkpoint, self._device)
        for state, volume in zip(states, synthesizer.render_many(states), strict=True):
            origin = {
                "checkpoint_sha256": self._checkpoint.sha256,
                "seed": state.seed,
                "psi": state.psi,
                "precision": synthesizer.precision,
            }
            yield Sourced(f"seed {state.seed}", volume, origin)


def generated_source(path: Path, psi: float, device: str = "auto") -> StudySource:
    """Return a folder of NIfTI files as it is, and anything else as a checkpoint.

    Raises
    ------
    CowganError
        There is nothing of either kind.
    """
    path = Path(path)
    if is_scan_folder(path):
        return FolderSource(path)
    return CheckpointSource(path, psi, device)
