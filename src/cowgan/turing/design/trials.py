"""Trials of a reader, and the rules of reading."""

import re
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from cowgan.errors import CowganError, require_choice

Design = Literal["rating", "2afc"]
"""One volume and the question which kind it is, or two and the question which is which."""

Phase = Literal["impression", "practice", "reading"]
"""Impressions come before the purpose is explained; practice reveals the right answer."""

ANSWERS: dict[Design, tuple[str, str]] = {"rating": ("R", "G"), "2afc": ("left", "right")}
"""Possible answers: real or generated; side of the generated volume."""

_LONGEST_MINUTES = 7 * 24 * 60

LEVELS = range(1, 6)
"""Confidence from a guess to certainty, or in the impression phase quality from poor to
excellent."""


_READER = re.compile(r"sub-R\d{2}")


def reader_name(number: int) -> str:
    """Return the name of a reader, who are counted from 1."""
    return f"sub-R{number:02d}"


def require_reader_name(name: str) -> None:
    """Raise `CowganError` unless a name is one of a reader: files and folders bear it."""
    if not _READER.fullmatch(name):
        raise CowganError(f"{name!r:.40} is no name of a reader.")


@dataclass(frozen=True)
class Trial:
    """One thing shown.

    Parameters
    ----------
    number : int
        Counts from 1 over all phases.
    phase : {"impression", "practice", "reading"}
        Part of the course.
    block : int
        Breaks come between blocks only.
    cases : tuple of str
        The volume shown, or in 2AFC the left and the right one.
    expected : str or None
        Right answer, in practice only.
    """

    number: int
    phase: Phase
    block: int
    cases: tuple[str, ...]
    expected: str | None = None


@dataclass(frozen=True)
class Rules:
    """Rules of reading.

    Parameters
    ----------
    design : {"rating", "2afc"}
        What is shown and asked.
    break_trials, break_minutes : int
        A break is offered at the first border of blocks after so many trials or minutes.
    marks : bool
        Whether give-away places can be marked.
    mip : bool
        Whether the maximum intensity projection can be shown.
    hint_s : int
        After so many seconds a hint suggests going on; nothing is forced. 0: never.
    lapse_s : float
        A faster answer is flagged, not refused.
    lapse_seen : float
        An answer after a smaller share of the slices is flagged, not refused.
    """

    design: Design = "rating"
    break_trials: int = 20
    break_minutes: int = 15
    marks: bool = True
    mip: bool = True
    hint_s: int = 120
    lapse_s: float = 2.0
    lapse_seen: float = 0.2

    def __post_init__(self) -> None:
        require_choice("design", self.design, get_args(Design))
        if self.break_trials < 1 or not 1 <= self.break_minutes <= _LONGEST_MINUTES:
            raise CowganError("A break comes after at least 1 trial and 1 minute to a week.")

    @property
    def answers(self) -> tuple[str, str]:
        """Possible answers."""
        return ANSWERS[self.design]

    def to_dict(self) -> dict[str, Any]:
        """Return every value, as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Course:
    """All trials of a reader, in order, and the rules.

    Parameters
    ----------
    trials : tuple of Trial
        At least one.
    rules : Rules
        Of the whole course.
    """

    trials: tuple[Trial, ...]
    rules: Rules
