"""The coordinator's folder: protocol, key, and a frozen package for every reader."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cowgan.errors import CowganError
from cowgan.progress import Progress
from cowgan.turing.key import Key, read_key
from cowgan.turing.package import Package
from cowgan.turing.protocol import Protocol

SCHEMA = "cowgan.turing-study/1"
STUDY_FILE = "study.json"
PACKAGES = "packages"
PARTICIPANTS_FILE = "participants.tsv"


@dataclass(frozen=True)
class Study:
    """A frozen study.

    Parameters
    ----------
    folder : Path
        The coordinator's.
    description : dict
        Contents of ``study.json``.
    key : Key
        The truth; it also holds the protocol.
    """

    folder: Path
    description: dict[str, Any]
    key: Key

    @classmethod
    def open(cls, folder: Path) -> "Study":
        """Read a study and check that key and protocol are those it was frozen with.

        Raises
        ------
        CowganError
            It is no study, or something is missing, damaged or changed.
        """
        folder = Path(folder)
        path = folder / STUDY_FILE
        if not path.is_file():
            raise CowganError(f"{folder} is not a study: it has no {STUDY_FILE}.")
        try:
            description = json.loads(path.read_text(encoding="utf-8"))
            if description["schema"] != SCHEMA:
                raise ValueError(f"schema {description['schema']!r}")
            committed, protocol = description["key_commitment"], description["protocol"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CowganError(f"{path} is damaged.", repr(error)) from error
        key = read_key(folder, committed)
        if protocol != key.protocol.to_dict():
            raise CowganError(f"The protocol in {path} was changed after the study was frozen.")
        return cls(folder, description, key)

    @property
    def protocol(self) -> Protocol:
        """Every choice."""
        return self.key.protocol

    @property
    def readers(self) -> list[str]:
        """Names of the readers."""
        return list(self.key.readers)

    @property
    def notes(self) -> list[str]:
        """Sentences that the coordinator should see."""
        marked = sum(
            case.truth == "real" and case.origin.get("marked_synthetic", False)
            for case in self.key.cases
        )
        if not marked:
            return []
        return [f"{marked} of the real volumes are marked as synthetic in their files."]

    def package_folder(self, reader: str) -> Path:
        """Return the folder that a reader gets."""
        return self.folder / PACKAGES / reader

    def package(self, reader: str, progress: Progress | None = None) -> Package:
        """Open a reader's package and check that it is the one that was frozen.

        Raises
        ------
        CowganError
            See `Package.open`; or it is another one.
        """
        package = Package.open(self.package_folder(reader), progress)
        if package.manifest.sha256 != self.description["packages"].get(reader):
            raise CowganError(
                f"{package.folder} is not the package that the study was frozen with."
            )
        return package
