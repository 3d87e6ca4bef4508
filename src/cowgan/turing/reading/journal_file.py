"""The file of a journal, in which every record extends the chain of those before.

For the format see `cowgan.turing.reading.records`.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cowgan.canonical_json import sha256_of_content
from cowgan.errors import CowganError
from cowgan.files import open_to_append, read_bytes
from cowgan.turing.reading.disk_errors import disk_errors
from cowgan.turing.reading.records import (
    HEADER,
    LARGEST_BYTES,
    NO_RECORD,
    Record,
    line_of,
    parse_journal,
)
from cowgan.turing.reading.second_copy import refuse_unequal_copy


@dataclass(frozen=True)
class JournalEntry:
    """A record that has no place in the chain yet; for its fields see `Record`.

    Parameters
    ----------
    durable : bool
        Whether it must survive a power cut.
    """

    utc: str
    mono_ns: int
    kind: str
    trial: int | None
    data: dict[str, Any]
    durable: bool


class JournalFile:
    """An open journal; a torn last line is moved aside.

    Parameters
    ----------
    path : Path
        The file; created if missing.
    header : mapping
        Identifies the package. That of an existing journal must be equal.
    copy : Path, optional
        The second copy, which must not hold more.

    Attributes
    ----------
    found : list of Record
        What the file held when it was opened, with the header.

    Raises
    ------
    CowganError
        The journal was changed, belongs to something else, is shorter than its copy, or
        cannot be written.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], copy: Path | None) -> None:
        self._path = path
        with disk_errors(path):
            existed = path.exists()
            self._file = open_to_append(path)
            try:
                if not existed:
                    _sync_folder(path.parent)
                content = read_bytes(path, LARGEST_BYTES)
                self.found, whole = parse_journal(content, path)
                _refuse_other(self.found, header, path)
                if copy is not None:
                    refuse_unequal_copy(copy, content[:whole], path)
                if whole < len(content):
                    self._move_aside(content[whole:], whole)
            except BaseException:
                self._file.close()
                raise
        self._descriptor = self._file.fileno()
        self._seq = len(self.found)
        self._head = self.found[-1].sha256 if self.found else NO_RECORD
        self._synced_bytes = whole
        self._unsynced = b""
        self._refused = False

    def append(self, entries: Sequence[JournalEntry]) -> list[Record]:
        """Append entries as records, or leave the file as it was.

        Raises
        ------
        CowganError
            The disk refuses, or another program has changed the file.
        """
        records = self._chained(entries)
        lines = b"".join(map(line_of, records))
        durable = any(entry.durable for entry in entries)
        with disk_errors(self._path):
            to_write = self._rolled_back() + lines
            self._refused = True
            _write_all(self._descriptor, to_write)
            if durable:
                os.fsync(self._descriptor)
            self._refused = False
        self._unsynced += lines
        self._seq, self._head = self._seq + len(records), records[-1].sha256
        if durable:
            self._synced_bytes += len(self._unsynced)
            self._unsynced = b""
        return records

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _move_aside(self, torn: bytes, whole: int) -> None:
        with open_to_append(self._path.with_suffix(".torn")) as file:
            file.write(torn)
            file.flush()
            os.fsync(file.fileno())
        self._file.truncate(whole)
        os.fsync(self._file.fileno())

    def _chained(self, entries: Sequence[JournalEntry]) -> list[Record]:
        head, records = self._head, []
        for number, entry in enumerate(entries, self._seq):
            content: dict[str, Any] = {
                "seq": number,
                "utc": entry.utc,
                "mono_ns": entry.mono_ns,
                "kind": entry.kind,
                "trial": entry.trial,
                "data": entry.data,
                "prev": head,
            }
            head = sha256_of_content(content)
            records.append(Record(**content, sha256=head))
        return records

    def _rolled_back(self) -> bytes:
        """Undo a refused write; return what must be written again."""
        if self._refused:
            # Back to what is surely on disk: after a failed fsync, the rest may be lost.
            os.ftruncate(self._descriptor, self._synced_bytes)
            return self._unsynced
        found = os.fstat(self._descriptor).st_size
        if found != self._synced_bytes + len(self._unsynced):
            raise CowganError(f"{self._path} was changed by another program while it was open.")
        return b""


def _refuse_other(records: list[Record], header: Mapping[str, Any], path: Path) -> None:
    if records and (records[0].kind != HEADER or records[0].data != header):
        raise CowganError(f"{path} is the journal of another package; each package has its own.")


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_folder(folder: Path) -> None:
    """Make a new file's name survive a power cut, where folders can be opened at all."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
