"""What a page is told: constants of a reading, and its state."""

from dataclasses import asdict
from itertools import groupby
from typing import Any

from cowgan.turing.design.trials import LEVELS, Trial
from cowgan.turing.reading.manifest import Manifest
from cowgan.turing.reading.marking import REASONS, Marking
from cowgan.turing.reading.session import Session
from cowgan.turing.reading.snapshot import State
from cowgan.turing.reading.steps import MAX_MARKS, after_trial
from cowgan.turing.serving.volume_names import VolumeNames

_STEPS = (
    "understood",
    "consent",
    "proceed",
    "shown",
    "answer",
    "level",
    "commit",
    "pause",
    "unpause",
)
"""Actions that are one step of the session, of the same name."""


def constants(manifest: Manifest) -> dict[str, Any]:
    """Return what never changes during a reading."""
    rules = manifest.rules
    phases = groupby(trial.phase for trial in manifest.trials)
    return {
        "reader": manifest.reader,
        "design": rules.design,
        "answers": list(rules.answers),
        "levels": list(LEVELS),
        "mip": rules.mip,
        "marks": MAX_MARKS if rules.marks else 0,
        "reasons": list(REASONS),
        "hint_s": rules.hint_s,
        "phases": [{"phase": phase, "trials": len(list(trials))} for phase, trials in phases],
        "display": asdict(manifest.display),
    }


def page_state(session: Session, names: VolumeNames, returned: bool) -> dict[str, Any]:
    """Return the state of a reading.

    Parameters
    ----------
    session : Session
        With nothing left to write.
    names : VolumeNames
        Of this start.
    returned : bool
        Whether it was begun earlier, and no case has been shown since.
    """
    snapshot, trial = session.snapshot, session.trial
    allowed = snapshot.consented
    return {
        "state": str(session.state),
        "trial": _trial(session, trial, names.of(trial) if allowed else []) if trial else None,
        "next": _next(session, names) if allowed else None,
        "upcoming": names.of(session.upcoming) if allowed else [],
        "answer": snapshot.answer,
        "level": snapshot.level,
        "marks": [
            {
                "voxel": list(mark["voxel"]),
                "volume": trial.cases.index(mark["case"]),
                "reasons": list(mark["reasons"]),
            }
            for mark in snapshot.marks
            if trial
        ],
        "can": _possible(session) if trial else [],
        "can_mark": _can_mark(session),
        "restarted": snapshot.restarted,
        "returned": returned,
        "saved": _saved(session, trial),
        "feedback": _feedback(session, trial),
        "start_code": session.start_code,
        "finish_code": session.finish_code,
    }


def _possible(session: Session) -> list[str]:
    possible = [kind for kind in _STEPS if session.accepts(kind)]
    if _can_mark(session):
        possible.append("mark")
    if session.snapshot.marks and session.accepts("unmark"):
        possible += ["undo_mark", "toggle_reason"]
    return possible


def _can_mark(session: Session) -> bool:
    return Marking(session).allowed and session.accepts("mark")


def _trial(session: Session, trial: Trial, volumes: list[str]) -> dict[str, Any]:
    numbers = [other.number for other in session.course.trials if other.phase == trial.phase]
    return {
        "number": trial.number,
        "phase": trial.phase,
        "place": numbers.index(trial.number) + 1,
        "of": len(numbers),
        "volumes": volumes,
    }


def _next(session: Session, names: VolumeNames) -> dict[str, Any] | None:
    """Return what follows the trial, so that a page goes on without a connection."""
    course, snapshot, upcoming = session.course, session.snapshot, session.upcoming
    if upcoming is None:
        return None
    rested_ns = snapshot.rested_ns + round(course.rules.break_minutes * 60 * 1e9)
    rests = after_trial(course, snapshot, rested_ns).state is State.BREAK
    return {
        "state": str(after_trial(course, snapshot, snapshot.latest_ns).state),
        "trial": _trial(session, upcoming, names.of(upcoming)),
        "break_at_ms": rested_ns / 1e6 if rests else None,
    }


def _saved(session: Session, trial: Trial | None) -> int:
    if trial is None:
        return 0
    before = sum(
        other.phase == trial.phase and other.number < trial.number
        for other in session.course.trials
    )
    return before + (session.state is State.FEEDBACK)


def _feedback(session: Session, trial: Trial | None) -> dict[str, Any] | None:
    """Return the right answer: only once that of the reader cannot be changed any more."""
    if trial is None or session.state is not State.FEEDBACK:
        return None
    answer = session.snapshot.answer
    return {"expected": trial.expected, "answer": answer, "correct": answer == trial.expected}
