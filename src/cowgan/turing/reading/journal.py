"""The writer of a journal: every answer is on disk before the next case is shown.

A thread of its own writes, so that a slow disk never holds up the reader.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cowgan.canonical_json import canonical
from cowgan.documents import parse_json
from cowgan.errors import CowganError
from cowgan.locking import HeldLock
from cowgan.turing.reading.disk_errors import disk_errors
from cowgan.turing.reading.journal_file import JournalEntry, JournalFile
from cowgan.turing.reading.records import HEADER, Record
from cowgan.turing.reading.second_copy import bring_up_to_date


@dataclass(eq=False)
class _Waiting:
    """An entry that is not on disk yet."""

    entry: JournalEntry
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
        with disk_errors(self.path):
            self._lock = HeldLock(self.path.with_suffix(".lock"))
        try:
            self._file = JournalFile(self.path, header, self._copy)
        except BaseException:
            self._lock.release()
            raise
        self.records = self._file.found[1:]
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()
        if not self._file.found:
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
        waiting = _Waiting(JournalEntry(utc, now, kind, trial, content, durable))
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

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or (self._waiting and not self._stuck))
                if self._stuck or not self._waiting:
                    return
                batch = list(self._waiting)
            entries = [waiting.entry for waiting in batch]
            try:
                records = self._file.append(entries)
            except CowganError as problem:
                with self._changed:
                    self.problem, self._stuck = problem, True
                    self._changed.notify_all()
                self._on_problem(problem)
                continue
            if any(entry.durable for entry in entries):
                self._mirror()
            for waiting, record in zip(batch, records, strict=True):
                waiting.committed.set_result(record)
            with self._changed:
                for _ in batch:
                    self._waiting.popleft()
                self._changed.notify_all()

    def _mirror(self) -> None:
        """Bring the second copy up to date; failing to do so stops nothing."""
        if self._copy is None:
            return
        try:
            bring_up_to_date(self._copy, self.path)
        except CowganError as problem:
            first = self.copy_problem is None
            self.copy_problem = problem
            if first:
                self._on_problem(problem)
        else:
            self.copy_problem = None
