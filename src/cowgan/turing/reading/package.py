"""The folder that a reader gets, written once and checked whenever it is opened."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from random import SystemRandom
from stat import S_IFREG
from time import gmtime
from typing import Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from cowgan.archives import read_npy_header
from cowgan.documents import read_json
from cowgan.errors import CowganError
from cowgan.files import atomic_path, path_inside, read_bytes
from cowgan.progress import Progress, Silent, advance
from cowgan.turing.design.truth_key import key_folder
from cowgan.turing.reading.journal import Journal
from cowgan.turing.reading.manifest import SCHEMA, Manifest, VolumeEntry
from cowgan.turing.reading.records import LARGEST_BYTES
from cowgan.turing.reading.start_files import EXECUTABLE, LARGEST_START_FILE, start_files

PACKAGES = "packages"
"""Below the coordinator's folder: where packages lie, by reader."""
MANIFEST_FILE = "manifest.json"
JOURNAL_FILE = "journal.jsonl"
LARGEST_MANIFEST = 64 * 2**20
HEADER_BYTES = 128
"""Of a volume file, before the voxels."""

FOLDERS = {"impression": "vol", "practice": "practice", "reading": "vol"}
"""Folder of the volumes of each phase."""

_LARGEST_VOLUME = 2**30
_UNIX = 3
_TIME = 946_684_800
"""Of all files and folders, 2000-01-01: when each was written could tell them apart."""


def key_beside(package: Path) -> bool:
    """Return whether a package still lies in the study's folder, with the key beside it."""
    return key_folder(Path(package).resolve().parent.parent).exists()


def volume_bytes(voxels: NDArray[np.uint16]) -> bytes:
    """Return the content of a volume file: a header of fixed size and the voxels as they are."""
    file = BytesIO()
    np.lib.format.write_array(file, voxels, version=(1, 0), allow_pickle=False)
    return file.getvalue()


def write_package(
    folder: Path, manifest: Manifest, voxels: Callable[[str], NDArray[np.uint16]]
) -> None:
    """Write a reader's folder.

    Files of volumes are written in random order, and all times are the same.

    Parameters
    ----------
    folder : Path
        Created; must not exist.
    manifest : Manifest
        Names every volume.
    voxels : callable
        Returns the volume of a case.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    for name in sorted({*FOLDERS.values()}):
        (folder / name).mkdir(parents=True)
    todo: list[str | None] = [None, *manifest.volumes]
    SystemRandom().shuffle(todo)
    for case in todo:
        if case is None:
            write_manifest(folder, manifest)
        else:
            (folder / manifest.volumes[case].file).write_bytes(volume_bytes(voxels(case)))
    for name, content in start_files(manifest.reader).items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(_mode(name))
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (_TIME, _TIME))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write what a package says of itself, at the time of all its files.

    Raises
    ------
    CowganError
        The folder cannot be written.
    """
    path = folder / MANIFEST_FILE
    with atomic_path(path) as temporary:
        temporary.write_bytes((json.dumps(manifest.to_dict(), indent=1) + "\n").encode())
    for changed in (path, folder):
        os.utime(changed, (_TIME, _TIME))


@dataclass(frozen=True)
class Package:
    """A reader's folder whose every file was found as it was written.

    Parameters
    ----------
    folder : Path
        Where it lies.
    manifest : Manifest
        What it says.
    """

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path, progress: Progress | None = None) -> "Package":
        """Check every file of a package.

        Parameters
        ----------
        folder : Path
            What `write_package` wrote, or a copy.
        progress : Progress, optional
            Called after every volume.

        Raises
        ------
        CowganError
            It is no package, or something is missing, changed or added.
        Cancelled
            The user cancelled.
        """
        folder, progress = Path(folder), progress or Silent()
        package = cls(folder, read_manifest(folder))
        expected = {entry.file for entry in package.manifest.volumes.values()}
        for name in set(FOLDERS.values()):
            for path in (folder / name).glob("*"):
                if f"{name}/{path.name}" not in expected:
                    raise CowganError(f"{path} does not belong to this package; remove it.")
        for name, digest in package.manifest.start_files.items():
            # One that is missing does no harm: mail programs take out what could be started.
            if (folder / name).exists():
                _start_content(folder, name, digest)
        cases = list(package.manifest.volumes)
        for done, case in enumerate(cases, 1):
            package.volume(case)
            advance(progress, done, len(cases))
        return package

    def volume(self, case: str) -> NDArray[np.uint16]:
        """Read a volume, and check it again.

        Returns
        -------
        ndarray of uint16, shape (z, x, y)

        Raises
        ------
        CowganError
            The file is missing or was changed.
        """
        entry = self.manifest.volumes[case]
        content = _volume_content(self.folder, entry)
        shape = tuple(self.manifest.display.shape)
        try:
            stated, _, data_type = read_npy_header(BytesIO(content))
            if (stated, data_type) != (shape, np.dtype("<u2")):
                raise ValueError(f"shape {stated}, type {data_type}")
            voxels: NDArray[np.uint16] = np.lib.format.read_array(
                BytesIO(content), allow_pickle=False
            )
        except ValueError as error:
            raise CowganError(
                f"{self.folder / entry.file} is not a volume of this package.", repr(error)
            ) from error
        return voxels

    def journal(
        self,
        copy: Path | None = None,
        on_problem: Callable[[CowganError], None] = lambda problem: None,
    ) -> Journal:
        """Open the journal in the package's folder for writing; see `Journal`.

        Raises
        ------
        CowganError
            See `Journal`; or the study is not frozen.
        """
        if not self.manifest.study_sha256:
            raise CowganError(f"The study of {self.folder} is not frozen, so nobody may read it.")
        return Journal(self.folder / JOURNAL_FILE, journal_header(self.manifest), copy, on_problem)


