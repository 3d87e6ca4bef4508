"""A reading as a state machine, without any window.

Every step is a record in the journal, and the state is what the records add up to: the
same function makes the live state and the one after a crash.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from cowgan.canonical_json import canonical
from cowgan.errors import CowganError
from cowgan.turing.codes import code_of, new_code
from cowgan.turing.design.trials import Course, Trial
from cowgan.turing.reading.journal import Journal, Record
from cowgan.turing.reading.steps import check_step

MAX_MARKS = 3


class State(StrEnum):
    """Where a reading stands."""

    INSTRUCTIONS = "instructions"
    """Before each phase; waits for `Session.understood`."""
    CONSENT = "consent"
    """Once, after the first instructions; waits for `Session.consent`."""
    DECLINED = "declined"
    """The reader does not take part."""
    READY = "ready"
    """Before a trial; waits for `Session.proceed`."""
    LOADING = "loading"
    """The screen is blank while the volume comes; waits for `Session.shown`."""
    VIEWING = "viewing"
    """The volume is shown and nothing is answered."""
    CONFIDENCE = "confidence"
    """Answered; the level is missing."""
    RATED = "rated"
    """Complete, can still be changed; waits for `Session.commit`."""
    COMMITTING = "committing"
    """The answer is on its way to the disk."""
    FEEDBACK = "feedback"
    """Practice: the right answer is shown; waits for `Session.proceed`."""
    BREAK = "break"
    """Waits for `Session.proceed`."""
    PAUSED = "paused"
    """The screen is blank and the clock stands; waits for `Session.unpause`."""
    CLOSING = "closing"
    """All trials are done; the end is on its way to the disk."""
    FINISHED = "finished"
    """There is a finish code."""


_ON_SCREEN = {State.VIEWING, State.CONFIDENCE, State.RATED}
_PAUSABLE = {State.READY, State.LOADING, State.FEEDBACK, State.BREAK} | _ON_SCREEN
_ACCEPTED: dict[str, set[State]] = {
    "understood": {State.INSTRUCTIONS},
    "consent": {State.CONSENT},
    "proceed": {State.READY, State.FEEDBACK, State.BREAK},
    "shown": {State.LOADING},
    "answer": _ON_SCREEN,
    "level": _ON_SCREEN,
    "mark": {State.CONFIDENCE, State.RATED},
    "unmark": {State.CONFIDENCE, State.RATED},
    "commit": {State.RATED},
    "pause": _PAUSABLE,
    "unpause": {State.PAUSED},
    "finish": {State.CLOSING},
}
_STATELESS = {"note", "interaction", "stop"}
_DURABLE = {"start", "consent", "shown", "commit", "pause", "proceed", "finish", "stop"}


@dataclass(frozen=True)
class Standing:
    """What the records so far add up to.

    Parameters
    ----------
    state : State
        Where the reading stands.
    position : int
        Index of the trial; the number of trials when all are done.
    consented : bool
        Whether consent was given.
    answer : str or None
        Of the trial, not committed yet.
    level : int or None
        Confidence or quality, not committed yet.
    answers_given, levels_given : int
        How often each was pressed in this trial.
    marks : tuple of dict
        Give-away places of the trial.
    before_pause : State or None
        Where `State.PAUSED` leads back to.
    restarted : bool
        Whether the trial was interrupted and is shown anew.
    exposure_ns : int
        How long the trial was on screen before it was interrupted.
    shown_ns : int or None
        When the trial was first drawn, since the last start.
    answered_ns : int
        Time on screen at the latest answer.
    active_ns : int
        How long the trial has been on screen, up to `running_since_ns`.
    running_since_ns : int or None
        Since when it is on screen without a pause.
    latest_ns : int
        Time of the latest record.
    since_break : int
        Trials committed since the latest break or start.
    rested_ns : int
        When that break or start was.
    """

    state: State = State.INSTRUCTIONS
    position: int = 0
    consented: bool = False
    answer: str | None = None
    level: int | None = None
    answers_given: int = 0
    levels_given: int = 0
    marks: tuple[dict[str, Any], ...] = ()
    before_pause: State | None = None
    restarted: bool = False
    exposure_ns: int = 0
    shown_ns: int | None = None
    answered_ns: int = 0
    active_ns: int = 0
    running_since_ns: int | None = None
    latest_ns: int = 0
    since_break: int = 0
    rested_ns: int = 0

    def on_screen_ns(self, now_ns: int) -> int:
        """Return how long the trial has been on screen, pauses and interruptions left out."""
        running = 0 if self.running_since_ns is None else now_ns - self.running_since_ns
        return self.active_ns + running


class NotNow(CowganError):
    """The step is not possible in the present state."""

    def __init__(self, kind: str, state: State) -> None:
        super().__init__(f"The step {kind!r} is not possible while the reading is {state}.")


class Session:
    """One reader's way through a package.

    Methods are called from one thread. None waits for the disk, except `wait`.

    Parameters
    ----------
    course : Course
        The trials.
    journal : Journal
        Open for writing; what it holds is gone through first.
    context : mapping, optional
        What else is recorded at the start: program versions, screen.
    clock_ns : callable, optional
        Monotonic clock in nanoseconds.

    Attributes
    ----------
    start_code : str or None
        Drawn when the reading was first begun.
    finish_code : str or None
        Once everything is on disk.

    Raises
    ------
    CowganError
        The journal is not one of this course.
    """

    def __init__(
        self,
        course: Course,
        journal: Journal,
        context: Mapping[str, Any] | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.course = course
        self.finish_code: str | None = None
        self._journal = journal
        self._clock_ns = clock_ns
        self._pending: tuple[Future[Record], Standing] | None = None
        self._standing = replay(course, journal.records)
        self.start_code = start_code(journal.records)
        if self._standing.state is State.FINISHED:
            self.finish_code = finish_code(journal.records)
            return
        begun = dict(context or {})
        if not journal.records:
            self.start_code = begun["start_code"] = new_code()
        self._step("start", begun)
        self._close_if_done()

    @property
    def state(self) -> State:
        """Where the reading stands."""
        return State.COMMITTING if self._committing else self._standing.state

    @property
    def standing(self) -> Standing:
        """Details of the state."""
        return self._standing

    @property
    def trial(self) -> Trial | None:
        """The present trial; None when all are done."""
        trials, position = self.course.trials, self._standing.position
        return trials[position] if position < len(trials) else None

    @property
    def upcoming(self) -> Trial | None:
        """The trial after the present one, whose volumes can be loaded already."""
        trials, position = self.course.trials, self._standing.position + 1
        return trials[position] if position < len(trials) else None

    def accepts(self, kind: str) -> bool:
        """Tell whether a step, named like its method, is possible now."""
        return not self._committing and _possible(self.course, self._standing, kind)

    def understood(self) -> None:
        """Leave the instructions."""
        self._step("understood")

    def consent(self, given: bool) -> None:
        """Take part, or not."""
        self._step("consent", {"given": given})

    def proceed(self) -> None:
        """Go on to the next trial, from its announcement, from feedback or from a break."""
        self._step("proceed")

    def shown(self) -> None:
        """Tell that the volume has just been drawn for the first time; the clock starts."""
        self._step("shown", _exposure(self._standing))

    def answer(self, answer: str) -> None:
        """Answer, or change the answer, which asks for the confidence anew.

        Parameters
        ----------
        answer : str
            One of `Rules.answers`.
        """
        if self.accepts("answer") and answer == self._standing.answer:
            return
        self._step("answer", {"answer": answer})

    def level(self, level: int) -> None:
        """State the confidence, or in the impression phase the quality, from 1 to 5."""
        self._step("level", {"level": level})

    def mark(self, voxel: tuple[int, int, int], reasons: Iterable[str], case: str) -> None:
        """Mark a give-away place.

        Parameters
        ----------
        voxel : tuple of int
            Index (z, x, y).
        reasons : iterable of str
            What gives it away.
        case : str
            The volume it is in.
        """
        self._step("mark", {"voxel": list(voxel), "reasons": list(reasons), "case": case})

    def unmark(self) -> None:
        """Remove all marks of the trial."""
        self._step("unmark")

    def commit(self, seen: float | None = None) -> "Future[Record]":
        """Hand the answer to the disk; it can no longer be changed.

        The state is then `State.COMMITTING` until `settle` finds it on disk.

        Parameters
        ----------
        seen : float, optional
            Share of the slices that were looked at, 0 to 1.

        Returns
        -------
        Future of Record
            Completes in another thread when the answer is on disk.
        """
        standing, trial = self._standing, self.trial
        if not self.accepts("commit") or trial is None:
            raise NotNow("commit", self.state)
        now = self._clock_ns()
        data = _committed(self.course, standing, seen, now)
        check_step("commit", data)
        after = advance(self.course, standing, "commit", data, now)
        future = self._journal.append("commit", data, trial.number, mono_ns=now)
        self._pending = future, after
        return future

    def pause(self, reason: str) -> None:
        """Blank the screen and stop the clock.

        Parameters
        ----------
        reason : str
            Such as ``"key"`` or ``"focus lost"``.
        """
        self._step("pause", {"reason": reason})

    def unpause(self) -> None:
        """Go back to where the pause began."""
        self._step("unpause")

    def note(self, text: str) -> None:
        """Record a remark of the reader."""
        self._step("note", {"text": text})

    def interaction(self, **data: Any) -> None:
        """Record what the reader did with the image: slices, window, zoom, projection."""
        self._step("interaction", data)

    def stop(self) -> None:
        """Record that the window is being closed; an open trial will be shown anew."""
        if self.state is not State.FINISHED:
            self._step("stop")

    def settle(self) -> bool:
        """Take note of what has reached the disk.

        Returns
        -------
        bool
            Whether nothing is on its way any more.
        """
        while self._pending is not None:
            future, after = self._pending
            if not future.done():
                return False
            self._pending, self._standing = None, after
            if after.state is State.FINISHED:
                self.finish_code = finish_code([future.result()])
            self._close_if_done()
        return True

    def wait(self) -> None:
        """Wait until everything is on disk, and take note of it.

        Raises
        ------
        CowganError
            The disk refuses; the answer stays in memory and this can be tried again.
        """
        while True:
            self._journal.flush()
            if self.settle():
                return

    @property
    def _committing(self) -> bool:
        return self._pending is not None and self._pending[1].state is not State.FINISHED

    def _step(self, kind: str, data: Mapping[str, Any] | None = None) -> None:
        if self._committing and kind not in _STATELESS:
            raise NotNow(kind, self.state)
        now = self._clock_ns()
        content = dict(data or {})
        # What is no such step would be refused when the journal is collected.
        check_step(kind, content)
        after = advance(self.course, self._standing, kind, content, now)
        trial = None if self.trial is None else self.trial.number
        self._journal.append(kind, content, trial, durable=kind in _DURABLE, mono_ns=now)
        self._standing = after

    def _close_if_done(self) -> None:
        if self._standing.state is State.CLOSING:
            now = self._clock_ns()
            after = advance(self.course, self._standing, "finish", {}, now)
            self._pending = self._journal.append("finish", mono_ns=now), after


def replay(course: Course, records: Iterable[Record]) -> Standing:
    """Return what the records of a journal, without its header, add up to.

    Raises
    ------
    CowganError
        They cannot have come about in this course.
    """
    standing, started = Standing(), False
    for record in records:
        try:
            if not started and record.kind != "start":
                raise CowganError("A reading begins with a start.")
            started = True
            standing = _replayed(course, standing, record)
        except CowganError as error:
            raise CowganError(
                f"Record {record.seq} of the journal does not fit this package: {error.sentence}",
                error.detail,
            ) from error
    return standing


def _replayed(course: Course, standing: Standing, record: Record) -> Standing:
    """Return the standing after a record, which must be what the program writes there."""
    check_step(record.kind, record.data)
    if record.kind != "start" and record.mono_ns < standing.latest_ns:
        raise CowganError("Its clock runs backwards.")
    after = advance(course, standing, record.kind, record.data, record.mono_ns)
    if record.trial not in _numbers(course, standing, record.kind):
        raise CowganError("It belongs to another trial than the one that is due.")
    expected: Mapping[str, Any] = record.data
    if record.kind == "shown":
        expected = _exposure(standing)
    elif record.kind == "commit":
        expected = _committed(course, standing, record.data["seen"], record.mono_ns)
    if canonical(expected) != canonical(record.data):
        raise CowganError("It is not what the steps before it add up to.")
    return after


def _numbers(course: Course, standing: Standing, kind: str) -> set[int | None]:
    """Return the trials that a record may name."""
    if kind == "finish":
        return {None}
    due: set[int | None] = {_number(course, standing.position)}
    if kind in _STATELESS:
        # It may have come while the answer before was on its way to the disk.
        due.add(_number(course, standing.position - 1))
    return due


def _number(course: Course, position: int) -> int | None:
    return course.trials[position].number if 0 <= position < len(course.trials) else None


def _exposure(standing: Standing) -> dict[str, Any]:
    """Return what is told when a volume appears."""
    return {"restarted": standing.restarted, "exposure_ms": _ms(standing.exposure_ns)}


def _committed(
    course: Course, standing: Standing, seen: float | None, now_ns: int
) -> dict[str, Any]:
    """Return what the steps of a trial add up to."""
    trial, rules = course.trials[standing.position], course.rules
    active_ns = standing.on_screen_ns(now_ns)
    hasty = active_ns < rules.lapse_s * 1e9
    unseen = seen is not None and seen < rules.lapse_seen
    shown_ns = now_ns if standing.shown_ns is None else standing.shown_ns
    return {
        "phase": trial.phase,
        "block": trial.block,
        "cases": list(trial.cases),
        "answer": standing.answer,
        "level": standing.level,
        "answer_ms": _ms(standing.answered_ns),
        "active_ms": _ms(active_ns),
        "total_ms": _ms(now_ns - shown_ns),
        "answers_given": standing.answers_given,
        "levels_given": standing.levels_given,
        "marks": list(standing.marks),
        "seen": seen,
        "flags": ["lapse_suspected"] if hasty or unseen else [],
        **_exposure(standing),
    }


def advance(
    course: Course, standing: Standing, kind: str, data: Mapping[str, Any], now_ns: int
) -> Standing:
    """Return the standing after one step.

    Parameters
    ----------
    course : Course
        The trials.
    standing : Standing
        Before the step.
    kind : str
        Name of the step.
    data : mapping
        Its details.
    now_ns : int
        When it happens, in nanoseconds of a monotonic clock.

    Raises
    ------
    NotNow
        The step is not possible in this state.
    CowganError
        Its details are not possible.
    """
    standing = replace(standing, latest_ns=now_ns) if kind != "start" else standing
    if kind in _STATELESS:
        return standing
    if kind == "start":
        return _started(course, standing, now_ns)
    if not _possible(course, standing, kind):
        raise NotNow(kind, standing.state)
    return _TRANSITIONS[kind](course, standing, data, now_ns)


def _possible(course: Course, standing: Standing, kind: str) -> bool:
    if standing.state not in _ACCEPTED.get(kind, ()):
        return False
    impression = standing.state in _ON_SCREEN and (
        course.trials[standing.position].phase == "impression"
    )
    if kind == "answer":
        return not impression
    if kind == "level":
        return impression or standing.state is not State.VIEWING
    if kind == "mark":
        return course.rules.marks and len(standing.marks) < MAX_MARKS
    return True


def _started(course: Course, standing: Standing, now_ns: int) -> Standing:
    """Begin, or go on after a crash or a closed window."""
    state = standing.state
    if state is State.PAUSED and standing.before_pause is not None:
        state = standing.before_pause
    if state is State.FINISHED:
        raise NotNow("start", state)
    if state is State.DECLINED:
        state = State.INSTRUCTIONS
    if state is State.FEEDBACK:
        standing = _next_trial(course, standing, now_ns)
        state = standing.state
    if state is State.BREAK:
        state = State.READY
    fresh = Standing(
        state, standing.position, standing.consented, latest_ns=now_ns, rested_ns=now_ns
    )
    if state in _ON_SCREEN or state in (State.READY, State.LOADING):
        seen_ns = standing.exposure_ns + standing.on_screen_ns(standing.latest_ns)
        interrupted = standing.restarted or standing.shown_ns is not None
        return replace(fresh, state=State.READY, restarted=interrupted, exposure_ns=seen_ns)
    return fresh


def _understood(
    course: Course, standing: Standing, data: Mapping[str, Any], now_ns: int
) -> Standing:
    return replace(standing, state=State.READY if standing.consented else State.CONSENT)


def _consent(course: Course, standing: Standing, data: Mapping[str, Any], now_ns: int) -> Standing:
    given = data["given"] is True
    return replace(standing, state=State.READY if given else State.DECLINED, consented=given)


def _proceed(course: Course, standing: Standing, data: Mapping[str, Any], now_ns: int) -> Standing:
    if standing.state is State.FEEDBACK:
        return _next_trial(course, standing, now_ns)
    if standing.state is State.BREAK:
        return replace(standing, state=State.READY, since_break=0, rested_ns=now_ns)
    return replace(standing, state=State.LOADING)


def _shown(course: Course, standing: Standing, data: Mapping[str, Any], now_ns: int) -> Standing:
    return replace(standing, state=State.VIEWING, shown_ns=now_ns, running_since_ns=now_ns)


def _answer(course: Course, standing: Standing, data: Mapping[str, Any], now_ns: int) -> Standing:
    answer = data["answer"]
    if answer not in course.rules.answers:
        raise CowganError(f"There is no answer {answer!r}.")
    return replace(
        standing,
        state=State.CONFIDENCE,
        answer=answer,
        level=None,
        answers_given=standing.answers_given + 1,
        answered_ns=standing.on_screen_ns(now_ns),
    )


def _level(course: Course, standing: Standing, data: Mapping[str, Any], now_ns: int) -> Standing:
    return replace(
        standing, state=State.RATED, level=data["level"], levels_given=standing.levels_given + 1
    )


def _mark(course: Course, standing: Standing, data: Mapping[str, Any], now_ns: int) -> Standing:
    if data["case"] not in course.trials[standing.position].cases:
        raise CowganError("A place is marked in a volume that is not shown.")
    return replace(standing, marks=(*standing.marks, dict(data)))


def _unmark(course: Course, standing: Standing, data: Mapping[str, Any], now_ns: int) -> Standing:
    return replace(standing, marks=())


def _commit(course: Course, standing: Standing, data: Mapping[str, Any], now_ns: int) -> Standing:
    standing = replace(standing, running_since_ns=None, since_break=standing.since_break + 1)
    if course.trials[standing.position].phase == "practice":
        return replace(standing, state=State.FEEDBACK)
    return _next_trial(course, standing, now_ns)


def _next_trial(course: Course, standing: Standing, now_ns: int) -> Standing:
    done = course.trials[standing.position]
    fresh = Standing(
        State.READY,
        standing.position + 1,
        standing.consented,
        latest_ns=now_ns,
        since_break=standing.since_break,
        rested_ns=standing.rested_ns,
    )
    if fresh.position == len(course.trials):
        return replace(fresh, state=State.CLOSING)
    following = course.trials[fresh.position]
    if following.phase != done.phase:
        return replace(fresh, state=State.INSTRUCTIONS, since_break=0, rested_ns=now_ns)
    rules = course.rules
    tired = (
        fresh.since_break >= rules.break_trials
        or now_ns - fresh.rested_ns >= rules.break_minutes * 60 * 1e9
    )
    if tired and following.block != done.block:
        return replace(fresh, state=State.BREAK)
    return fresh


def _pause(course: Course, standing: Standing, data: Mapping[str, Any], now_ns: int) -> Standing:
    return replace(
        standing,
        state=State.PAUSED,
        before_pause=standing.state,
        active_ns=standing.on_screen_ns(now_ns),
        running_since_ns=None,
    )


def _unpause(course: Course, standing: Standing, data: Mapping[str, Any], now_ns: int) -> Standing:
    assert standing.before_pause is not None
    running = now_ns if standing.before_pause in _ON_SCREEN else None
    return replace(
        standing, state=standing.before_pause, before_pause=None, running_since_ns=running
    )


def _finish(course: Course, standing: Standing, data: Mapping[str, Any], now_ns: int) -> Standing:
    return replace(standing, state=State.FINISHED)


_TRANSITIONS: dict[str, Callable[[Course, Standing, Mapping[str, Any], int], Standing]] = {
    "understood": _understood,
    "consent": _consent,
    "proceed": _proceed,
    "shown": _shown,
    "answer": _answer,
    "level": _level,
    "mark": _mark,
    "unmark": _unmark,
    "commit": _commit,
    "pause": _pause,
    "unpause": _unpause,
    "finish": _finish,
}


def start_code(records: Sequence[Record]) -> str | None:
    """Return what was drawn at the first start, other in every reading; None before it."""
    for record in records:
        if record.kind == "start":
            code = record.data.get("start_code")
            return code if isinstance(code, str) else None
    return None


def finish_code(records: Sequence[Record]) -> str | None:
    """Return 80 bits that change with any answer and with the package; None before the end."""
    for record in reversed(records):
        if record.kind == "finish":
            return code_of(record.sha256)
    return None


def _ms(ns: int) -> int:
    return round(ns / 1e6)
