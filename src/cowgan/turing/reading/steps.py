"""The steps of a reading session, as a pure state machine.

`STEPS` says for each kind of step what its journal record holds, in which states it is
possible and which state follows.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cowgan.documents import checked
from cowgan.errors import CowganError
from cowgan.turing.design.trials import Course, Trial
from cowgan.turing.reading import step_data
from cowgan.turing.reading.snapshot import Snapshot, State

MAX_MARKS = 3

ACTION = "action"
"""Name, in any record, of what identifies the request of a client that it carries out."""

_ACTION = re.compile(r"[A-Za-z0-9_-]{16,64}")

_ANSWERED = {State.CONFIDENCE, State.RATED}
_ON_SCREEN = {State.VIEWING} | _ANSWERED
_BETWEEN_TRIALS = {State.READY, State.FEEDBACK, State.BREAK}
_ALL = set(State)


class NotNow(CowganError):
    """The step is not possible in the present state."""

    def __init__(self, kind: str, state: State) -> None:
        super().__init__(f"The step {kind!r} is not possible while the reading is {state}.")


@dataclass(frozen=True)
class _Event:
    """A step about to happen: its content, its time and the session before it."""

    course: Course
    before: Snapshot
    data: Mapping[str, Any]
    now_ns: int

    @property
    def trial(self) -> Trial:
        return self.course.trials[self.before.position]

    @property
    def on_screen_ns(self) -> int:
        return self.before.on_screen_ns(self.now_ns)

    def to(self, state: State, **changes: Any) -> Snapshot:
        return replace(self.before, state=state, **changes)


@dataclass(frozen=True)
class Step:
    """One kind of step.

    Parameters
    ----------
    content : type
        What the record holds.
    states : set of State
        In which the step is possible.
    transition : callable or None
        Returns the next snapshot; None if the step changes nothing, so that it may even be
        recorded while an answer is being written.
    condition : callable
        Returns whether the step is possible in one of `states`.
    derived : callable
        Returns the part of the content that follows from earlier steps.
    durable : bool
        Whether the record must survive a power cut.
    """

    content: type[Any]
    states: set[State]
    transition: Callable[[_Event], Snapshot] | None
    condition: Callable[[Course, Snapshot], bool] = lambda course, before: True
    derived: Callable[[_Event], dict[str, Any]] = lambda event: {}
    durable: bool = False


def is_possible(course: Course, before: Snapshot, kind: str) -> bool:
    """Return whether a kind of step is possible next."""
    step = STEPS[kind]
    return before.state in step.states and step.condition(course, before)


def record_data(
    course: Course, before: Snapshot, kind: str, data: Mapping[str, Any], now_ns: int
) -> dict[str, Any]:
    """Return the content of a step's record, with everything that follows from earlier steps.

    Parameters
    ----------
    course, before, kind, now_ns
        As for `advance`.
    data : mapping
        Details known to the caller.

    Raises
    ------
    NotNow
        The step is not possible in this state.
    """
    if not is_possible(course, before, kind):
        raise NotNow(kind, before.state)
    return {**data, **STEPS[kind].derived(_Event(course, before, data, now_ns))}


def check_step(kind: str, data: Any) -> None:
    """Raise `CowganError` unless `data` is valid content of a record of this kind.

    Parameters
    ----------
    kind : str
        Kind of the record.
    data : Any
        Its details, as JSON.
    """
    if kind not in STEPS:
        raise CowganError(f"There is no step {kind!r:.40}.")
    if isinstance(data, dict) and ACTION in data:
        action, data = data[ACTION], without_action(data)
        if not isinstance(action, str) or not _ACTION.fullmatch(action):
            raise CowganError(f"The step {kind!r} carries out no action of a client.")
    checked(data, STEPS[kind].content, f"The step {kind!r}", other_versions=kind == "start")


def without_action(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a record without the request that it carries out."""
    return {name: value for name, value in data.items() if name != ACTION}


