"""Collection of the journals that readers return.

A reader returns the whole package, as a folder or zipped, or only its journal. Only
the journal is kept, below ``returned/``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Literal
from zipfile import ZipFile

from cowgan.archives import open_archive, read_member
from cowgan.errors import CowganError, SeveralErrors
from cowgan.files import atomic_path, path_inside, read_bytes
from cowgan.progress import Progress, Silent, advance
from cowgan.turing.reading.manifest import Manifest
from cowgan.turing.reading.package import (
    JOURNAL_FILE,
    LARGEST_MANIFEST,
    MANIFEST_FILE,
    journal_header,
)
from cowgan.turing.reading.records import HEADER, LARGEST_BYTES, Record, parse_journal, read_journal
from cowgan.turing.reading.session import finish_code, replay
from cowgan.turing.reading.snapshot import Snapshot, State
from cowgan.turing.reading.start_files import LARGEST_START_FILE
from cowgan.turing.study.study import Study

RETURNED = "returned"
"""Below the coordinator's folder."""

_Read = Callable[[str, int], bytes | None]
"""Takes the name of a file in a package, and the most bytes that it can have."""

ReaderState = Literal["not returned", "under way", "declined", "finished"]
"""Progress of a reader, by the collected journal."""


@dataclass(frozen=True)
class ReaderProgress:
    """Progress of one reader, by the collected journal.

    Parameters
    ----------
    reader : str
        Name in the study.
    state : {"not returned", "under way", "declined", "finished"}
        ``"not returned"``: nothing has come back. ``"declined"``: consent was refused.
    done, total : int
        Trials committed, and all.
    finish_code : str or None
        Shown to the reader at the end; ask the reader for it, as it changes with any
        answer.
    last_seen : str or None
        Time of the latest record by the reader's clock, ISO 8601, UTC.
    """

    reader: str
    state: ReaderState
    done: int
    total: int
    finish_code: str | None
    last_seen: str | None


def collect(
    study: Study, returned: Iterable[Path], progress: Progress | None = None
) -> list[ReaderProgress]:
    """Copy the journals of returned packages into the study.

    All are checked first, and those that are sound are copied: one bad journal keeps no other
    back. What is there already may come again, or have grown.

    Parameters
    ----------
    study : Study
        Frozen.
    returned : iterable of Path
        Folders of packages, ``.zip`` files of them, or their ``journal.jsonl`` alone.
    progress : Progress, optional
        Called after every package.

    Returns
    -------
    list of ReaderProgress
        Of the readers whose packages these are, in the order given.

    Raises
    ------
    CowganError
        The study is not frozen or in use; or something holds no journal, is no package of this
        study, was changed, or knows less or other than what was collected before. The rest has
        been collected.
    Cancelled
        The user cancelled; nothing was copied.
    """
    study.require_frozen()
    paths, progress = [Path(path) for path in returned], progress or Silent()
    accepted: dict[str, bytes] = {}
    readers: list[str] = []
    refused: list[CowganError] = []
    with study.changing():
        advance(progress, 0, len(paths))
        for done, path in enumerate(paths, 1):
            try:
                reader, journal = _checked(study, path)
                kept = accepted.get(reader) or _kept(study, reader)
                accepted[reader] = _grown(kept, journal, path, reader)
                readers.append(reader)
            except CowganError as error:
                refused.append(error)
            advance(progress, done, len(paths), path.name)
        for reader, journal in accepted.items():
            with atomic_path(journal_path(study, reader)) as temporary:
                temporary.write_bytes(journal)
    if refused:
        collected = f"Collected: {', '.join(sorted(accepted))}." if accepted else ""
        raise SeveralErrors(refused, collected)
    return [reader_progress(study, reader) for reader in readers]


def progress(study: Study) -> list[ReaderProgress]:
    """Return the progress of every reader.

    Raises
    ------
    CowganError
        A collected journal was changed.
    """
    return [reader_progress(study, reader) for reader in study.readers]


def reader_progress(study: Study, reader: str) -> ReaderProgress:
    """Return the progress of one reader.

    Raises
    ------
    CowganError
        The collected journal was changed.
    """
    manifest, records = study.manifest(reader), collected_records(study, reader)
    total = len(manifest.trials)
    if not records:
        return ReaderProgress(reader, "not returned", 0, total, None, None)
    snapshot = _followed(manifest, records, journal_path(study, reader))
    states: dict[State, ReaderState] = {
        State.FINISHED: "finished",
        State.DECLINED: "declined",
    }
    done = sum(record.kind == "commit" for record in records)
    return ReaderProgress(
        reader,
        states.get(snapshot.state, "under way"),
        done,
        total,
        finish_code(records),
        records[-1].utc,
    )


def collected_records(study: Study, reader: str) -> list[Record]:
    """Return what a reader's collected journal says, the header first; empty if there is none.

    Raises
    ------
    CowganError
        It was changed, belongs to something else, or does not fit the package.
    """
    path = journal_path(study, reader)
    if not path.exists():
        return []
    records, manifest = read_journal(path), study.manifest(reader)
    if not _belongs(records, manifest):
        raise CowganError(f"{path} is not the journal of {reader}'s package.")
    _followed(manifest, records, path)
    return records


def journal_path(study: Study, reader: str) -> Path:
    """Return where a reader's collected journal lies."""
    return study.folder / RETURNED / reader / JOURNAL_FILE


