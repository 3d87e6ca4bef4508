"""Trials as the statistics want them."""

from collections.abc import Sequence

from cowgan.turing.analysis.presented_trials import PresentedTrial
from cowgan.turing.statistics import Answer, ReaderAnswers


def reading_of(reader: str, trials: Sequence[PresentedTrial]) -> ReaderAnswers:
    """Return the counted answers of the reading phase; a second showing is a repeat.

    A repeat whose first showing was not counted is left out.
    """
    answered = [trial for trial in trials if trial.phase == "reading" and trial.counts]
    first = {trial.case for trial in answered if trial.presentation == 1}
    return ReaderAnswers(
        reader,
        tuple(_answer(trial) for trial in answered if trial.presentation == 1),
        tuple(_answer(t) for t in answered if t.presentation == 2 and t.case in first),
    )


def crossed(readings: Sequence[ReaderAnswers]) -> list[ReaderAnswers]:
    """Return readings that can be set side by side although pairs had sides of their own.

    In 2AFC the same pair shows its generated volume on the left to one reader and on the
    right to another. Here every other pair has it on the right for all; where that turns
    the pair round, it turns the answer too, so right stays right. One volume at a time, the
    truth is the same for all and nothing changes.
    """
    cases = sorted({answer.case for reading in readings for answer in reading.answers})
    sides = {case: bool(number % 2) for number, case in enumerate(cases)}
    pairs = any("+" in case for case in cases)
    if not pairs:
        return list(readings)
    return [
        ReaderAnswers(
            reading.reader,
            tuple(_turned(answer, sides[answer.case]) for answer in reading.answers),
            tuple(_turned(answer, sides[answer.case]) for answer in reading.repeats),
        )
        for reading in readings
    ]


def impressions_of(reader: str, trials: Sequence[PresentedTrial]) -> ReaderAnswers:
    """Return the first-impression quality, 1 to 5, of each volume."""
    return ReaderAnswers(
        reader,
        tuple(
            Answer(trial.case, trial.truth == "G", trial.level)
            for trial in trials
            if trial.phase == "impression" and trial.counts and trial.level is not None
        ),
    )


def _answer(trial: PresentedTrial) -> Answer:
    assert trial.rating is not None
    return Answer(trial.case, trial.truth in ("G", "right"), trial.rating, trial.answer_s or None)


def _turned(answer: Answer, generated: bool) -> Answer:
    sign = 1 if answer.generated == generated else -1
    return Answer(answer.case, generated, sign * answer.rating, answer.seconds)
