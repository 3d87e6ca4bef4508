"""Results per reader."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from scipy import stats

from cowgan.turing.analysis.from_trials import impressions_of
from cowgan.turing.analysis.presented_trials import PresentedTrial
from cowgan.turing.design.trials import Design
from cowgan.turing.reading.records import Record
from cowgan.turing.statistics import (
    BayesResult,
    Calibration,
    Counts,
    Halves,
    Interval,
    PValue,
    ReaderAnswers,
    RepeatAgreement,
    ResponseTimes,
    RocCurve,
    Undefined,
    accuracy,
    accuracy_trend,
    auc,
    balanced_accuracy,
    bayes,
    binomial_test,
    calibration,
    confidence_auc,
    criterion,
    d_prime,
    equivalence_test,
    first_and_second_half,
    fisher_test,
    pace_trend,
    repeat_agreement,
    response_times,
    roc_curve,
    sensitivity,
    specificity,
)
from cowgan.turing.study.collection import ReaderProgress
from cowgan.turing.study.unblinding import Unblinding

T = TypeVar("T")


@dataclass(frozen=True)
class Conduct:
    """Conduct of a reading; only lateness excludes an answer.

    Parameters
    ----------
    planned, counted, missing, late : int
        Trials of the reading phase, repeats among them.
    arrived_after : int
        Answers dated before the truth was known but collected after; they count.
    restarted : int
        Trials that were interrupted and shown again.
    lapses : int
        Answers flagged as hasty or given after too few slices.
    changed : int
        Trials in which the answer was changed before the commit.
    sittings, pauses, focus_losses : int
        Starts of the program, pauses, and those because another window came in front.
    practice_right, practice_done : int
        Of the practice trials.
    contexts : tuple of dict
        What the program said of itself and of the screen, at each start that differs.
    """

    planned: int
    counted: int
    missing: int
    late: int
    arrived_after: int
    restarted: int
    lapses: int
    changed: int
    sittings: int
    pauses: int
    focus_losses: int
    practice_right: int
    practice_done: int
    contexts: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Scores:
    """All statistics of one reader; None where the answers do not determine one.

    Parameters
    ----------
    counts : Counts
        The 2 x 2 table. In 2AFC "generated" stands for a generated volume on the right.
    share_generated : float
        How often the reader answered "generated", in 2AFC "right".
    primary_95, primary_90 : Interval or None
        AUC, in 2AFC the share of right answers, at both levels.
    accuracy, accuracy_exact, balanced_accuracy : Interval or None
        Share of right answers by Wilson and by Clopper and Pearson; mean of sensitivity
        and specificity.
    sensitivity, specificity : Interval or None
        Shares of generated and of real volumes told as such.
    d_prime, criterion : Interval or None
        Distance of the kinds, and preference for "real" (in 2AFC for "left").
    binomial, fisher : PValue or None
        Against an accuracy of 0.5, and against no association.
    equivalence : PValue or None
        Of the accuracy to 0.5, within the margin that matches the one of the AUC.
    bayes : BayesResult or None
        The same by Bayes' rule.
    roc : RocCurve or None
        In 2AFC None.
    calibration : Calibration or None
        Confidence against accuracy.
    confidence_auc : Interval or None
        Whether confidence separates right from wrong answers.
    times : ResponseTimes or None
        Seconds until the answer.
    halves : Halves or None
        Accuracy early and late.
    accuracy_trend, pace_trend : Interval or None
        Per ten trials.
    repeats : RepeatAgreement or None
        Agreement with himself.
    """

    counts: Counts
    share_generated: float
    primary_95: Interval | None
    primary_90: Interval | None
    accuracy: Interval | None
    accuracy_exact: Interval | None
    balanced_accuracy: Interval | None
    sensitivity: Interval | None
    specificity: Interval | None
    d_prime: Interval | None
    criterion: Interval | None
    binomial: PValue | None
    fisher: PValue | None
    equivalence: PValue | None
    bayes: BayesResult | None
    roc: RocCurve | None
    calibration: Calibration | None
    confidence_auc: Interval | None
    times: ResponseTimes | None
    halves: Halves | None
    accuracy_trend: Interval | None
    pace_trend: Interval | None
    repeats: RepeatAgreement | None


@dataclass(frozen=True)
class Impressions:
    """Quality, 1 to 5, before the purpose was explained.

    Parameters
    ----------
    real, generated : float or None
        Mean quality of either kind.
    n : int
        Volumes judged.
    auc : Interval or None
        How often a generated volume was judged better than a real one, ties half; 0.5 if
        both kinds looked alike.
    """

    real: float | None
    generated: float | None
    n: int
    auc: Interval | None


@dataclass(frozen=True)
class ReaderResult:
    """One reader.

    Parameters
    ----------
    reader : str
        Pseudonym.
    progress : ReaderProgress
        How far the reading came.
    complete : bool
        Whether every trial of the reading phase has an answer that counts; only then does
        the reader enter the verdict.
    conduct : Conduct
        How it went.
    scores : Scores or None
        None if no answer counts.
    impressions : Impressions or None
        None if there was no such phase or no such answer.
    """

    reader: str
    progress: ReaderProgress
    complete: bool
    conduct: Conduct
    scores: Scores | None
    impressions: Impressions | None


def reader_result(
    progress: ReaderProgress,
    trials: Sequence[PresentedTrial],
    records: Sequence[Record],
    reading: ReaderAnswers,
    design: Design,
    margin_auc: float,
    unblinding: Unblinding,
) -> ReaderResult:
    """Return everything about one reader."""
    conduct = _conduct(progress.reader, trials, records, unblinding)
    impressions = impressions_of(progress.reader, trials)
    return ReaderResult(
        progress.reader,
        progress,
        conduct.counted == conduct.planned,
        conduct,
        _scores(reading, design, margin_auc) if reading.answers else None,
        _impressions(impressions) if impressions.answers else None,
    )


def accuracy_margin(margin_auc: float) -> float:
    """Return the margin of the accuracy that matches one of the AUC.

    Both are what the same d' of an unbiased observer with normal noise comes to: 0.14 of
    the AUC is 0.10 of the accuracy.
    """
    d = 2**0.5 * stats.norm.ppf(0.5 + margin_auc)
    return float(stats.norm.cdf(d / 2) - 0.5)


def defined(statistic: Callable[[], T]) -> T | None:
    """Return a statistic, or None where the answers do not determine it."""
    try:
        return statistic()
    except Undefined:
        return None


def _conduct(
    reader: str,
    trials: Sequence[PresentedTrial],
    records: Sequence[Record],
    unblinding: Unblinding,
) -> Conduct:
    reading = [trial for trial in trials if trial.phase == "reading"]
    practice = [trial for trial in trials if trial.phase == "practice" and trial.counts]
    pauses = [record.data.get("reason") for record in records if record.kind == "pause"]
    after = {
        record.trial
        for record in records
        if record.kind == "commit" and unblinding.arrived_after(reader, record)
    }
    return Conduct(
        len(reading),
        sum(trial.counts for trial in reading),
        sum(trial.status == "missing" for trial in reading),
        sum(trial.status == "late" for trial in reading),
        sum(trial.counts and trial.trial in after for trial in reading),
        sum(trial.restarted for trial in reading),
        sum("lapse_suspected" in trial.flags for trial in reading),
        sum(trial.answers_given > 1 for trial in reading),
        sum(record.kind == "start" for record in records),
        len(pauses),
        sum(reason is not None and "focus" in reason for reason in pauses),
        sum(trial.correct is True for trial in practice),
        len(practice),
        _contexts(records),
    )


def _contexts(records: Sequence[Record]) -> tuple[dict[str, Any], ...]:
    found: list[dict[str, Any]] = []
    for record in records:
        context = {name: of for name, of in record.data.items() if name != "start_code"}
        if record.kind == "start" and context and context not in found:
            found.append(context)
    return tuple(found)


def _scores(reading: ReaderAnswers, design: Design, margin_auc: float) -> Scores:
    rating = design == "rating"
    margin = accuracy_margin(margin_auc) if rating else margin_auc
    primary = auc if rating else balanced_accuracy
    return Scores(
        reading.counts,
        reading.share_generated,
        defined(lambda: primary(reading, 0.95)),
        defined(lambda: primary(reading, 0.90)),
        defined(lambda: accuracy(reading)),
        defined(lambda: accuracy(reading, method="exact")),
        defined(lambda: balanced_accuracy(reading)),
        defined(lambda: sensitivity(reading)),
        defined(lambda: specificity(reading)),
        defined(lambda: d_prime(reading, design=design)),
        defined(lambda: criterion(reading)),
        defined(lambda: binomial_test(reading)),
        defined(lambda: fisher_test(reading)),
        defined(lambda: equivalence_test(reading, margin)),
        defined(lambda: bayes(reading, margin)),
        defined(lambda: roc_curve(reading)) if rating else None,
        defined(lambda: calibration(reading)),
        defined(lambda: confidence_auc(reading)),
        defined(lambda: response_times(reading)),
        defined(lambda: first_and_second_half(reading)),
        defined(lambda: accuracy_trend(reading)),
        defined(lambda: pace_trend(reading)),
        defined(lambda: repeat_agreement(reading)),
    )


def _impressions(judged: ReaderAnswers) -> Impressions:
    by_truth = {
        truth: judged.ratings[judged.generated == truth]
        for truth in (False, True)
        if (judged.generated == truth).any()
    }
    means = {truth: float(levels.mean()) for truth, levels in by_truth.items()}
    return Impressions(
        means.get(False), means.get(True), len(judged.answers), defined(lambda: auc(judged))
    )