def advance(
    course: Course, before: Snapshot, kind: str, data: Mapping[str, Any], now_ns: int
) -> Snapshot:
    """Return the session after one more step.

    Parameters
    ----------
    course : Course
        The trials.
    before : Snapshot
        The session before the step.
    kind : str
        A key of `STEPS`.
    data : mapping
        Content of its record, valid by `check_step`.
    now_ns : int
        Time of the step, in nanoseconds of a monotonic clock.

    Raises
    ------
    NotNow
        The step is not possible in this state.
    CowganError
        Its details do not fit the trial.
    """
    if not is_possible(course, before, kind):
        raise NotNow(kind, before.state)
    transition = STEPS[kind].transition
    after = before if transition is None else transition(_Event(course, before, data, now_ns))
    return replace(after, latest_ns=now_ns)


def after_trial(course: Course, before: Snapshot, now_ns: int) -> Snapshot:
    """Return the session after the present trial, if that ends at a given time.

    Parameters
    ----------
    course, before, now_ns
        As for `advance`; `before` is a session in a trial, or in the feedback on it.
    """
    ended = before if before.state is State.FEEDBACK else _counted(before)
    return _next_trial(_Event(course, ended, {}, now_ns))


def _start(event: _Event) -> Snapshot:
    """Begin, or continue after a crash or a closed window."""
    before = event.before
    if State.FEEDBACK in (before.state, before.before_pause):
        before = _next_trial(event)
    state = before.before_pause or before.state
    continued = Snapshot(
        State.INSTRUCTIONS if state is State.DECLINED else state,
        before.position,
        before.consented,
        rested_ns=event.now_ns,
    )
    if state in _ON_SCREEN | {State.READY, State.LOADING, State.BREAK}:
        return replace(
            continued,
            state=State.READY,
            restarted=before.restarted or before.shown_ns is not None,
            exposure_ns=before.exposure_ns + before.on_screen_ns(before.latest_ns),
        )
    return continued


def _consent(event: _Event) -> Snapshot:
    given = event.data["given"]
    return event.to(State.READY if given else State.DECLINED, consented=given)


def _proceed(event: _Event) -> Snapshot:
    if event.before.state is State.FEEDBACK:
        return _next_trial(event)
    if event.before.state is State.BREAK:
        return event.to(State.READY, since_break=0, rested_ns=event.now_ns)
    return event.to(State.LOADING)


def _show(event: _Event) -> Snapshot:
    return event.to(State.VIEWING, shown_ns=event.now_ns, running_since_ns=event.now_ns)


def _answer(event: _Event) -> Snapshot:
    answer = event.data["answer"]
    if answer not in event.course.rules.answers:
        raise CowganError(f"There is no answer {answer!r}.")
    return event.to(
        State.CONFIDENCE,
        answer=answer,
        level=None,
        answers_given=event.before.answers_given + 1,
        answered_ns=event.on_screen_ns,
    )


def _rate(event: _Event) -> Snapshot:
    given = event.before.levels_given + 1
    return event.to(State.RATED, level=event.data["level"], levels_given=given)


def _mark(event: _Event) -> Snapshot:
    if event.data["case"] not in event.trial.cases:
        raise CowganError("A mark is in a volume that is not shown.")
    return replace(event.before, marks=(*event.before.marks, without_action(event.data)))


def _commit(event: _Event) -> Snapshot:
    committed = _counted(event.before)
    if event.trial.phase == "practice":
        return replace(committed, state=State.FEEDBACK)
    return _next_trial(replace(event, before=committed))


def _counted(before: Snapshot) -> Snapshot:
    return replace(before, running_since_ns=None, since_break=before.since_break + 1)


def _pause(event: _Event) -> Snapshot:
    return event.to(
        State.PAUSED,
        before_pause=event.before.state,
        active_ns=event.on_screen_ns,
        running_since_ns=None,
    )


def _unpause(event: _Event) -> Snapshot:
    state = event.before.before_pause
    assert state is not None
    running = event.now_ns if state in _ON_SCREEN else None
    return event.to(state, before_pause=None, running_since_ns=running)


