"""The answers of one reader, and of several readers side by side.

Positive means generated. Cases read by several readers are correlated, and so are the
answers of one reader; so `ReaderAnswers` hold one reader and no case twice, tests that take
trials to be independent accept nothing else, and a `ReaderPanel` is analysed over readers and
cases together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cowgan.errors import CowganError
from cowgan.estimates import Undefined

HIGHEST = 5
"""Confidence of a certain answer; 1 is a guess."""

RATINGS = tuple(rating for rating in range(-HIGHEST, HIGHEST + 1) if rating)
"""From certainly real to certainly generated; there is no neutral rating."""


@dataclass(frozen=True)
class Answer:
    """One committed answer.

    Parameters
    ----------
    case : str
        Name of the case in the key, the same for every reader.
    generated : bool
        The truth. In 2AFC: whether the generated volume is the right one of the pair.
    rating : int
        Signed confidence: -5 certainly real to -1, 1 to 5 certainly generated. In 2AFC:
        negative for left, positive for right.
    seconds : float, optional
        Time on screen until the answer.
    """

    case: str
    generated: bool
    rating: int
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.rating not in RATINGS:
            raise CowganError(
                f"The rating of case {self.case} must be from 1 to {HIGHEST} or from -1 to "
                f"-{HIGHEST}, not {self.rating}."
            )
        if self.seconds is not None and not 0 < self.seconds < np.inf:
            raise CowganError(
                f"The time of case {self.case} must be a positive number of seconds, "
                f"not {self.seconds}."
            )

    @property
    def correct(self) -> bool:
        """Whether the answer is right."""
        return (self.rating > 0) == self.generated


@dataclass(frozen=True)
class Counts:
    """The 2 x 2 table of one reader.

    Parameters
    ----------
    hits, misses : int
        Generated cases called generated, and real.
    false_alarms, correct_rejections : int
        Real cases called generated, and real.
    """

    hits: int
    misses: int
    false_alarms: int
    correct_rejections: int

    @property
    def generated(self) -> int:
        """Number of generated cases."""
        return self.hits + self.misses

    @property
    def real(self) -> int:
        """Number of real cases."""
        return self.false_alarms + self.correct_rejections

    @property
    def correct(self) -> int:
        """Number of right answers."""
        return self.hits + self.correct_rejections

    @property
    def n(self) -> int:
        """Number of answers."""
        return self.generated + self.real


@dataclass(frozen=True)
class ReaderAnswers:
    """The answers of one reader.

    Parameters
    ----------
    reader : str
        Pseudonym.
    answers : tuple of Answer
        First answers to each case, in the order given.
    repeats : tuple of Answer
        Answers to cases shown a second time; they serve agreement within the reader and
        nothing else.

    Raises
    ------
    CowganError
        A case is answered twice, or a repeat has no first answer or another truth.
    """

    reader: str
    answers: tuple[Answer, ...]
    repeats: tuple[Answer, ...] = ()

    def __post_init__(self) -> None:
        known = {answer.case: answer for answer in self.answers}
        if len(known) < len(self.answers):
            raise CowganError(
                f"Reader {self.reader} has two first answers to one case; a second answer "
                "is a repeat, and the answers of another reader are another reading."
            )
        for repeat in self.repeats:
            first = known.get(repeat.case)
            if first is None or first.generated != repeat.generated:
                raise CowganError(
                    f"The repeat of case {repeat.case} by reader {self.reader} matches no "
                    "first answer."
                )

    @cached_property
    def generated(self) -> NDArray[np.bool_]:
        """The truth of each answered case."""
        return np.array([answer.generated for answer in self.answers], dtype=bool)

    @cached_property
    def ratings(self) -> NDArray[np.int64]:
        """Signed rating of each answer."""
        return np.array([answer.rating for answer in self.answers], dtype=np.int64)

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each answer is right."""
        return (self.ratings > 0) == self.generated

    @cached_property
    def counts(self) -> Counts:
        """The 2 x 2 table."""
        said, truth = self.ratings > 0, self.generated
        cells = (said & truth, ~said & truth, said & ~truth, ~said & ~truth)
        return Counts(*(int(cell.sum()) for cell in cells))

    @property
    def share_generated(self) -> float:
        """Share of cases called generated.

        Raises
        ------
        Undefined
            There is no answer.
        """
        if not self.answers:
            raise Undefined(f"Reader {self.reader} has given no answer.")
        return (self.counts.hits + self.counts.false_alarms) / self.counts.n


@dataclass(frozen=True, eq=False)
class ReaderPanel:
    """Several readers of the same cases.

    Parameters
    ----------
    readers, cases : tuple of str
        Names.
    generated : ndarray of bool
        Shape (cases,): the truth.
    ratings : ndarray of int
        Shape (readers, cases): signed ratings, 0 where a reader has not answered.
    """

    readers: tuple[str, ...]
    cases: tuple[str, ...]
    generated: NDArray[np.bool_]
    ratings: NDArray[np.int64]

    @classmethod
    def of(cls, readings: Sequence[ReaderAnswers]) -> Self:
        """Set readings side by side.

        Raises
        ------
        CowganError
            A reader comes twice, or a case is real to one reader and generated to another.
        """
        readers = tuple(reading.reader for reading in readings)
        if len(set(readers)) < len(readers):
            raise CowganError("A reader occurs twice among the readings.")
        truth: dict[str, bool] = {}
        for answer in (answer for reading in readings for answer in reading.answers):
            if truth.setdefault(answer.case, answer.generated) != answer.generated:
                raise CowganError(
                    f"Case {answer.case} is real to one reader and generated to another."
                )
        column = {case: number for number, case in enumerate(truth)}
        ratings = np.zeros((len(readers), len(truth)), dtype=np.int64)
        for row, reading in zip(ratings, readings, strict=True):
            row[[column[answer.case] for answer in reading.answers]] = reading.ratings
        return cls(readers, tuple(truth), np.array(list(truth.values()), dtype=bool), ratings)

    @property
    def answers(self) -> NDArray[np.int64]:
        """Shape (readers, cases): 1 generated, -1 real, 0 not answered."""
        return np.sign(self.ratings)

    def complete(self) -> "ReaderPanel":
        """Return the panel of the cases that every reader has answered."""
        kept = (self.ratings != 0).all(axis=0)
        cases = tuple(np.array(self.cases, dtype=object)[kept])
        return ReaderPanel(self.readers, cases, self.generated[kept], self.ratings[:, kept])
