"""Every trial that a reader was to see, with what became of it and what is true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cowgan.turing.design.trials import ANSWERS, Phase, Trial
from cowgan.turing.design.truth_key import Key, Truth
from cowgan.turing.reading.manifest import Manifest
from cowgan.turing.reading.records import Record
from cowgan.turing.study.unblinding import Unblinding

Status = Literal["counted", "late", "missing"]
"""``"late"``: answered when the truth was known; ``"missing"``: not answered."""


@dataclass(frozen=True)
class Mark:
    """A place that a reader thought gives a volume away.

    Parameters
    ----------
    case : str
        Name within the study.
    truth : {"real", "generated"}
        What it is.
    voxel : tuple of int
        Index (z, x, y).
    reasons : tuple of str
        What the reader chose.
    """

    case: str
    truth: Truth
    voxel: tuple[int, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class PresentedTrial:
    """One trial of one reader.

    Parameters
    ----------
    reader : str
        Pseudonym.
    trial : int
        Number, from 1 over all phases.
    phase : {"impression", "practice", "reading"}
        Part of the course.
    block : int
        Breaks come between blocks.
    presentation : int
        1, or 2 when the same is shown again.
    case : str
        Name within the study; of a pair both, joined by ``+``, the real one first.
    shown : tuple of str
        The volume, or the left and the right one.
    truth : str
        Right answer: ``"R"`` or ``"G"``; of a pair the side of the generated volume.
    status : {"counted", "late", "missing"}
        Whether there is an answer that counts.
    answer : str or None
        What was answered; None where only the quality was asked for.
    level : int or None
        Confidence or quality, 1 to 5.
    correct : bool or None
        Whether the answer is right.
    answer_s, active_s, total_s : float or None
        Seconds on screen until the last answer and until the commit, pauses left out; and
        until the commit with pauses.
    seen : float or None
        Share of the slices that were looked at.
    restarted : bool
        Whether it was shown again after an interruption.
    exposure_s : float
        How long it was on screen before the interruption.
    answers_given, levels_given : int
        How often each was pressed.
    flags : tuple of str
        Reported, but never a reason to exclude an answer.
    marks : tuple of Mark
        Give-away places.
    utc : str or None
        Time of the commit by the reader's clock.
    """

    reader: str
    trial: int
    phase: Phase
    block: int
    presentation: int
    case: str
    shown: tuple[str, ...]
    truth: str
    status: Status
    answer: str | None = None
    level: int | None = None
    correct: bool | None = None
    answer_s: float | None = None
    active_s: float | None = None
    total_s: float | None = None
    seen: float | None = None
    restarted: bool = False
    exposure_s: float = 0.0
    answers_given: int = 0
    levels_given: int = 0
    flags: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    utc: str | None = None

    @property
    def rating(self) -> int | None:
        """Signed confidence: positive for "generated" or "right"; None without an answer."""
        if self.answer is None or self.level is None:
            return None
        return self.level if self.answer in POSITIVE else -self.level

    @property
    def counts(self) -> bool:
        """Whether there is an answer that counts."""
        return self.status == "counted"


POSITIVE = frozenset(second for _, second in ANSWERS.values())
"""Answers with a positive rating."""


def presented_trials(
    manifest: Manifest, key: Key, records: Sequence[Record], unblinding: Unblinding
) -> list[PresentedTrial]:
    """Return all trials of one reader, in order.

    Parameters
    ----------
    manifest : Manifest
        Of the reader's package.
    key : Key
        The truth.
    records : sequence of Record
        Of the reader's journal.
    unblinding : Unblinding
        After which answers are late.
    """
    commits = {record.trial: record for record in records if record.kind == "commit"}
    times_shown: dict[tuple[Phase, str], int] = {}
    presented = []
    for trial in manifest.trials:
        case = _case_name(trial, key, manifest.reader)
        times_shown[trial.phase, case] = times_shown.get((trial.phase, case), 0) + 1
        planned: dict[str, Any] = {
            "reader": manifest.reader,
            "trial": trial.number,
            "phase": trial.phase,
            "block": trial.block,
            "presentation": times_shown[trial.phase, case],
            "case": case,
            "shown": tuple(key.case(manifest.reader, shown).name for shown in trial.cases),
            "truth": right_answer(trial, key, manifest.reader),
        }
        record = commits.get(trial.number)
        if record is None:
            presented.append(PresentedTrial(**planned, status="missing"))
        else:
            status: Status = "late" if unblinding.is_late(manifest.reader, record) else "counted"
            answered = _answered(record, planned["truth"], key, manifest.reader)
            presented.append(PresentedTrial(**planned, status=status, **answered))
    return presented


def right_answer(trial: Trial, key: Key, reader: str) -> str:
    """Return "R" or "G", or the side of the generated volume of a pair."""
    truths = [key.case(reader, shown).truth for shown in trial.cases]
    if len(truths) == 1:
        return ANSWERS["rating"][truths[0] == "generated"]
    return ANSWERS["2afc"][truths.index("generated")]


def _case_name(trial: Trial, key: Key, reader: str) -> str:
    cases = (key.case(reader, shown) for shown in trial.cases)
    return "+".join(case.name for case in sorted(cases, key=lambda case: case.truth == "generated"))


def _answered(record: Record, truth: str, key: Key, reader: str) -> dict[str, Any]:
    data = record.data
    answer = data["answer"]
    return {
        "answer": answer,
        "level": data["level"],
        "correct": None if answer is None else answer == truth,
        "answer_s": None if answer is None else data["answer_ms"] / 1000,
        "active_s": data["active_ms"] / 1000,
        "total_s": data["total_ms"] / 1000,
        "seen": data["seen"],
        "restarted": data["restarted"],
        "exposure_s": data["exposure_ms"] / 1000,
        "answers_given": data["answers_given"],
        "levels_given": data["levels_given"],
        "flags": tuple(data["flags"]),
        "marks": tuple(_mark(mark, key, reader) for mark in data["marks"]),
        "utc": record.utc,
    }


def _mark(mark: Mapping[str, Any], key: Key, reader: str) -> Mark:
    case = key.case(reader, mark["case"])
    return Mark(case.name, case.truth, tuple(mark["voxel"]), tuple(mark["reasons"]))
