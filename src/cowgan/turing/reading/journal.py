"""The writer of a journal: every answer is on disk before the next case is shown.

A thread of its own writes, so that a slow disk never holds up the reader. For the format see
`cowgan.turing.reading.records`.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from errno import EACCES, EDQUOT, EFBIG, ENOSPC, EPERM, EROFS
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cowgan.canonical_json import canonical, sha256_of_content
from cowgan.documents import parse_json
from cowgan.errors import CowganError
from cowgan.files import open_to_append, read_bytes
from cowgan.locking import HeldLock
from cowgan.turing.reading.records import (
    HEADER,
    LARGEST_BYTES,
    NO_RECORD,
    Record,
    line_of,
    parse_journal,
)

_FULL = {ENOSPC, EDQUOT, EFBIG}
_FORBIDDEN = {EACCES, EPERM, EROFS}


@dataclass(eq=False)
class _Waiting:
    """A record that is not on disk yet; its place in the chain is assigned when written."""

    utc: str
    mono_ns: int
    kind: str
    trial: int | None
    data: dict[str, Any]
    durable: bool
    committed: "Future[Record]" = field(default_factory=Future)


class Journal:
    """The single writer of a journal.

    Records are never dropped: if the disk cannot be written, they wait in memory, `problem`
    says why, and `retry` or `flush` try again.

    Parameters
    ----------
    path : Path
        The file; created if missing.
    header : mapping
        Identifies the package. That of an existing journal must be equal.
    copy : Path, optional
        A second file, best on another disk, that receives the same bytes.
    on_problem : callable, optional
        Called in the writing thread when the disk cannot be written.

    Attributes
    ----------
    records : list of Record
        What the file held when it was opened, without the header.
    problem : CowganError or None
        Why the disk refused the last attempt to write.
    copy_problem : CowganError or None
        Why the second copy is behind; it catches up by itself.

    Raises
    ------
    CowganError
        The journal is in use, was changed, belongs to something else, is shorter than its
        copy, or its folder cannot be written.
    """

    def __init__(
        self,
        path: Path,
        header: Mapping[str, Any],
        copy: Path | None = None,
        on_problem: Callable[[CowganError], None] = lambda problem: None,
    ) -> None:
        self.path = Path(path)
        self._copy = None if copy is None else Path(copy)
        self._on_problem = on_problem
        self.problem: CowganError | None = None
        self.copy_problem: CowganError | None = None
        self._changed = threading.Condition()
        self._waiting: deque[_Waiting] = deque()
        self._stuck = False
        self._closing = False
        try:
            self._lock = HeldLock(self.path.with_suffix(".lock"))
            try:
                self._open(header)
            except BaseException:
                self._lock.release()
                raise
        except OSError as error:
            raise _write_error(self.path, error) from error
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()
        if not self._seq:
            self.append(HEADER, dict(header))
            try:
                self.flush()
            except CowganError:
                self._abandon()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def append(
        self,
        kind: str,
        data: Mapping[str, Any] | None = None,
        trial: int | None = None,
        *,
        durable: bool = True,
        mono_ns: int | None = None,
    ) -> "Future[Record]":
        """Queue a record without waiting for the disk.

        Parameters
        ----------
        kind, data, trial
            As in `Record`.
        durable : bool
            Whether it must survive a power cut; otherwise it is only as safe as the next
            durable one makes it.
        mono_ns : int, optional
            When it happened, by `time.monotonic_ns`; by default now.

        Returns
        -------
        Future of Record
            Completes when the record is on disk, and not before.

        Raises
        ------
        CowganError
            The journal is closed.
        """
        # What is no JSON fails here, not in the writing thread; and what the caller changes
        # later changes no record.
        content = parse_json(canonical(dict(data or {})), dict[str, Any], "The record")
        utc = datetime.now(UTC).isoformat(timespec="milliseconds")
        now = time.monotonic_ns() if mono_ns is None else mono_ns
        waiting = _Waiting(utc, now, kind, trial, content, durable)
        with self._changed:
            if self._closing:
                raise CowganError(f"{self.path} is closed; nothing more can be recorded.")
            self._waiting.append(waiting)
            self._changed.notify_all()
        return waiting.committed

    def retry(self) -> None:
        """Retry a failed write without waiting for the outcome."""
        with self._changed:
            self._stuck, self.problem = False, None
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait until everything is on disk; retry a failed write.

        Raises
        ------
        CowganError
            The disk refuses. Nothing is lost as long as the program runs.
        """
        self.retry()
        with self._changed:
            self._changed.wait_for(lambda: self._stuck or not self._waiting)
            if self._stuck and self.problem is not None:
                raise self.problem

    def close(self) -> None:
        """Write what is left and release the lock; may be called twice.

        Raises
        ------
        CowganError
            The disk refuses what is left.
        """
        with self._changed:
            if self._closing:
                return
        try:
            self.flush()
        finally:
            self._abandon()

    def _abandon(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        self._file.close()
        self._lock.release()

    def _open(self, header: Mapping[str, Any]) -> None:
        existed = self.path.exists()
        self._file = open_to_append(self.path)
        self._descriptor = self._file.fileno()
        try:
            if not existed:
                _sync_folder(self.path.parent)
            content = read_bytes(self.path, LARGEST_BYTES)
            records, whole = parse_journal(content, self.path)
            _refuse_other(records, header, self.path)
            self._refuse_unequal_copy(content[:whole])
            if whole < len(content):
                with open_to_append(self.path.with_suffix(".torn")) as torn:
                    torn.write(content[whole:])
                    torn.flush()
                    os.fsync(torn.fileno())
                self._file.truncate(whole)
                os.fsync(self._file.fileno())
        except BaseException:
            self._file.close()
            raise
        self.records = records[1:]
        self._seq = len(records)
        self._head = records[-1].sha256 if records else NO_RECORD
        self._synced_bytes = whole
        self._unsynced = b""
        self._refused = False

    def _refuse_unequal_copy(self, content: bytes) -> None:
        if self._copy is None:
            return
        try:
            self._copy.parent.mkdir(parents=True, exist_ok=True)
            copied = read_bytes(self._copy, LARGEST_BYTES) if self._copy.exists() else b""
        except OSError as error:
            raise _write_error(self._copy, error) from error
        if content.startswith(copied):
            return
        if copied.startswith(content):
            raise CowganError(
                f"{self.path} has lost records that its second copy {self._copy} still has; "
                "replace it by the copy."
            )
        raise CowganError(f"{self._copy} is not the second copy of {self.path}.")

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or (self._waiting and not self._stuck))
                if self._stuck or not self._waiting:
                    return
                batch = list(self._waiting)
            try:
                records = self._write(batch)
            except (OSError, CowganError) as error:
                problem = (
                    error if isinstance(error, CowganError) else _write_error(self.path, error)
                )
                with self._changed:
                    self.problem, self._stuck = problem, True
                    self._changed.notify_all()
                self._on_problem(problem)
                continue
            for waiting, record in zip(batch, records, strict=True):
                waiting.committed.set_result(record)
            with self._changed:
                for _ in batch:
                    self._waiting.popleft()
                self._changed.notify_all()

    def _write(self, batch: list[_Waiting]) -> list[Record]:
        """Append a batch, or leave the file as it was before it."""
        head, records = self._head, []
        for number, waiting in enumerate(batch, self._seq):
            content: dict[str, Any] = {
                "seq": number,
                "utc": waiting.utc,
                "mono_ns": waiting.mono_ns,
                "kind": waiting.kind,
                "trial": waiting.trial,
                "data": waiting.data,
                "prev": head,
            }
            head = sha256_of_content(content)
            records.append(Record(**content, sha256=head))
        lines = b"".join(map(line_of, records))
        found = os.fstat(self._descriptor).st_size
        if self._refused:
            # Back to what is surely on disk: after a failed fsync, the rest may be lost.
            os.ftruncate(self._descriptor, self._synced_bytes)
            to_write = self._unsynced + lines
        elif found == self._synced_bytes + len(self._unsynced):
            to_write = lines
        else:
            raise CowganError(f"{self.path} was changed by another program while it was open.")
        durable = any(waiting.durable for waiting in batch)
        self._refused = True
        _write_all(self._descriptor, to_write)
        if durable:
            os.fsync(self._descriptor)
        self._refused = False
        self._unsynced += lines
        self._seq, self._head = self._seq + len(records), head
        if durable:
            self._synced_bytes += len(self._unsynced)
            self._unsynced = b""
            self._mirror()
        return records

    def _mirror(self) -> None:
        """Bring the second copy up to date; failing to do so stops nothing."""
        if self._copy is None:
            return
        try:
            with open_to_append(self._copy) as copy, self.path.open("rb") as journal:
                journal.seek(copy.tell())
                copy.write(journal.read())
                copy.flush()
                os.fsync(copy.fileno())
        except (OSError, CowganError) as error:
            first = self.copy_problem is None
            self.copy_problem = (
                error if isinstance(error, CowganError) else _write_error(self._copy, error)
            )
            if first:
                self._on_problem(self.copy_problem)
        else:
            self.copy_problem = None


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


def _write_error(path: Path, error: OSError) -> CowganError:
    if error.errno in _FULL:
        sentence = (
            f"The disk of {path} is full; free some space, then go on: nothing is lost as long as "
            "this window stays open."
        )
    elif error.errno in _FORBIDDEN:
        sentence = f"{path.parent} cannot be written; use a folder of your own."
    else:
        sentence = f"{path} could not be written: {error.strerror or error}."
    return CowganError(sentence, repr(error))
