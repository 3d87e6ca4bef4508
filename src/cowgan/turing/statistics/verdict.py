"""The verdict on a result, and its limits.

A difference that is not significant is no equivalence. Equivalence is claimed only by the
test for it, with a margin declared beforehand, and never if a reader gave nearly one answer
only: that scores at chance whatever is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cowgan.errors import CowganError
from cowgan.estimates import Interval, check_margin
from cowgan.turing.design.trials import Design
from cowgan.turing.statistics.answers import ReaderAnswers, ReaderPanel
from cowgan.turing.statistics.mrmc import mean_auc, mean_balanced_accuracy
from cowgan.turing.statistics.proportions import balanced_accuracy
from cowgan.turing.statistics.roc import auc

MARGIN = 0.14
"""Usual margin of equivalence of the AUC: what an accuracy of 0.40 or 0.60 of an unbiased
observer comes to."""

MAX_SHARE = 0.9
"""A reader who gives one answer in a larger share of trials shows no equivalence."""

Outcome = Literal["equivalent", "distinguished", "reversed", "inconclusive"]
"""``"equivalent"`` can come with either of the two after it."""


@dataclass(frozen=True)
class Evidence:
    """The evidence for a verdict.

    Parameters
    ----------
    auc_95, auc_90 : Interval
        The AUC of one reader or its mean over three or more, at 95 and at 90 %; the latter
        is that of two one-sided tests at 5 %. In 2AFC, the share of right answers, which
        the AUC of the same reader equals.
    accuracy : Interval
        Balanced accuracy, reported alongside.
    share_generated : mapping of str to float
        How often each reader answered "generated"; in 2AFC, "right".
    margin : float or None
        Margin of equivalence around 0.5 that was declared before the study; None if none
        was.
    design : {"rating", "2afc"}
        What was asked.
    """

    auc_95: Interval
    auc_90: Interval
    accuracy: Interval
    share_generated: Mapping[str, float]
    margin: float | None
    design: Design = "rating"

    def __post_init__(self) -> None:
        if (self.auc_95.level, self.auc_90.level) != (0.95, 0.90):
            raise CowganError("A verdict rests on one interval at 95 % and one at 90 %.")
        if len(self.share_generated) in (0, 2):
            raise CowganError("A verdict is about one reader alone, or about three or more.")
        if self.margin is not None:
            check_margin(self.margin)


@dataclass(frozen=True)
class Verdict:
    """A verdict on a result.

    Parameters
    ----------
    outcomes : tuple of str
        One or more of `Outcome`.
    one_sided : tuple of str
        Readers who gave one answer in nearly all trials.
    sentences : tuple of str
        The verdict in words.
    """

    outcomes: tuple[Outcome, ...]
    one_sided: tuple[str, ...]
    sentences: tuple[str, ...]


def evidence_of_panel(
    panel: ReaderPanel, margin: float | None, design: Design = "rating"
) -> Evidence:
    """Return the evidence of three or more readers about readers in general.

    Raises
    ------
    CowganError
        Fewer than three readers.
    Undefined
        Too few cases that every reader has answered.
    """
    area = mean_auc(panel) if design == "rating" else mean_balanced_accuracy(panel)
    answers = panel.answers
    shares = (answers == 1).sum(axis=1) / (answers != 0).sum(axis=1)
    return Evidence(
        area.interval(0.95),
        area.interval(0.90),
        mean_balanced_accuracy(panel).interval(0.95),
        dict(zip(panel.readers, shares.tolist(), strict=True)),
        margin,
        design,
    )


def evidence_of_reader(
    reading: ReaderAnswers, margin: float | None, design: Design = "rating"
) -> Evidence:
    """Return the evidence of one reader about that reader alone.

    Raises
    ------
    Undefined
        Too few cases of either kind.
    """
    area = auc if design == "rating" else balanced_accuracy
    return Evidence(
        area(reading, 0.95),
        area(reading, 0.90),
        balanced_accuracy(reading, 0.95),
        {reading.reader: reading.share_generated},
        margin,
        design,
    )


def verdict(evidence: Evidence) -> Verdict:
    """Say what the evidence allows, and no more."""
    wide, narrow, margin = evidence.auc_95, evidence.auc_90, evidence.margin
    readers = list(evidence.share_generated)
    alone = len(readers) == 1
    subject = f"Reader {readers[0]}" if alone else "The readers"
    measure = "AUC" if evidence.design == "rating" else "share of right answers"
    area = measure if alone else f"mean {measure} of {len(readers)} readers"
    one_sided = tuple(
        reader
        for reader, share in evidence.share_generated.items()
        if max(share, 1 - share) > MAX_SHARE
    )
    within = margin is not None and 0.5 - margin < narrow.low and narrow.high < 0.5 + margin

    outcomes: list[Outcome] = []
    sentences: list[str] = []
    if within and not one_sided:
        outcomes.append("equivalent")
        sentences.append(
            f"{subject} performed equivalently to chance within the margin of ±{margin:g} "
            f"declared beforehand: the 90 % interval of the {area}, {_limits(narrow)}, lies "
            "inside it."
        )
    if wide.low > 0.5:
        outcomes.append("distinguished")
        sentences.append(
            f"{subject} distinguished generated from real volumes: the {area} was "
            f"{_value(wide)}, above chance."
        )
    if wide.high < 0.5:
        outcomes.append("reversed")
        sentences.append(
            f"{subject} systematically took generated volumes for real and real ones for "
            f"generated: the {area} was {_value(wide)}, below chance. Check that the classes "
            "and the answers are coded the right way round."
        )
    if len(outcomes) == 2:
        sentences.append("The difference from chance is real, and smaller than the margin.")
    if not outcomes:
        outcomes.append("inconclusive")
        sentences.append(
            f"The result is inconclusive: the {area} was {_value(wide)}, so neither a "
            "difference from chance nor equivalence to it has been shown."
        )
    if one_sided:
        habits = (
            _habit(reader, evidence.share_generated[reader], evidence.design)
            for reader in one_sided
        )
        sentences.append(
            "Equivalence cannot be claimed, as giving one answer in nearly all trials scores "
            f"near chance whatever is shown: {', '.join(habits)}."
        )
    if margin is None:
        sentences.append("Equivalence was not tested, as no margin was declared before the study.")
    if evidence.design == "rating":
        average = "Balanced accuracy" if alone else "Mean balanced accuracy"
        sentences.append(f"{average} was {_value(evidence.accuracy)}.")
    if alone:
        sentences.append(f"This is about reader {readers[0]} alone and says nothing of others.")
    return Verdict(tuple(outcomes), one_sided, tuple(sentences))


def _habit(reader: str, share: float, design: Design) -> str:
    answers = ("real", "generated") if design == "rating" else ("left", "right")
    return f"{reader} answered “{answers[share > 0.5]}” in {_percent(max(share, 1 - share))}"


def _value(interval: Interval) -> str:
    level = _percent(interval.level)
    return f"{interval.estimate:.2f} ({level} interval {_limits(interval)})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _limits(interval: Interval) -> str:
    return f"{interval.low:.2f} to {interval.high:.2f}"
