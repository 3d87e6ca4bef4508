"""The report of a comparison of segmentations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cowgan.anatomy.label_colours import label_colours
from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.randomness import stream
from cowgan.report.blocks import (
    Block,
    Box,
    Cell,
    Drawing,
    Figure,
    Heading,
    Paragraph,
    Picture,
    Report,
    Table,
)
from cowgan.report.drawing import draw, reader_style
from cowgan.report.numbers import (
    NOT_DEFINED,
    count,
    decimal,
    interval,
    limits,
    p_equation,
    p_value,
)
from cowgan.segmentation.bootstrap import FEWEST_SUBJECTS
from cowgan.segmentation.comparison import (
    COMPARED,
    MAIN,
    Arm,
    ArmDifference,
    ArmMean,
    arm_means,
    compare_arms,
    quantities_of,
)
from cowgan.segmentation.metrics import ALL
from cowgan.segmentation.subject_values import MEAN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_TITLES = {"dice": "Dice", "hd95_mm": "HD95 (mm)"}
_DIGITS = {"dice": 3, "hd95_mm": 2}
_ARTERIES = {ALL: "all as one mask", MEAN: "mean of arteries"}
_ALPHA = 0.05
_TICKS_MM = (0, 1, 2, 5, 10, 20, 50, 90)


@dataclass(frozen=True)
class ShownCase:
    """Pictures of one case.

    Parameters
    ----------
    title : str
        Why it is shown, and its name.
    truth : Picture
        The true label map.
    predictions : tuple of (Picture, float)
        The label map of each arm, and its mean Dice.
    """

    title: str
    truth: Picture
    predictions: tuple[tuple[Picture, float], ...]


@dataclass(frozen=True, eq=False)
class ArmComparison:
    """Everything that a comparison says.

    Parameters
    ----------
    arms : sequence of Arm
        The first is the reference.
    means : sequence of ArmMean
        See `cowgan.segmentation.comparison.arm_means`.
    differences : sequence of ArmDifference
        See `cowgan.segmentation.comparison.compare_arms`.
    margins : mapping of str to float
        Margin of equivalence of each metric that has one.
    """

    arms: Sequence[Arm]
    means: Sequence[ArmMean]
    differences: Sequence[ArmDifference]
    margins: Mapping[str, float]

    @classmethod
    def of(
        cls, arms: Sequence[Arm], margins: Mapping[str, float] | None = None, seed: int = 0
    ) -> "ArmComparison":
        """Compare arms; raises as `cowgan.segmentation.comparison.compare_arms` does."""
        differences = compare_arms(arms, margins, seed)
        return cls(arms, arm_means(arms, seed), differences, margins or {})

    @property
    def reference(self) -> Arm:
        """The first arm."""
        return self.arms[0]


def comparison_report(
    found: ArmComparison,
    subtitle: str,
    scheme: LabelScheme | None = None,
    cases: Sequence[ShownCase] = (),
) -> Report:
    """Return the report of a comparison.

    Parameters
    ----------
    found : ArmComparison
        The comparison.
    subtitle : str
        What was compared, on which subjects.
    scheme : LabelScheme, optional
        Meaning of the labels in the pictures.
    cases : sequence of ShownCase
        Pictures.

    Raises
    ------
    CowganError
        matplotlib is not installed.
    """
    blocks = [*comparison_blocks(found)]
    if scheme is not None and cases:
        blocks += picture_blocks([arm.name for arm in found.arms], scheme, cases)
    return Report("Comparison of segmentations", subtitle, (*blocks, *_method(found)))


def comparison_blocks(found: ArmComparison) -> Iterator[Block]:
    """Return verdict, tables and figures of a comparison, for any report.

    Raises
    ------
    CowganError
        matplotlib is not installed.
    """
    yield verdict(found)
    yield Heading("Scores")
    for metric in COMPARED:
        yield _means_table(found, metric)
        yield Figure(
            _drawing(found, metric),
            f"{_TITLES[metric]} of each subject, by artery: quartiles with the median, and "
            "whiskers from the 5th to the 95th percentile.",
            f"{_TITLES[metric]} by artery and prediction.",
        )
    missing = [
        artery
        for artery in found.reference.missing
        if any(any(arm.missing[artery]) for arm in found.arms)
    ]
    if missing:
        yield _missing_table(found, missing)
    yield Heading("Differences")
    for metric in COMPARED:
        yield _differences_table(found, metric)


def verdict(found: ArmComparison) -> Box:
    """Return in plain words what a comparison says of the mean Dice, and what limits it."""
    main = [one for one in found.differences if one.quantity == MAIN]
    cautions = []
    if any(one.interval is None for one in main):
        cautions.append(
            f"With fewer than {FEWEST_SUBJECTS} subjects nothing can be said of others: there are "
            "no intervals and no p values."
        )
    title = (
        _title(main[0]) if len(main) == 1 else f"Mean Dice, compared with {found.reference.name}"
    )
    return Box(title, tuple(_sentence(one, found) for one in main), tuple(cautions))


def _title(one: ArmDifference) -> str:
    if one.p_holm is not None and one.p_holm < _ALPHA:
        better, worse = (one.arm, one.reference) if one.difference > 0 else (one.reference, one.arm)
        small = ", by less than the margin" if one.within_margin else ""
        return f"{better} has a higher mean Dice than {worse}{small}"
    if one.within_margin:
        return f"{one.arm} and {one.reference} are equivalent in mean Dice"
    if one.p_holm is None:
        return f"Mean Dice of {one.arm} and {one.reference}"
    return f"No difference in mean Dice between {one.arm} and {one.reference} was found"


def _sentence(one: ArmDifference, found: ArmComparison) -> str:
    means = {of.arm: of.mean for of in found.means if (of.artery, of.metric) == MAIN}
    text = (
        f"{one.arm}: mean Dice of arteries {decimal(means[one.arm], 3)}, where {one.reference} has "
        f"{decimal(means[one.reference], 3)}, over {count(one.n, 'subject')}; difference "
        f"{decimal(one.difference, 3)}"
    )
    if one.interval is None:
        return f"{text}."
    corrected = " after correction" if len(found.arms) > 2 else ""
    text += f" (95 % interval {limits(one.interval, 3)}, {p_equation(one.p_holm)}{corrected})"
    margin = found.margins.get(one.metric)
    if margin is None:
        return f"{text}."
    within = "lies within" if one.within_margin else "does not lie within"
    return f"{text}. The interval {within} the margin of equivalence of ±{margin:g}."


def _means_table(found: ArmComparison, metric: str) -> Table:
    by_arm = {(one.arm, one.artery): one for one in found.means if one.metric == metric}
    rows = []
    for artery, _ in quantities_of(found.arms, metric):
        ofs = [by_arm.get((arm.name, artery)) for arm in found.arms]
        rows.append(
            (
                _ARTERIES.get(artery, artery),
                str(max(one.n for one in ofs if one)),
                *(_mean_text(one, _DIGITS[metric]) for one in ofs),
            )
        )
    return Table(
        f"{_TITLES[metric]}: mean over subjects that have the artery, with its 95 % interval, and "
        "median.",
        ("Artery", "Subjects", *(arm.name for arm in found.arms)),
        tuple(rows),
        (1.4, max(0.8, 0.25 * len(found.arms)), *(2.0 for _ in found.arms)),
    )


def _mean_text(one: ArmMean | None, digits: int) -> str:
    if one is None:
        return NOT_DEFINED
    mean = decimal(one.mean, digits) if one.interval is None else interval(one.interval, digits)
    return f"{mean}\nmedian {decimal(one.median, digits)}"


def _missing_table(found: ArmComparison, missing: Sequence[str]) -> Table:
    return Table(
        "Arteries that are missing: cases in which an artery is there but not predicted (missed), "
        "and in which it is predicted but not there (made up). Those that are made up do not count "
        "in the other tables.",
        ("Artery", *(arm.name for arm in found.arms)),
        tuple(
            (
                _ARTERIES.get(artery, artery),
                *("{} missed, {} made up".format(*arm.missing[artery]) for arm in found.arms),
            )
            for artery in missing
        ),
        (1.4, *(2.0 for _ in found.arms)),
    )


def _differences_table(found: ArmComparison, metric: str) -> Table:
    margin = found.margins.get(metric)
    header = ["Artery", "Prediction", "Subjects", "Difference", "p", "p, corrected"]
    better = "above" if metric == "dice" else "below"
    caption = (
        f"{_TITLES[metric]}: mean difference from {found.reference.name} in the same subjects, "
        f"with its 95 % interval; better if {better} 0."
    )
    if margin is not None:
        header.append(f"Within ±{margin:g}")
        caption += " The last column says whether the whole interval lies within the margin."
    order = {artery: place for place, (artery, _) in enumerate(quantities_of(found.arms, metric))}
    chosen = [one for one in found.differences if one.metric == metric]
    chosen.sort(key=lambda one: order[one.artery])
    return Table(
        caption,
        tuple(header),
        tuple(_difference_row(one, metric, margin is not None) for one in chosen),
        (1.4, 1.4, 0.8, 2.2, 0.8, 1.0, 0.9)[: len(header)],
        text_columns=2,
    )


def _difference_row(one: ArmDifference, metric: str, with_margin: bool) -> tuple[Cell, ...]:
    digits = _DIGITS[metric]
    found = one.interval
    row = (
        _ARTERIES.get(one.artery, one.artery),
        one.arm,
        str(one.n),
        decimal(one.difference, digits) if found is None else interval(found, digits),
        p_value(one.p),
        p_value(one.p_holm),
    )
    if not with_margin:
        return row
    return (*row, {True: "yes", False: "no", None: NOT_DEFINED}[one.within_margin])


def _drawing(found: ArmComparison, metric: str) -> Drawing:
    quantities = quantities_of(found.arms, metric)
    width = 0.8 / len(found.arms)

    def paint(figure: "Canvas") -> None:
        axes = figure.subplots()
        random = stream("places of dots", 0)
        for number, arm in enumerate(found.arms):
            for place, quantity in enumerate(quantities):
                values = list(arm.values.get(quantity, {}).values())
                centre = place + (number + 0.5) * width - 0.4
                if values:
                    _paint_values(axes, values, centre, width, reader_style(number)[0], random)
            axes.plot([], [], "s", color=reader_style(number)[0], label=arm.name)
        names = [_ARTERIES.get(artery, artery) for artery, _ in quantities]
        axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
        axes.set(ylabel=_TITLES[metric], xlim=(-0.6, len(names) - 0.4))
        if metric != "dice":
            axes.set_yscale("symlog", linthresh=1)
            axes.set_ylim(0)
            axes.set_yticks(_TICKS_MM)
            axes.minorticks_off()
            axes.yaxis.set_major_formatter("{x:g}")
        figure.legend(loc="outside upper left", ncols=min(4, len(found.arms)))

    return draw(paint, 3.0)


def _paint_values(
    axes: "Axes",
    values: list[float],
    centre: float,
    width: float,
    colour: str,
    random: np.random.RandomState,
) -> None:
    places = centre + width * random.uniform(-0.25, 0.25, len(values))
    axes.plot(places, values, "o", color=colour, markersize=2.4, alpha=0.6, mew=0)
    box = axes.boxplot(
        values, positions=[centre], widths=0.75 * width, whis=(5, 95), showfliers=False
    )
    for part in ("boxes", "whiskers", "caps", "medians"):
        for line in box[part]:
            line.set(color=colour, linewidth=1.6 if part == "medians" else 0.8)


def picture_blocks(
    arms: Sequence[str], scheme: LabelScheme, cases: Sequence[ShownCase]
) -> Iterator[Block]:
    """Return pictures of cases, with the names of the arms that they show and their legend.

    Raises
    ------
    CowganError
        matplotlib is not installed.
    """
    yield Heading("Cases")
    yield Figure(_legend(scheme), "Colours of the arteries below.", "Colours of the arteries.")
    for case in cases:
        captions = [f"mean Dice {decimal(dice, 3)}" for _, dice in case.predictions]
        yield Table(
            f"{case.title}. Axial views from the feet, the patient's right side on the left.",
            ("Truth", *arms),
            (
                (case.truth, *(picture for picture, _ in case.predictions)),
                ("", *captions),
            ),
            (1.0,) * (1 + len(arms)),
            text_columns=1 + len(arms),
        )


def _legend(scheme: LabelScheme) -> Drawing:
    def paint(figure: "Canvas") -> None:
        axes = figure.subplots()
        axes.set_axis_off()
        for value, colour in label_colours(scheme).items():
            axes.plot([], [], "s", color=colour, label=scheme.labels[value])
        axes.legend(loc="center", ncols=7)

    return draw(paint, 0.55)


def _method(found: ArmComparison) -> Iterator[Block]:
    yield Heading("Method")
    main = sum(one.quantity == MAIN for one in found.differences)
    yield Paragraph(
        "Dice and HD95 follow the definitions of TopCoW's evaluation code: an artery that is there "
        "but not predicted has a Dice of 0 and an HD95 of 90 mm. An artery counts in the subjects "
        "that have it, so that all predictions are compared on the same ones; several cases of a "
        "subject are averaged first."
    )
    yield Paragraph(
        "Intervals are percentiles of the means of 10,000 resamples of subjects; differences are "
        "resampled in pairs. The two-sided p value is twice the share of resampled differences on "
        "the rarer side of 0. Holm's method corrects that of the mean Dice of arteries for "
        f"{count(main, 'comparison')}, and all others together for "
        f"{count(len(found.differences) - main, 'comparison')}. An interval within the margin "
        "means equivalence only if the margin was chosen before the scores were known."
    )