def _next_trial(event: _Event) -> Snapshot:
    before, trials, rules = event.before, event.course.trials, event.course.rules
    fresh = Snapshot(
        State.READY,
        before.position + 1,
        before.consented,
        since_break=before.since_break,
        rested_ns=before.rested_ns,
    )
    if fresh.position == len(trials):
        return replace(fresh, state=State.CLOSING)
    following = trials[fresh.position]
    if following.phase != event.trial.phase:
        return replace(fresh, state=State.INSTRUCTIONS, since_break=0, rested_ns=event.now_ns)
    break_due = (
        fresh.since_break >= rules.break_trials
        or event.now_ns - fresh.rested_ns >= rules.break_minutes * 60 * 1e9
    )
    if break_due and following.block != event.trial.block:
        return replace(fresh, state=State.BREAK)
    return fresh


def _exposure(event: _Event) -> dict[str, Any]:
    before = event.before
    return {"restarted": before.restarted, "exposure_ms": _ms(before.exposure_ns)}


def _final_answer(event: _Event) -> dict[str, Any]:
    trial, before, rules, seen = event.trial, event.before, event.course.rules, event.data["seen"]
    hasty = event.on_screen_ns < rules.lapse_s * 1e9
    unseen = seen is not None and seen < rules.lapse_seen
    shown_ns = event.now_ns if before.shown_ns is None else before.shown_ns
    return {
        "phase": trial.phase,
        "block": trial.block,
        "cases": list(trial.cases),
        "answer": before.answer,
        "level": before.level,
        "answer_ms": _ms(before.answered_ns),
        "active_ms": _ms(event.on_screen_ns),
        "total_ms": _ms(event.now_ns - shown_ns),
        "answers_given": before.answers_given,
        "levels_given": before.levels_given,
        "marks": list(before.marks),
        "flags": ["lapse_suspected"] if hasty or unseen else [],
        **_exposure(event),
    }


def _ms(ns: int) -> int:
    return round(ns / 1e6)


def _is_impression(course: Course, before: Snapshot) -> bool:
    return course.trials[before.position].phase == "impression"


def _can_answer(course: Course, before: Snapshot) -> bool:
    return not _is_impression(course, before)


def _can_rate(course: Course, before: Snapshot) -> bool:
    return before.state in _ANSWERED or _is_impression(course, before)


def _can_mark(course: Course, before: Snapshot) -> bool:
    return course.rules.marks and len(before.marks) < MAX_MARKS


STEPS = {
    "start": Step(step_data.StartData, _ALL - {State.FINISHED}, _start, durable=True),
    "understood": Step(
        step_data.NoData,
        {State.INSTRUCTIONS},
        lambda event: event.to(State.READY if event.before.consented else State.CONSENT),
    ),
    "consent": Step(step_data.ConsentData, {State.CONSENT}, _consent, durable=True),
    "proceed": Step(step_data.NoData, _BETWEEN_TRIALS, _proceed, durable=True),
    "shown": Step(step_data.ShownData, {State.LOADING}, _show, derived=_exposure, durable=True),
    "answer": Step(step_data.AnswerData, _ON_SCREEN, _answer, _can_answer),
    "level": Step(step_data.LevelData, _ON_SCREEN, _rate, _can_rate),
    "mark": Step(step_data.MarkData, _ANSWERED, _mark, _can_mark),
    "unmark": Step(step_data.NoData, _ANSWERED, lambda event: replace(event.before, marks=())),
    "commit": Step(
        step_data.CommitData, {State.RATED}, _commit, derived=_final_answer, durable=True
    ),
    "pause": Step(
        step_data.PauseData,
        _BETWEEN_TRIALS | {State.LOADING} | _ON_SCREEN,
        _pause,
        durable=True,
    ),
    "unpause": Step(step_data.NoData, {State.PAUSED}, _unpause),
    "finish": Step(
        step_data.NoData, {State.CLOSING}, lambda event: event.to(State.FINISHED), durable=True
    ),
    "note": Step(step_data.NoteData, _ALL, None),
    "interaction": Step(dict[str, Any], _ALL, None),
    "stop": Step(step_data.NoData, _ALL, None, durable=True),
}
"""Every kind of step, by its name in the journal."""
