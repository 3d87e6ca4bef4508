"""The report card of generated volumes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cowgan.estimates import Interval
from cowgan.evaluation.appearance import histogram_of, spectrum_of
from cowgan.evaluation.comparison import Comparison, MeasureResult, Spread
from cowgan.evaluation.evaluate import Evaluation
from cowgan.evaluation.measures import KERNEL_DISTANCE, PRECISION, RECALL, Measure
from cowgan.evaluation.models import PsiSweep, TwoModels
from cowgan.evaluation.replica_report import membership_sentence, pairs_table, picture_of
from cowgan.evaluation.training_curves import TrainingCurves
from cowgan.evaluation.vessel_figures import drawn_sets
from cowgan.evaluation.vessel_report import vessel_blocks
from cowgan.features.store import FeatureBank
from cowgan.report.blocks import (
    Block,
    Box,
    Cell,
    Drawing,
    Figure,
    Heading,
    Paragraph,
    Report,
    Table,
)
from cowgan.report.drawing import GENERATED, REAL, draw
from cowgan.report.numbers import count, decimal, decimals_of, listed, percent
from cowgan.volume.volume_set import VolumeSet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_SHOWN = 6
_CLEARLY_FEWER = 0.8
_GOOD = {"low": "low", "high": "high", "like real": "as real"}


@dataclass(frozen=True)
class Additions:
    """What a report may show besides an evaluation.

    Parameters
    ----------
    curves : TrainingCurves, optional
        How the model was trained.
    models : TwoModels, optional
        Its comparison with another.
    sweep : PsiSweep, optional
        The model at several truncations.
    """

    curves: TrainingCurves | None = None
    models: TwoModels | None = None
    sweep: PsiSweep | None = None


def evaluation_report(found: Evaluation, additions: Additions) -> Report:
    """Return the report of an evaluation.

    Raises
    ------
    CowganError
        matplotlib is not installed, or a volume that is shown cannot be read any more.
    """
    sets = found.sets
    subtitle = f"{sets.generated.title}, compared with {listed([of.title for of in sets.real])}"
    return Report(
        "Evaluation of generated volumes",
        subtitle,
        (
            verdict(found),
            *_measures(found),
            *_anatomy(found),
            *_replicas(found),
            *_single_volumes(found),
            *_intensities(found),
            *([] if additions.models is None else _two_models(additions.models)),
            *([] if additions.sweep is None else _sweep(additions.sweep, found.main)),
            *([] if additions.curves is None else _training(additions.curves)),
            *_method(found),
        ),
    )


def verdict(found: Evaluation) -> Box:
    """Return in plain words what an evaluation says, and what limits it."""
    main = found.main
    kernel, recall, precision = (main[of] for of in (KERNEL_DISTANCE, RECALL, PRECISION))
    odd = [result for result in main.results if not result.like_real]
    if odd:
        title = "Generated volumes can be told from real ones"
    else:
        title = "No measure tells generated volumes from real ones"
    sentences = [_of_distance(kernel), _of_variety(recall), _of_fidelity(precision)]
    sentences.append(f"These measures compare volumes by {main.recipe.name}.")
    sentences.append(_of_copies(found))
    return Box(title, tuple(sentences), found.warnings)


def _of_distance(kernel: MeasureResult) -> str:
    made, real = kernel.generated, kernel.real
    if kernel.like_real:
        return (
            f"As a whole they are as far from real volumes as real ones of other people: kernel "
            f"distance {spread_text(made, 3)}, real {spread_text(real, 3)}."
        )
    return (
        f"As a whole they differ: kernel distance {spread_text(made, 3)}, where real volumes of "
        f"other people have {spread_text(real, 3)}."
    )


def _of_variety(recall: MeasureResult) -> str:
    made, real = recall.generated.median, recall.real.median
    if recall.like_real:
        return f"They vary as real volumes do: recall {percent(made)}, real {percent(real)}."
    if made < _CLEARLY_FEWER * real:
        return (
            f"They lack variety: {percent(made)} of real volumes lie among them, where it is "
            f"{percent(real)} for as many real ones (recall)."
        )
    return f"They vary a little less: recall {percent(made)}, real {percent(real)}."


def _of_fidelity(precision: MeasureResult) -> str:
    made, real = precision.generated.median, precision.real.median
    if precision.like_real:
        return f"Single volumes look real: precision {percent(made)}, real {percent(real)}."
    if made < real:
        return (
            f"Many single volumes look unlike any real one: {percent(made)} lie among real "
            f"volumes, where it is {percent(real)} for real ones (precision)."
        )
    return (
        f"Single volumes look more typical than real ones: {percent(made)} lie among real "
        f"volumes, where it is {percent(real)} for real ones (precision)."
    )


def _of_copies(found: Evaluation) -> str:
    if found.replicas is None:
        return "Whether volumes repeat training data was not searched."
    flagged, total = len(found.replicas.flagged), len(found.replicas.matches)
    expected = found.replicas.false_alarms * total
    if flagged:
        return (
            f"{count(flagged, 'volume')} of {total} may repeat a training volume; by chance it "
            f"would be {decimal(expected, 1)}."
        )
    return f"None of {total} volumes repeats the arteries of a training volume."


def _measures(found: Evaluation) -> Iterator[Block]:
    yield Heading("Measures")
    yield Paragraph(
        "Most measures depend on the number of volumes, so each is shown beside what it says of "
        "real volumes of other people at the same number: median and, in brackets, the 5th and "
        "95th percentile of random subsets. Values within these are not told from real. The "
        "estimate over all volumes has a 95 % interval."
    )
    for one in found.comparisons:
        yield _comparison_table(one)
    yield Paragraph(_of_authenticity(found))
    if found.published:
        yield _published_table(found)


def _published_table(found: Evaluation) -> Table:
    return Table(
        "The measures of Aydin et al. 2024, computed as they did, between all training volumes and "
        "all generated ones, and between two halves of the training volumes. They depend on the "
        "number of volumes: compare them with the paper's at 1,782 only.",
        ("Measure", "Features", "Generated", "Volumes", "Real halves", "Volumes of each"),
        tuple(
            (
                one.generated.name,
                one.generated.recipe.name,
                f"{one.generated.value:.4g}",
                f"{one.generated.real_volumes} and {one.generated.generated_volumes}",
                f"{one.halves.value:.4g}",
                str(one.halves.real_volumes),
            )
            for one in found.published
        ),
        (1.6, 1.8, 1.0, 1.2, 1.0, 1.1),
        text_columns=2,
    )


def _comparison_table(one: Comparison) -> Table:
    return Table(
        f"By {one.recipe.name} ({one.dimensions} features), with {one.n_real} volumes of the "
        f"{one.reference}, one per subject; {one.n_generated} generated.",
        (
            "Measure",
            "All volumes",
            f"Generated, n = {one.n_subset}",
            f"Real, n = {one.n_subset}",
            "Like real",
        ),
        tuple(_measure_row(result) for result in one.results),
        (2.2, 1.8, 1.8, 1.8, 0.8),
    )


def _measure_row(result: MeasureResult) -> tuple[Cell, ...]:
    digits = digits_of(result.measure)
    return (
        result.measure.title,
        _interval(result.estimate, digits),
        spread_text(result.generated, digits),
        spread_text(result.real, digits),
        "yes" if result.like_real else "no",
    )


def digits_of(measure: Measure) -> int:
    """Return how many decimals of a measure are printed if it is below 10."""
    return 3 if measure == KERNEL_DISTANCE else 2


def _interval(found: Interval, digits: int) -> str:
    digits = decimals_of(found.estimate, digits)
    low, high = decimal(found.low, digits), decimal(found.high, digits)
    return f"{decimal(found.estimate, digits)} ({low} to {high})"


def spread_text(spread: Spread, digits: int) -> str:
    """Return a median with its percentiles."""
    return f"{median_text(spread, digits)} ({range_text(spread, digits)})"


def median_text(spread: Spread, digits: int) -> str:
    """Return the median."""
    return decimal(spread.median, decimals_of(spread.median, digits))


def range_text(spread: Spread, digits: int) -> str:
    """Return the percentiles."""
    digits = decimals_of(spread.median, digits)
    return f"{decimal(spread.low, digits)} to {decimal(spread.high, digits)}"


def _of_authenticity(found: Evaluation) -> str:
    share = found.authenticity
    text = (
        f"By {found.main.recipe.name}, {percent(share.generated)} of generated volumes are "
        "authentic: farther from their nearest training volume than that is from those of other "
        "people."
    )
    if share.holdout is None:
        return text
    return f"{text} Of held-out volumes, which copy nobody, {percent(share.holdout)} are."


def _anatomy(found: Evaluation) -> Iterator[Block]:
    yield Heading("Anatomy")
    yield from vessel_blocks(found.vessels, found.vessel_features)


def _replicas(found: Evaluation) -> Iterator[Block]:
    yield Heading("Replicas")
    yield Paragraph(
        "The vessels of each generated volume are compared with those of all training volumes and "
        "their mirror images, moved by up to 4 mm, whole and by halves. How much different people "
        "resemble each other sets the threshold."
    )
    if found.replicas is None:
        yield Paragraph("There are too few training subjects to calibrate the search.")
        return
    yield pairs_table(found.replicas, found.sets.generated, found.sets.training, _SHOWN)
    yield Paragraph(membership_sentence(found.membership))


def _single_volumes(found: Evaluation) -> Iterator[Block]:
    yield Heading("Single volumes")
    order = np.argsort(found.realism)
    shown = min(_SHOWN, len(order) // 2)
    yield Paragraph(
        f"The realism score of a volume, by {found.main.recipe.name}, is above 1 if it lies among "
        "real volumes. The features do not know anatomy: look at the pictures."
    )
    for title, chosen in (("Least", order[:shown]), ("Most", order[::-1][:shown])):
        yield _volumes_table(title, chosen.tolist(), found)


def _volumes_table(title: str, chosen: Sequence[int], found: Evaluation) -> Table:
    generated, training = found.sets.generated, found.sets.first_real[0]
    rows = []
    for index in chosen:
        near = int(found.nearest[index])
        rows.append(
            (
                _picture(generated, index),
                _picture(training, near),
                f"{generated.names[index]}\n{training.names[near]}",
                decimal(float(found.realism[index])),
            )
        )
    return Table(
        f"{title} realistic generated volumes, with the nearest training volume by features. Axial "
        "projections, right side of the patient on the left.",
        ("Generated", "Training", "Volumes", "Realism"),
        tuple(rows),
        (1.1, 1.1, 2.6, 0.8),
        text_columns=3,
    )


def _picture(volumes: VolumeSet, index: int) -> Cell:
    return picture_of(volumes.volume(index), volumes.names[index])


def _intensities(found: Evaluation) -> Iterator[Block]:
    yield Heading("Intensities and detail")
    yield Figure(
        _appearance_drawing(found.appearance),
        "Grey levels (share of voxels, logarithmic) and power of detail in axial slices, from "
        "coarse to fine; median and, shaded, 5th to 95th percentile of volumes.",
        "Histograms and spectra of generated and real volumes.",
    )


def _appearance_drawing(banks: Sequence[FeatureBank]) -> Drawing:
    def curves(axes: "Axes", of: str) -> None:
        for name, bank, colour, style in drawn_sets(*banks):
            values = spectrum_of(bank) * 10 if of == "spectrum" else histogram_of(bank)
            place = (np.arange(values.shape[1]) + 0.5) / values.shape[1]
            low, median, high = np.percentile(values, (5, 50, 95), axis=0)
            axes.fill_between(place, low, high, color=colour, alpha=0.15, lw=0)
            axes.plot(place, median, color=colour, ls=style, label=name)

    def paint(figure: "Canvas") -> None:
        left, right = figure.subplots(1, 2)
        curves(left, "histogram")
        left.set(xlabel="grey level", ylabel="share of voxels", yscale="log", title="Grey levels")
        left.yaxis.set_major_formatter("{x:g}")
        curves(right, "spectrum")
        right.set(xlabel="frequency / Nyquist", ylabel="power, dB", title="Detail")
        left.legend()

    return draw(paint, 2.5, halves=True)


def _two_models(models: TwoModels) -> Iterator[Block]:
    yield Heading("Two models")
    yield Table(
        f"{models.second}, compared with {models.first}; both against the {models.reference}, by "
        f"{models.extractor}. The difference is the second minus the first, with a 95 % interval.",
        ("Measure", "First", "Second", "Difference", "Good"),
        tuple(
            (
                one.measure.title,
                *(
                    decimal(value, decimals_of(value, digits_of(one.measure)))
                    for value in (one.first, one.second)
                ),
                _interval(one.difference, digits_of(one.measure)),
                _GOOD[one.measure.reading],
            )
            for one in models.differences
        ),
        (2.2, 1.0, 1.0, 2.2, 1.0),
    )


def _sweep(sweep: PsiSweep, main: Comparison) -> Iterator[Block]:
    yield Heading("Truncation")
    yield Figure(
        _sweep_drawing(sweep, main),
        f"{sweep.model} against the {sweep.reference}, by {sweep.extractor}, at truncations of "
        f"{sweep.psis[0]:g} to {sweep.psis[-1]:g}: a low one makes typical volumes and loses "
        "variety. Shaded, what real volumes of other people reach.",
        "Kernel distance, precision and recall by truncation.",
    )


def _sweep_drawing(sweep: PsiSweep, main: Comparison) -> Drawing:
    def paint(figure: "Canvas") -> None:
        shown = (KERNEL_DISTANCE, PRECISION, RECALL)
        for axes, measure in zip(figure.subplots(1, len(shown)), shown, strict=True):
            real = main[measure].real
            axes.axhspan(real.low, real.high, color=REAL, alpha=0.15, lw=0)
            axes.axhline(real.median, color=REAL, ls="--")
            values = [at[measure.key] for at in sweep.measures]
            axes.plot(sweep.psis, values, "o-", color=GENERATED, markersize=3)
            axes.set(xlabel="truncation", title=measure.title)

    return draw(paint, 2.2)


def _training(curves: TrainingCurves) -> Iterator[Block]:
    yield Heading("Training")
    yield Figure(
        curves.drawing(),
        f"Measures against held-out subjects while {curves.title} was trained, by coarse vessel "
        "maps and MIPs; dashed, the same of real training volumes.",
        "Kernel distance, recall and coverage over training steps.",
    )


def _method(found: Evaluation) -> Iterator[Block]:
    yield Heading("Method")
    named = dict.fromkeys(
        f"{one.recipe.name} (version {one.recipe.version}, recipe {one.recipe.sha256[:12]})"
        for one in found.comparisons
    )
    yield Paragraph(
        f"Features: {listed(list(named))}. They are standardised by the mean and standard "
        "deviation of the real volumes. Numbers of different extractors cannot be compared. Of "
        "each subject the first volume counts, except in the search for replicas."
    )
    yield Paragraph(
        "Real against real: training subjects are divided into two halves at random; the holdout "
        "is compared with as many training subjects. Intervals are those of half-subsamples of "
        "subjects, centred on the estimate; a bootstrap with replacement would exclude it. Subsets "
        "share volumes, so their percentiles are no confidence limits for another sample."
    )
    yield Table(
        "What the measures say.",
        ("Measure", "Meaning", "Good"),
        tuple(
            (of.measure.title, of.measure.meaning, _GOOD[of.measure.reading])
            for of in found.main.results
        ),
        (1.6, 4.0, 0.9),
        text_columns=3,
    )
