"""The state of a reading session."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """State of a reading session."""

    INSTRUCTIONS = "instructions"
    """Before each phase; waits for "understood"."""
    CONSENT = "consent"
    """Once, after the first instructions; waits for "consent"."""
    DECLINED = "declined"
    """The reader does not take part."""
    READY = "ready"
    """Before a trial; waits for "proceed"."""
    LOADING = "loading"
    """The screen is blank while the volume is loaded; waits for "shown"."""
    VIEWING = "viewing"
    """The volume is shown and not yet answered."""
    CONFIDENCE = "confidence"
    """Answered; the confidence level is missing."""
    RATED = "rated"
    """Complete, can still be changed; waits for "commit"."""
    COMMITTING = "committing"
    """The answer is being written to disk."""
    FEEDBACK = "feedback"
    """Practice: the right answer is shown; waits for "proceed"."""
    BREAK = "break"
    """Waits for "proceed"."""
    PAUSED = "paused"
    """The screen is blank and the clock is stopped; waits for "unpause"."""
    CLOSING = "closing"
    """All trials are done; the end is being written to disk."""
    FINISHED = "finished"
    """The finish code is known."""


@dataclass(frozen=True)
class Snapshot:
    """A session after its steps so far.

    Parameters
    ----------
    state : State
        Present state.
    position : int
        Index of the trial; the number of trials when all are done.
    consented : bool
        Whether consent was given.
    answer : str or None
        Answer to the trial, not committed yet.
    level : int or None
        Confidence or quality, not committed yet.
    answers_given, levels_given : int
        How often each was given in this trial.
    marks : tuple of dict
        Marked artefacts of the trial.
    before_pause : State or None
        State to which `State.PAUSED` returns.
    restarted : bool
        Whether the trial was interrupted and is shown again.
    exposure_ns : int
        Time the trial was on screen before it was interrupted.
    shown_ns : int or None
        When the trial was first drawn, since the last start.
    answered_ns : int
        Time on screen at the latest answer.
    active_ns : int
        Time the trial has been on screen, up to `running_since_ns`.
    running_since_ns : int or None
        Start of the present time on screen; None while paused or not shown.
    latest_ns : int
        Time of the latest record.
    since_break : int
        Trials committed since the latest break or start.
    rested_ns : int
        Time of that break or start.
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
        """Return how long the trial has been on screen, without pauses and interruptions."""
        running = 0 if self.running_since_ns is None else now_ns - self.running_since_ns
        return self.active_ns + running
