"""Several readers together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cowgan.turing.analysis.from_trials import crossed
from cowgan.turing.analysis.per_reader import defined
from cowgan.turing.design.trials import Design
from cowgan.turing.statistics import (
    LEAST_READERS,
    Interval,
    PooledRepeats,
    PValue,
    ReaderAnswers,
    ReaderMean,
    ReaderPanel,
    RocCurve,
    Undefined,
    Verdict,
    cohen_kappa,
    evidence_of_panel,
    evidence_of_reader,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    krippendorff_alpha,
    mean_auc,
    mean_balanced_accuracy,
    mean_roc_curve,
    percent_agreement,
    pooled_repeats,
    verdict,
)


@dataclass(frozen=True)
class MeanResult:
    """A mean over readers, with readers and cases both drawn at random.

    Parameters
    ----------
    mean : ReaderMean
        The estimate and its parts.
    interval_95, interval_90 : Interval
        Limits; the latter are those of two one-sided tests at 5 %.
    test : PValue
        Of 0.5, on both sides.
    equivalence : PValue or None
        Of equivalence to 0.5; None where no margin applies.
    """

    mean: ReaderMean
    interval_95: Interval
    interval_90: Interval
    test: PValue
    equivalence: PValue | None


@dataclass(frozen=True)
class ReaderAgreement:
    """Inter-reader agreement; None where it is undefined.

    Parameters
    ----------
    readers : int
        Two or more.
    share : Interval or None
        Share of agreeing pairs of answers.
    kappa : Interval or None
        Cohen's of two readers, Fleiss' of more.
    ac1 : Interval or None
        Gwet's, of answers.
    alpha, ac2 : Interval or None
        Krippendorff's and Gwet's, of signed ratings in order.
    """

    readers: int
    share: Interval | None
    kappa: Interval | None
    ac1: Interval | None
    alpha: Interval | None
    ac2: Interval | None


@dataclass(frozen=True)
class PanelResult:
    """Results over all readers.

    Parameters
    ----------
    readers : tuple of str
        Those who are complete, and so enter.
    primary : MeanResult or None
        Mean AUC, in 2AFC mean share of right answers; None below three readers.
    accuracy : MeanResult or None
        Mean balanced accuracy.
    every_reader : MeanResult or None
        The primary result with incomplete readers too, over the cases that all have
        answered; None if there are none such or it is not defined.
    verdicts : tuple of Verdict
        One about readers in general from three on; else one about each reader.
    agreement : Agreement or None
        None below two readers.
    repeats : PooledRepeats or None
        Of readers with themselves.
    roc : RocCurve or None
        The mean curve; None in 2AFC and without a reader.
    impressions : MeanResult or None
        Mean over readers of how often a generated volume was judged better.
    """

    readers: tuple[str, ...]
    primary: MeanResult | None
    accuracy: MeanResult | None
    every_reader: MeanResult | None
    verdicts: tuple[Verdict, ...]
    agreement: ReaderAgreement | None
    repeats: PooledRepeats | None
    roc: RocCurve | None
    impressions: MeanResult | None


def panel_result(
    complete: Sequence[ReaderAnswers],
    incomplete: Sequence[ReaderAnswers],
    impressions: Sequence[ReaderAnswers],
    design: Design,
    margin_auc: float,
    margin_accuracy: float,
) -> PanelResult:
    """Return what readers show together.

    Parameters
    ----------
    complete, incomplete : sequence of ReaderAnswers
        Readers who enter the verdict, and others with at least one answer.
    impressions : sequence of ReaderAnswers
        Quality of volumes, as `readings.impressions_of` returns it.
    design : {"rating", "2afc"}
        What was asked.
    margin_auc, margin_accuracy : float
        Of equivalence.
    """
    panel = ReaderPanel.of(crossed(complete))
    everybody = ReaderPanel.of(crossed([*complete, *incomplete])) if incomplete else None
    return PanelResult(
        panel.readers,
        _primary(panel, design, margin_auc),
        _mean("balanced accuracy", panel, margin_accuracy),
        None if everybody is None else _primary(everybody, design, margin_auc),
        _verdicts(complete, panel, design, margin_auc),
        _agreement(panel) if len(complete) > 1 else None,
        defined(lambda: pooled_repeats(complete)),
        defined(lambda: mean_roc_curve(panel)) if complete and design == "rating" else None,
        _mean("AUC", ReaderPanel.of(impressions), None),
    )


def _primary(panel: ReaderPanel, design: Design, margin_auc: float) -> MeanResult | None:
    return _mean("AUC" if design == "rating" else "balanced accuracy", panel, margin_auc)


def _mean(measure: str, panel: ReaderPanel, margin: float | None) -> MeanResult | None:
    if len(panel.readers) < LEAST_READERS:
        return None
    try:
        mean = (mean_auc if measure == "AUC" else mean_balanced_accuracy)(panel)
    except Undefined:
        return None
    return MeanResult(
        mean,
        mean.interval(0.95),
        mean.interval(0.90),
        mean.test(),
        None if margin is None else mean.equivalence_test(margin),
    )


def _verdicts(
    readings: Sequence[ReaderAnswers], panel: ReaderPanel, design: Design, margin: float
) -> tuple[Verdict, ...]:
    try:
        if len(readings) < LEAST_READERS:
            return tuple(verdict(evidence_of_reader(one, margin, design)) for one in readings)
        evidence = evidence_of_panel(panel, margin, design)
    except Undefined:
        return ()
    # The answers as they were given: in 2AFC the panel has turned some round.
    shares = {reading.reader: reading.share_generated for reading in readings}
    return (verdict(replace(evidence, share_generated=shares)),)


def _agreement(panel: ReaderPanel) -> ReaderAgreement:
    answers, ratings = panel.answers, panel.ratings
    kappa = cohen_kappa if len(panel.readers) == 2 else fleiss_kappa
    return ReaderAgreement(
        len(panel.readers),
        defined(lambda: percent_agreement(answers)),
        defined(lambda: kappa(answers)),
        defined(lambda: gwet_ac1(answers)),
        defined(lambda: krippendorff_alpha(ratings)),
        defined(lambda: gwet_ac2(ratings)),
    )
