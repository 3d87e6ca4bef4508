"""Marks that a reader places on a volume, with their reasons."""

from collections.abc import Mapping, Sequence
from typing import Any

from cowgan.turing.reading.session import Session
from cowgan.turing.reading.snapshot import State
from cowgan.turing.reading.steps import MAX_MARKS

REASONS = (
    "Vessel ends or breaks off",
    "Impossible connection",
    "Odd calibre or branching",
    "Noise or texture",
    "Background tissue",
    "Jumps between slices",
    "Edge of the image",
    "Too clean",
    "Gut feeling",
)
"""What readers choose from; recorded verbatim."""


class Marking:
    """Edits the marks of the current trial, and its answer, on which they depend.

    Parameters
    ----------
    session : Session
        The session that records them.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def allowed(self) -> bool:
        """Whether locations can be marked: on a volume that is answered to be generated."""
        session, trial = self._session, self._session.trial
        return (
            session.course.rules.marks
            and trial is not None
            and trial.phase != "impression"
            and session.state in (State.CONFIDENCE, State.RATED)
            and session.snapshot.answer in ("G", "left", "right")
        )

    def add(self, voxel: tuple[int, int, int], case: str) -> bool:
        """Add a mark without reasons; return whether there was room for it."""
        room = self.allowed and len(self._session.snapshot.marks) < MAX_MARKS
        if room:
            self._session.mark(voxel, (), case)
        return room

    def answer(self, answer: str) -> None:
        """Answer the trial; an answer that nothing is generated clears the marks."""
        self._session.answer(answer)
        if not self.allowed:
            self._replace([])

    def undo(self) -> None:
        """Remove the last mark."""
        self._replace(self._session.snapshot.marks[:-1])

    def toggle_reason(self, reason: str) -> None:
        """Add a reason to the last mark, or remove it."""
        if not self._session.snapshot.marks:
            return
        *others, last = self._session.snapshot.marks
        reasons = last["reasons"]
        reasons = [r for r in reasons if r != reason] if reason in reasons else [*reasons, reason]
        self._replace([*others, {**last, "reasons": reasons}])

    def _replace(self, marks: Sequence[Mapping[str, Any]]) -> None:
        """Replace all marks, which is the only change that the journal knows."""
        if not self._session.snapshot.marks or not self._session.accepts("unmark"):
            return
        self._session.unmark()
        for mark in marks:
            self._session.mark(tuple(mark["voxel"]), mark["reasons"], mark["case"])