def _checked(study: Study, path: Path) -> tuple[str, bytes]:
    """Return whose package this is, and the whole lines of its journal."""
    with _opened(path) as read:
        content = read(JOURNAL_FILE, LARGEST_BYTES)
        if content is None:
            raise CowganError(
                f"{path} holds no journal ({JOURNAL_FILE}): either it is no reader's package or "
                "nobody has begun to read it."
            )
        records, whole = _parsed(study, content, path)
        manifest = _manifest_of(study, records, path)
        _refuse_changed_files(study, manifest, read, path)
    _followed(manifest, records, path)
    return manifest.reader, content[:whole]


def _parsed(study: Study, content: bytes, path: Path) -> tuple[list[Record], int]:
    """Read a journal; if it is damaged, name the reader that it begins with."""
    try:
        return parse_journal(content, path)
    except CowganError as error:
        header, _ = parse_journal(content[: content.find(b"\n") + 1], path)
        reader = header[0].data.get("reader") if header else None
        if reader not in study.readers:
            raise
        raise CowganError(
            f"The reading of {reader} cannot be collected: {error.sentence}", error.detail
        ) from error


def _followed(manifest: Manifest, records: Sequence[Record], path: Path) -> Snapshot:
    """Go through a journal step by step, and return where it ends."""
    try:
        snapshot = replay(manifest.course, records[1:])
        for record in records:
            if record.kind == "mark" and not _inside(record.data["voxel"], manifest.display.shape):
                raise CowganError(f"Record {record.seq} marks a place outside the volume.")
    except CowganError as error:
        raise CowganError(
            f"The journal of {manifest.reader} in {path} cannot result from reading the package, "
            "so it is not counted; ask the reader for it, or leave this reader out.",
            f"{error.sentence}\n{error.detail}",
        ) from error
    return snapshot


def _inside(voxel: Sequence[int], shape: Sequence[int]) -> bool:
    return all(place < size for place, size in zip(voxel, shape, strict=True))


def _manifest_of(study: Study, records: Sequence[Record], path: Path) -> Manifest:
    reader = records[0].data.get("reader") if records else None
    if reader in study.readers:
        manifest = study.manifest(reader)
        if _belongs(records, manifest):
            return manifest
    raise CowganError(f"{path} is not a package of this study.")


def _belongs(records: Sequence[Record], manifest: Manifest) -> bool:
    """Return whether a journal's header names this package."""
    return (
        bool(records) and records[0].kind == HEADER and records[0].data == journal_header(manifest)
    )


def _refuse_changed_files(study: Study, manifest: Manifest, read: _Read, path: Path) -> None:
    """Compare what came with the journal; a reader need not send the volumes back."""
    ours = read_bytes(study.package_folder(manifest.reader) / MANIFEST_FILE, LARGEST_MANIFEST)
    if read(MANIFEST_FILE, LARGEST_MANIFEST) not in (None, ours):
        raise CowganError(f"The {MANIFEST_FILE} in {path} was changed after it was given out.")
    given = {entry.file: (entry.bytes, entry.sha256) for entry in manifest.volumes.values()}
    given |= {name: (LARGEST_START_FILE, digest) for name, digest in manifest.start_files.items()}
    for name, (limit, digest) in given.items():
        content = read(name, limit)
        if content is not None and sha256(content).hexdigest() != digest:
            raise CowganError(
                f"{name} in {path} was changed after it was given out, so it is not known "
                "what the reader saw."
            )


def _kept(study: Study, reader: str) -> bytes:
    path = journal_path(study, reader)
    return read_bytes(path, LARGEST_BYTES) if path.exists() else b""


def _grown(kept: bytes, journal: bytes, path: Path, reader: str) -> bytes:
    """Return the longer of what is there and what came, if one goes on where the other ends."""
    if journal.startswith(kept):
        return journal
    if kept.startswith(journal):
        raise CowganError(
            f"{path} is an older state of {reader}'s package than what was collected before."
        )
    raise CowganError(
        f"{path} was read apart from what was collected of {reader} before: both begin alike and "
        "go on differently, so ask the reader which of the two counts."
    )


@contextmanager
def _opened(path: Path) -> Iterator[_Read]:
    """Yield a function that reads a file of a returned package; None if there is no such file."""
    if path.is_dir():
        yield lambda name, limit: _content(path_inside(path, name), limit)
    elif path.name == JOURNAL_FILE:
        yield lambda name, limit: _content(path, limit) if name == JOURNAL_FILE else None
    elif not path.exists():
        raise CowganError(f"There is no {path}.")
    else:
        with open_archive(path) as archive:
            folder = _only_package(archive, path)

            def read(name: str, limit: int) -> bytes | None:
                if folder + name not in archive.NameToInfo:
                    return None
                return read_member(archive, folder + name, limit, path)

            yield read


def _only_package(archive: ZipFile, path: Path) -> str:
    """Return the prefix of a package's files in an archive."""
    found = [
        name.removesuffix(JOURNAL_FILE)
        for name in archive.namelist()
        if PurePosixPath(name).name == JOURNAL_FILE
    ]
    if len(found) > 1:
        raise CowganError(f"{path} holds {len(found)} journals; collect packages one by one.")
    return found[0] if found else ""


def _content(path: Path, limit: int) -> bytes | None:
    return read_bytes(path, limit) if path.exists() else None