def zip_package(package: Package, target: Path, progress: Progress | None = None) -> None:
    """Write a package as one file to send.

    Nothing is compressed, all times are the same and names are in order: neither size nor
    place tells volumes apart. Answers that lie in the folder stay there.

    Raises
    ------
    CowganError
        A volume was changed, or the file cannot be written.
    Cancelled
        The user cancelled; no file is left behind.
    """
    progress, name = progress or Silent(), package.manifest.reader
    volumes = sorted(package.manifest.volumes.values(), key=lambda entry: entry.file)
    with atomic_path(target) as temporary, ZipFile(temporary, "w", ZIP_STORED) as archive:
        archive.writestr(
            _entry(name, MANIFEST_FILE), _content(package.folder / MANIFEST_FILE, LARGEST_MANIFEST)
        )
        for file, digest in sorted(package.manifest.start_files.items()):
            archive.writestr(_entry(name, file), _start_content(package.folder, file, digest))
        for done, entry in enumerate(volumes, 1):
            content = _volume_content(package.folder, entry)
            archive.writestr(_entry(name, entry.file), content)
            advance(progress, done, len(volumes))


def zip_answers(folder: Path, target: Path) -> None:
    """Write what a reader gives back as one small file: the journal, and whose it is.

    Raises
    ------
    CowganError
        Nobody has begun to read, the journal is a link, or the file cannot be written.
    """
    reader = read_manifest(folder).reader
    with atomic_path(target) as temporary, ZipFile(temporary, "w", ZIP_STORED) as archive:
        for file, limit in ((MANIFEST_FILE, LARGEST_MANIFEST), (JOURNAL_FILE, LARGEST_BYTES)):
            archive.writestr(_entry(reader, file), _content(path_inside(folder, file), limit))


def _entry(folder: str, file: str) -> ZipInfo:
    entry = ZipInfo(f"{folder}/{file}", gmtime(_TIME)[:6])
    entry.create_system = _UNIX  # Wherever it is written: others keep no mode.
    entry.external_attr = (S_IFREG | _mode(file)) << 16
    return entry


def _mode(file: str) -> int:
    return 0o755 if file in EXECUTABLE else 0o644


def _start_content(folder: Path, name: str, digest: str) -> bytes:
    path = path_inside(folder, name)
    content = _content(path, LARGEST_START_FILE)
    if sha256(content).hexdigest() != digest:
        raise CowganError(
            f"{path} was changed after the package was made; do not start it, and ask for the "
            "package again."
        )
    return content


def _content(path: Path, limit: int) -> bytes:
    if not path.exists():
        raise CowganError(f"{path} is missing; ask for the package again.")
    return read_bytes(path, limit)


def _volume_content(folder: Path, entry: VolumeEntry) -> bytes:
    path = path_inside(folder, entry.file)
    content = _content(path, _LARGEST_VOLUME)
    if len(content) != entry.bytes or sha256(content).hexdigest() != entry.sha256:
        raise CowganError(
            f"{path} was changed after the package was made; ask for the package again."
        )
    return content


def journal_header(manifest: Manifest) -> Mapping[str, str]:
    """Return the header that ties a journal to a package."""
    return {
        "study": manifest.study,
        "reader": manifest.reader,
        "package_sha256": manifest.sha256,
    }


def find_package(folder: Path) -> Path:
    """Return the package in a folder: the folder itself, or the only package inside it.

    Programs that unpack make a folder around what they unpack.

    Raises
    ------
    CowganError
        There is none, or there are several.
    """
    if (folder / MANIFEST_FILE).is_file():
        return folder
    inside = [path.parent for path in folder.glob(f"*/{MANIFEST_FILE}")]
    if len(inside) == 1:
        return inside[0]
    problem = "holds several packages" if inside else "is not a folder to read"
    raise CowganError(f"{folder} {problem}; choose the folder with the file {MANIFEST_FILE}.")


def read_manifest(folder: Path) -> Manifest:
    """Read what a package says of itself, without checking its volumes.

    Raises
    ------
    CowganError
        It is no package, or its manifest was changed.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise CowganError(f"{folder} is not a reader's package: it has no {MANIFEST_FILE}.")
    content = read_json(path, dict[str, Any], LARGEST_MANIFEST)
    if content.get("schema") != SCHEMA:
        raise CowganError(
            f"{folder} was made by another version of this program.",
            f"{content.get('schema')!r:.80}",
        )
    try:
        return Manifest.from_dict(content, str(path))
    except CowganError as error:
        raise CowganError(
            f"{error.sentence[:-1]}; ask for the package again.", error.detail
        ) from error
