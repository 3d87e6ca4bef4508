"""The truth of a study, which the coordinator keeps."""

import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cowgan.documents import LARGEST_BYTES, checked, parse_json
from cowgan.errors import CowganError
from cowgan.files import read_bytes
from cowgan.turing.design.protocol import Protocol
from cowgan.turing.design.trials import Phase, require_reader_name

SCHEMA = "cowgan.turing-key/2"
FOLDER = "key"
KEY_FILE = "key.json"
SALT_FILE = "salt.bin"
_SALT_BYTES = 32

Truth = Literal["real", "generated"]


@dataclass(frozen=True)
class Role:
    """Truth and phase of a volume.

    Parameters
    ----------
    name : str
        Within the study; readers' packages have other names.
    truth : {"real", "generated"}
        What it is.
    phase : {"impression", "practice", "reading"}
        What it is used for.
    """

    name: str
    truth: Truth
    phase: Phase


@dataclass(frozen=True)
class KeyCase(Role):
    """A volume's entry in the key.

    Parameters
    ----------
    name, truth, phase
        As in `Role`.
    origin : dict
        File and its SHA-256, or checkpoint and seed.
    voxels_sha256 : str
        Of the volume as readers see it.
    """

    origin: dict[str, Any]
    voxels_sha256: str

    def __post_init__(self) -> None:
        checked(self.origin, _Origin, f"The origin of {self.name}", other_versions=True)


@dataclass(frozen=True)
class _Origin:
    """The part of a volume's origin that is read again."""

    file: str | None = None
    seed: int | None = None
    marked_synthetic: bool = False
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.file is None and self.seed is None:
            raise CowganError("A volume comes from a file or a seed.")


@dataclass(frozen=True)
class Key:
    """The key of a study: the truth behind every case.

    Parameters
    ----------
    study : str
        Random name of the study.
    protocol : Protocol
        As it was when the study was frozen.
    cases : tuple of KeyCase
        All volumes.
    readers : dict of str to dict
        Name within the study of every case of each reader's package.
    """

    study: str
    protocol: Protocol
    cases: tuple[KeyCase, ...]
    readers: dict[str, dict[str, str]]

    def __post_init__(self) -> None:
        for name in self.readers:
            require_reader_name(name)
        known = {case.name for case in self.cases}
        if any(not known.issuperset(names.values()) for names in self.readers.values()):
            raise CowganError("A reader sees a volume that there is not.")

    def case(self, reader: str, shown: str) -> KeyCase:
        """Return what a reader saw under a name."""
        by_name = {case.name: case for case in self.cases}
        return by_name[self.readers[reader][shown]]

    def to_bytes(self) -> bytes:
        """Return the content of ``key.json``."""
        content = {"schema": SCHEMA, **asdict(self)}
        return (json.dumps(content, indent=1) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Key":
        """Rebuild a key.

        Raises
        ------
        CowganError
            It is damaged.
        """
        what = "The key of this study"
        stored = parse_json(content, dict[str, Any], what)
        if stored.pop("schema", None) != SCHEMA:
            raise CowganError(f"{what} was written by another version of this program.")
        return checked(stored, cls, what)


def key_folder(study: Path) -> Path:
    """Return where the key of a study lies."""
    return Path(study) / FOLDER


def read_salt(study: Path) -> bytes:
    """Return the salt of a study whose key was checked.

    Raises
    ------
    CowganError
        It cannot be read.
    """
    return read_bytes(key_folder(study) / SALT_FILE, _SALT_BYTES)


def new_salt() -> bytes:
    """Return bytes that nobody can guess."""
    return secrets.token_bytes(_SALT_BYTES)


def commitment(salt: bytes, key: bytes) -> str:
    """Return the SHA-256 that commits to a key without telling anything of it."""
    return sha256(salt + key).hexdigest()


def secret_stream(purpose: str, salt: bytes, seed: int) -> np.random.RandomState:
    """Return random numbers that a study draws with, and that nobody can guess without the salt.

    Streams are keyed apart by HMAC: who finds out the state of one, as the owner of a real
    scan could from its dither, learns nothing of the others.

    Parameters
    ----------
    purpose : str
        What the numbers are for.
    salt : bytes
        Of the study.
    seed : int
        Of the protocol.
    """
    digest = hmac.digest(salt, f"{purpose}/{seed}".encode(), "sha256")
    entropy = int.from_bytes(digest, "big")
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(entropy)))


def write_key(study: Path, key: bytes, salt: bytes) -> None:
    """Write key and salt below the coordinator's folder, for the owner's eyes."""
    folder = key_folder(study)
    folder.mkdir(mode=0o700)
    for name, content in ((KEY_FILE, key), (SALT_FILE, salt)):
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)


def read_key(study: Path, committed: str) -> Key:
    """Read the key of a study.

    Parameters
    ----------
    study : Path
        The coordinator's folder.
    committed : str
        What `commitment` returned when the study was frozen.

    Raises
    ------
    CowganError
        Key or salt are missing, damaged or not those of the commitment.
    """
    folder = key_folder(study)
    key, salt = read_bytes(folder / KEY_FILE, LARGEST_BYTES), read_salt(study)
    if commitment(salt, key) != committed:
        raise CowganError(
            f"The key in {folder} is not the one that the study was frozen with; nothing can be "
            "analysed with it."
        )
    return Key.from_bytes(key)
