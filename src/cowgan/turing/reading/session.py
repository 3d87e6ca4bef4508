"""A reading session, without a window: each step becomes a record in the journal.

The state follows from the records alone (`cowgan.turing.reading.steps`), so a live session
and one continued after a crash are computed by the same function.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from cowgan.canonical_json import canonical
from cowgan.errors import CowganError
from cowgan.turing.codes import code_of, new_code
from cowgan.turing.design.trials import Course, Trial
from cowgan.turing.reading.journal import Journal
from cowgan.turing.reading.records import Record
from cowgan.turing.reading.snapshot import Snapshot, State
from cowgan.turing.reading.steps import (
    ACTION,
    STEPS,
    NotNow,
    advance,
    check_step,
    is_possible,
    record_data,
)


class Session:
    """One reader's session with a package.

    Methods must be called from one thread. Only `wait` waits for the disk.

    Parameters
    ----------
    course : Course
        The trials.
    journal : Journal
        Open for writing; the session continues from its records.
    context : mapping, optional
        What else to record at the start: program versions, screen.
    clock_ns : callable, optional
        Monotonic clock in nanoseconds.
    new_start : bool
        Whether the program has just been started. Otherwise it has outlived this object's
        predecessor, as a page in a browser outlives its server, and an open trial goes on.

    Attributes
    ----------
    start_code : str or None
        Random code made at the first start.
    finish_code : str or None
        Known once everything is on disk.

    Raises
    ------
    CowganError
        The journal does not fit this course.
    """

    def __init__(
        self,
        course: Course,
        journal: Journal,
        context: Mapping[str, Any] | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        *,
        new_start: bool = True,
    ) -> None:
        self.course = course
        self.finish_code: str | None = None
        self._journal = journal
        self._clock_ns = clock_ns
        self._pending: tuple[Future[Record], Snapshot] | None = None
        self._action: str | None = None
        self._snapshot = replay(course, journal.records)
        self.start_code = start_code(journal.records)
        if self._snapshot.state is State.FINISHED:
            self.finish_code = finish_code(journal.records)
            return
        if new_start:
            start = dict(context or {})
            if not journal.records:
                self.start_code = start["start_code"] = new_code()
            self._take("start", start)
        self._close_if_done()

    @property
    def state(self) -> State:
        """Present state."""
        return State.COMMITTING if self._committing else self._snapshot.state

    @property
    def snapshot(self) -> Snapshot:
        """Details of the session after its latest step."""
        return self._snapshot

    @property
    def trial(self) -> Trial | None:
        """The present trial; None after the last."""
        trials, position = self.course.trials, self._snapshot.position
        return trials[position] if position < len(trials) else None

    @property
    def upcoming(self) -> Trial | None:
        """The trial after the present one, whose volumes can be loaded in advance."""
        trials, position = self.course.trials, self._snapshot.position + 1
        return trials[position] if position < len(trials) else None

    def accepts(self, kind: str) -> bool:
        """Return whether a step, named like its method, is possible now."""
        if self._committing and STEPS[kind].transition is not None:
            return False
        return is_possible(self.course, self._snapshot, kind)

    @contextmanager
    def on_behalf_of(self, action: str) -> Iterator[None]:
        """Name a client's action in the first record that is made meanwhile.

        Whoever has read the journal recognises the action if it is sent again.
        """
        self._action = action
        try:
            yield
            if self._action is not None:
                self.interaction()
        finally:
            self._action = None

    def understood(self) -> None:
        """Leave the instructions."""
        self._take("understood")

    def consent(self, given: bool) -> None:
        """Take part, or decline."""
        self._take("consent", {"given": given})

    def proceed(self) -> None:
        """Go on to the next trial, from its announcement, from feedback or from a break."""
        self._take("proceed")

    def shown(self) -> None:
        """Record that the volume has been drawn for the first time, and start the clock."""
        self._take("shown")

    def answer(self, answer: str) -> None:
        """Answer, or change the answer, which clears the confidence level.

        Parameters
        ----------
        answer : str
            One of `Rules.answers`.
        """
        if self.accepts("answer") and answer == self._snapshot.answer:
            return
        self._take("answer", {"answer": answer})

    def level(self, level: int) -> None:
        """Rate the confidence, or in the impression phase the quality, from 1 to 5."""
        self._take("level", {"level": level})

    def mark(self, voxel: tuple[int, int, int], reasons: Iterable[str], case: str) -> None:
        """Mark an artefact.

        Parameters
        ----------
        voxel : tuple of int
            Index (z, x, y).
        reasons : iterable of str
            What makes it look generated.
        case : str
            The volume it is in.
        """
        self._take("mark", {"voxel": list(voxel), "reasons": list(reasons), "case": case})

    def unmark(self) -> None:
        """Remove all marks of the trial."""
        self._take("unmark")

    def commit(self, seen: float | None = None) -> "Future[Record]":
        """Send the answer to the disk; it can no longer be changed.

        The state is then `State.COMMITTING` until `settle` finds the answer on disk.

        Parameters
        ----------
        seen : float, optional
            Share of the slices that were viewed, 0 to 1.

        Returns
        -------
        Future of Record
            Completes in another thread when the answer is on disk.
        """
        self._pending = self._record("commit", {"seen": seen})
        return self._pending[0]

    def pause(self, reason: str) -> None:
        """Blank the screen and stop the clock.

        Parameters
        ----------
        reason : str
            Such as ``"key"`` or ``"focus lost"``.
        """
        self._take("pause", {"reason": reason})

    def unpause(self) -> None:
        """Return to the state before the pause."""
        self._take("unpause")

    def note(self, text: str) -> None:
        """Record a remark of the reader."""
        self._take("note", {"text": text})

    def interaction(self, **data: Any) -> None:
        """Record how the reader viewed the image: slices, window, zoom, projection."""
        self._take("interaction", data)

    def stop(self) -> None:
        """Record that the window is being closed; an open trial will be shown again."""
        if self.state is not State.FINISHED:
            self._take("stop")

    def settle(self) -> bool:
        """Move on if the pending answer has reached the disk.

        Returns
        -------
        bool
            Whether nothing is pending any more.
        """
        while self._pending is not None:
            future, after = self._pending
            if not future.done():
                return False
            self._pending, self._snapshot = None, after
            if after.state is State.FINISHED:
                self.finish_code = finish_code([future.result()])
            self._close_if_done()
        return True

    def wait(self) -> None:
        """Wait until everything is on disk, then `settle`.

        Raises
        ------
        CowganError
            The disk cannot be written; the answer stays in memory and `wait` can be tried
            again.
        """
        while True:
            self._journal.flush()
            if self.settle():
                return

    @property
    def _committing(self) -> bool:
        return self._pending is not None and self._pending[1].state is not State.FINISHED

    def _take(self, kind: str, data: Mapping[str, Any] | None = None) -> None:
        _, self._snapshot = self._record(kind, data)

    def _record(
        self, kind: str, data: Mapping[str, Any] | None = None
    ) -> "tuple[Future[Record], Snapshot]":
        """Append a step to the journal; return its future and the session after it."""
        if not self.accepts(kind):
            raise NotNow(kind, self.state)
        now, before, given = self._clock_ns(), self._snapshot, dict(data or {})
        if self._action is not None:
            given[ACTION] = self._action
        content = record_data(self.course, before, kind, given, now)
        # Collecting the journal would refuse invalid content.
        check_step(kind, content)
        after = advance(self.course, before, kind, content, now)
        future = self._journal.append(
            kind,
            content,
            _trial_number(self.course, before.position),
            durable=STEPS[kind].durable,
            mono_ns=now,
        )
        self._action = None
        return future, after

    def _close_if_done(self) -> None:
        if self._snapshot.state is State.CLOSING:
            self._pending = self._record("finish")


def replay(course: Course, records: Iterable[Record]) -> Snapshot:
    """Return the session that the records of a journal, without its header, lead to.

    Raises
    ------
    CowganError
        No session of this course can have written them.
    """
    snapshot, started = Snapshot(), False
    for record in records:
        try:
            if not started and record.kind != "start":
                raise CowganError("A reading begins with a start.")
            started = True
            snapshot = _replayed(course, snapshot, record)
        except CowganError as error:
            raise CowganError(
                f"Record {record.seq} of the journal does not fit this package: {error.sentence}",
                error.detail,
            ) from error
    return snapshot


def _replayed(course: Course, before: Snapshot, record: Record) -> Snapshot:
    """Return the session after a record, which must be what `Session` writes there."""
    check_step(record.kind, record.data)
    if record.kind != "start" and record.mono_ns < before.latest_ns:
        raise CowganError("Its clock runs backwards.")
    after = advance(course, before, record.kind, record.data, record.mono_ns)
    if record.trial not in _trial_numbers(course, before, record.kind):
        raise CowganError("It belongs to another trial than the one that is due.")
    expected = record_data(course, before, record.kind, record.data, record.mono_ns)
    if canonical(expected) != canonical(record.data):
        raise CowganError("It does not follow from the steps before it.")
    return after


def _trial_numbers(course: Course, before: Snapshot, kind: str) -> set[int | None]:
    """Return the trials that a record may name."""
    due = {_trial_number(course, before.position)}
    if STEPS[kind].transition is None:
        # It may have been recorded while the previous answer was being written.
        due.add(_trial_number(course, before.position - 1))
    return due


def _trial_number(course: Course, position: int) -> int | None:
    return course.trials[position].number if 0 <= position < len(course.trials) else None


def start_code(records: Sequence[Record]) -> str | None:
    """Return the random code made at the first start, unique to a reading; None before it."""
    for record in records:
        if record.kind == "start":
            code = record.data.get("start_code")
            return code if isinstance(code, str) else None
    return None


def finish_code(records: Sequence[Record]) -> str | None:
    """Return a code of 80 bits that depends on answers and package; None before the end."""
    for record in reversed(records):
        if record.kind == "finish":
            return code_of(record.sha256)
    return None
