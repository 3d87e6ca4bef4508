"""The coordinator's folder: protocol, key, and a frozen package for every reader."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from cowgan.canonical_json import sha256_of_content
from cowgan.documents import checked, read_json
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.locking import HeldLock
from cowgan.progress import Progress
from cowgan.turing.blinding.audit import AUDIT_FILE, Audit, audit
from cowgan.turing.design.protocol import Protocol
from cowgan.turing.design.sources import warn_of_public
from cowgan.turing.design.truth_key import Key, read_key
from cowgan.turing.reading.manifest import Manifest
from cowgan.turing.reading.package import (
    PACKAGES,
    Package,
    read_manifest,
    write_manifest,
    zip_package,
)
from cowgan.turing.timestamps import moment

SCHEMA = "cowgan.turing-study/2"
_SCHEMA_1 = "cowgan.turing-study/1"
STUDY_FILE = "study.json"
DERIVATIVES = "derivatives"
"""Below the coordinator's folder, like all of these."""
_LOCK_FILE = "study.lock"
PARTICIPANTS_FILE = "participants.tsv"


@dataclass(frozen=True)
class Study:
    """A study, frozen once its audit allows it or its leaks are accepted.

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
        description = read_json(path, dict[str, Any])
        if description.get("schema") == _SCHEMA_1:
            raise CowganError(
                f"{folder} was made by an earlier version of this program, from whose packages "
                "readers could find out which volumes are generated; open it with that "
                "version, or make a new study."
            )
        stored = checked(description, _Description, str(path))
        key = read_key(folder, stored.key_commitment)
        if stored.protocol != key.protocol:
            raise CowganError(f"The protocol in {path} was changed after the study was frozen.")
        return cls(folder, description, key)

    @property
    def audit(self) -> Audit:
        """Return the latest blinding audit before the study was frozen.

        Raises
        ------
        CowganError
            It is missing or damaged, or was changed since.
        """
        path = self.folder / AUDIT_FILE
        content = read_json(path, dict[str, Any])
        found = checked(content, Audit, str(path))
        frozen = self.description["frozen"]
        if frozen is not None and sha256_of_content(content) != frozen["audit_sha256"]:
            raise CowganError(f"{path} was changed after the study was frozen.")
        return found

    @property
    def sha256(self) -> str:
        """SHA-256 of the frozen description, included in every package.

        It commits to all that is decided before anybody reads: protocol, sources, key
        commitment, audit, accepted leak, time, and through their hashes all packages.
        """
        return sha256_of_content(self.description)

    @property
    def frozen(self) -> bool:
        """Whether packages may be given to readers."""
        return self.description["frozen"] is not None

    @property
    def accepted_leak(self) -> str | None:
        """Why the study was frozen although the audit found leaks; None if it found none."""
        frozen = self.description["frozen"]
        return None if frozen is None else frozen["accepted_leak"]

    def freeze(self, accept_leak: str | None = None) -> "Study":
        """Declare the study ready for readers, which the audit must allow.

        Parameters
        ----------
        accept_leak : str, optional
            Why it is frozen in spite of leaks; the report prints it.

        Raises
        ------
        CowganError
            The audit found leaks and no reason is given, or it is frozen already.
        """
        if self.frozen:
            raise CowganError(f"{self.folder} is frozen already.")
        leaks = self.audit.leaks
        reason = (accept_leak or "").strip()
        if leaks and not reason:
            raise CowganError(
                f"{self.folder} is not blinded, so it is not frozen: {'; '.join(leaks)}."
            )
        frozen = {
            "utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "accepted_leak": reason if leaks else None,
            "audit_sha256": sha256_of_content(self.audit.to_dict()),
        }
        study = replace(self, description={**self.description, "frozen": frozen})
        with self.changing():
            # Packages first: if this is cut short, the study is not frozen and can still be.
            for reader in self.readers:
                manifest = replace(self.manifest(reader), study_sha256=study.sha256)
                write_manifest(self.package_folder(reader), manifest)
            write_json(self.folder / STUDY_FILE, study.description)
        return study

    def check(self, progress: Progress | None = None) -> Audit:
        """Audit all packages as they lie in the folder; keep the result unless it is frozen.

        Raises
        ------
        CowganError
            A package is missing, damaged or not the one that was made.
        Cancelled
            The user cancelled; the earlier result stays.
        """
        found = audit([self.package(reader) for reader in self.readers], self.key, progress)
        if not self.frozen:
            write_json(self.folder / AUDIT_FILE, found.to_dict())
        return found

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
        notes = []
        marked = sum(
            case.truth == "real" and case.origin.get("marked_synthetic", False)
            for case in self.key.cases
        )
        if marked:
            notes.append(f"{marked} of the real volumes are marked as synthetic in their files.")
        remarks = Counter(
            remark
            for case in self.key.cases
            if case.truth == "real"
            for remark in case.origin.get("remarks", ())
        )
        notes += [
            f'{count} of the real volumes came with the remark "{remark}"'
            for remark, count in remarks.most_common()
        ]
        public = self.description["sources"]["real"]["public"]
        if public:
            notes.append(warn_of_public(public))
        return notes

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
        self.manifest(reader)
        return Package.open(self.package_folder(reader), progress)

    def manifest(self, reader: str) -> Manifest:
        """Read what a reader's package says of itself, without checking its volumes.

        Raises
        ------
        CowganError
            It is missing, damaged or not the one that was made.
        """
        folder = self.package_folder(reader)
        manifest = read_manifest(folder)
        if manifest.contents_sha256 != self.description["packages"].get(reader):
            raise CowganError(f"{folder} is not the package that was made for the study.")
        if self.frozen and manifest.study_sha256 != self.sha256:
            raise CowganError(
                f"{self.folder / STUDY_FILE} is not what it was when the study was frozen, as "
                f"{reader}'s package tells."
            )
        return manifest

    def zip_package(self, reader: str, target: Path, progress: Progress | None = None) -> None:
        """Write a reader's package as one file to send; see `package.zip_package`.

        Raises
        ------
        CowganError
            The study is not frozen, the package is damaged, or the file cannot be written.
        Cancelled
            The user cancelled; no file is left behind.
        """
        self.require_frozen()
        package = Package(self.package_folder(reader), self.manifest(reader))
        zip_package(package, target, progress)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep other windows and processes from changing the folder meanwhile.

        Raises
        ------
        CowganError
            Another one is changing it, or it cannot be written.
        """
        try:
            lock = HeldLock(self.folder / _LOCK_FILE)
        except OSError as error:
            raise CowganError(
                f"{self.folder} cannot be changed: {error.strerror or error}.", repr(error)
            ) from error
        try:
            yield
        finally:
            lock.remove()

    def require_frozen(self) -> None:
        """Raise `CowganError` unless packages may be given to readers."""
        if not self.frozen:
            raise CowganError(
                f"{self.folder} is not frozen yet, so nobody may read it; audit it first."
            )


@dataclass(frozen=True)
class _Frozen:
    utc: str
    accepted_leak: str | None
    audit_sha256: str

    def __post_init__(self) -> None:
        moment(self.utc)


@dataclass(frozen=True)
class _Folder:
    folder: str
    files: int
    subjects: int
    public: tuple[str, ...]


@dataclass(frozen=True)
class _Model:
    checkpoint: str
    checkpoint_sha256: str
    model: str
    psi: float


@dataclass(frozen=True)
class _Sources:
    real: _Folder
    generated: _Folder | _Model


@dataclass(frozen=True)
class _Description:
    """The content of ``study.json``."""

    schema: Literal["cowgan.turing-study/2"]
    study: str
    created: str
    software: dict[str, str]
    protocol: Protocol
    sources: _Sources
    key_commitment: str
    packages: dict[str, str]
    frozen: _Frozen | None

    def __post_init__(self) -> None:
        moment(self.created)
