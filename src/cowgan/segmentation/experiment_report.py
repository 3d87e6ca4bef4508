"""The report of the experiment: learning curves, and arms compared with real data alone."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cowgan.files import atomic_path
from cowgan.report.blocks import Block, Drawing, Figure, Heading, Paragraph, Report, Table
from cowgan.report.drawing import REAL, draw, reader_style
from cowgan.report.html import html_of
from cowgan.report.numbers import count, decimal, interval
from cowgan.report.pdf import pdf_of
from cowgan.segmentation.comparison import MAIN, Arm, arm_means
from cowgan.segmentation.comparison_report import ArmComparison, comparison_blocks, picture_blocks
from cowgan.segmentation.experiment_config import ExperimentConfig, PlannedArm
from cowgan.segmentation.experiment_findings import ExperimentFindings
from cowgan.segmentation.subject_values import MEAN, Quantity
from cowgan.segmentation.threshold_baseline import ALL_DICE
from cowgan.tables import write_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

HTML_FILE, PDF_FILE, TABLE_FILE = "report.html", "report.pdf", "arms.csv"
_COLUMNS = (
    *("arm", "teacher", "real", "synthetic", "pseudo", "artery", "metric"),
    *("n", "mean", "median", "low", "high"),
)


def write_experiment_report(found: ExperimentFindings, folder: Path) -> None:
    """Write the report and the table of all finished arms to the folder of the experiment.

    Raises
    ------
    CowganError
        matplotlib or fpdf2 is not installed, or a file cannot be written.
    """
    report = experiment_report(found)
    html, pdf = html_of(report), pdf_of(report)
    write_table(folder / TABLE_FILE, _COLUMNS, _rows(found))
    for name, content in ((HTML_FILE, html.encode()), (PDF_FILE, pdf)):
        with atomic_path(folder / name) as temporary:
            temporary.write_bytes(content)


def experiment_report(found: ExperimentFindings) -> Report:
    """Return the report of the finished arms."""
    subjects = {subject for arm in found.arms.values() for subject in arm.values.get(MAIN, {})}
    repetitions = count(found.config.seeds, "repetition")
    return Report(
        "What synthetic data is worth for segmentation",
        f"{count(len(subjects), 'test subject')}, {repetitions}",
        tuple(_blocks(found)),
    )


def _blocks(found: ExperimentFindings) -> Iterator[Block]:
    config, arms = found.config, found.arms
    missing = len(config.arms) - len(arms)
    if missing:
        are = "is" if missing == 1 else "are"
        yield Paragraph(f"{count(missing, 'arm')} of {len(config.arms)} {are} not finished.")
    yield Heading("Learning curves")
    yield Figure(
        _learning_curves(config, arms),
        "Mean Dice over test subjects, by the number of labelled real subjects that are known. "
        "Bars are 95 % intervals over subjects.",
        "Dice by number of labelled real subjects.",
    )
    yield from _difficulty(found)
    for teacher in sorted(config.teachers):
        group = found.group(teacher)
        if PlannedArm(teacher, teacher) in arms and group[1:]:
            yield Heading(f"With the labels of {count(teacher, 'subject')}")
            yield Paragraph(
                f"“{group[0].name}” learns from these subjects alone. The other arms learn from "
                "volumes that its network labels, alone or together with these subjects."
            )
            yield from comparison_blocks(ArmComparison.of(group, {"dice": config.margin}))
            names = [arm.name for arm in group]
            yield from picture_blocks(names, found.scheme, found.cases[teacher])
    yield Heading("Method")
    yield Paragraph(
        "A teacher and all arms beside it know the labels of the same subjects; synthetic "
        "volumes and volumes of further subjects are labelled by that teacher. All networks "
        "have the same architecture, augmentation and number of steps "
        f"({config.training.steps:,}), and none is chosen by a validation. The test subjects "
        "were seen by nothing. Scores of a subject are averaged over repetitions, which differ "
        "in the subjects that are known, in initial weights and in the latents of synthetic "
        "volumes. The generator was trained on images of the bank's training subjects, without "
        "labels, and so has seen more people than a small arm: arms with pseudo-labelled "
        "volumes show what these images are worth without a generator."
    )


def _difficulty(found: ExperimentFindings) -> Iterator[Block]:
    real = [
        arm
        for planned, arm in found.arms.items()
        if planned == PlannedArm(planned.real, planned.real)
    ]
    dice = [
        one
        for one in arm_means([found.baseline.arm, *real])
        if Quantity(one.artery, one.metric) == ALL_DICE
    ]
    yield Heading("How hard the task is")
    yield Paragraph(
        f"The intensity threshold of {found.baseline.threshold:g} is the best one on the labelled "
        "subjects of the largest real arm. What it reaches needs no network; only what is above "
        "it, and telling arteries apart, tells anything about training data."
    )
    yield Table(
        "Dice of all arteries as one mask: mean over test subjects with its 95 % interval.",
        ("Segmentation", "Subjects", "Dice"),
        tuple(
            (
                one.arm,
                str(one.n),
                decimal(one.mean, 3) if one.interval is None else interval(one.interval, 3),
            )
            for one in dice
        ),
        (2.0, 1.0, 2.0),
    )


def _learning_curves(config: ExperimentConfig, arms: Mapping[PlannedArm, Arm]) -> Drawing:
    quantities = [q for q in next(iter(arms.values())).values if q.metric == MAIN.metric]
    names = [q.artery for q in quantities if q.artery not in (MEAN, "all")]
    shown = [MEAN, *names]
    lines = _lines(arms)

    def paint(figure: "Canvas") -> None:
        columns = min(3, len(shown))
        rows = -(-len(shown) // columns)
        grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
        for axes, artery in zip(grid.flat, shown, strict=False):
            for number, (label, planned) in enumerate(lines.items()):
                means = [
                    (one.teacher, found)
                    for one in planned
                    for found in arm_means([arms[one]])
                    if Quantity(found.artery, found.metric) == Quantity(artery, MAIN.metric)
                ]
                if not means:
                    continue
                x, y = [n for n, _ in means], [found.mean for _, found in means]
                colour = REAL if number == 0 else reader_style(number - 1)[0]
                axes.plot(x, y, "o-", color=colour, markersize=3, label=label)
                for place, (_, found) in zip(x, means, strict=True):
                    if found.interval is not None:
                        limits = [found.interval.low, found.interval.high]
                        axes.plot([place, place], limits, color=colour, linewidth=0.8)
            axes.set_xscale("log")
            axes.set_xticks(sorted(config.real), [str(n) for n in sorted(config.real)])
            axes.minorticks_off()
            axes.set_title("all arteries, mean" if artery == MEAN else artery)
        for axes in list(grid.flat)[len(shown) :]:
            axes.set_axis_off()
        handles, labels = grid.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=3)
        figure.supxlabel("Labelled real subjects")
        figure.supylabel("Dice")

    return draw(paint, 1.0 + 1.7 * -(-len(shown) // min(3, len(shown))))


def _lines(arms: Mapping[PlannedArm, Arm]) -> dict[str, Sequence[PlannedArm]]:
    """Return arms that differ only in the number of labelled subjects, by what they share."""
    lines: dict[str, list[PlannedArm]] = {}
    for planned in sorted(arms):
        added = f"{planned.synthetic} synthetic" if planned.synthetic else ""
        added = f"{planned.pseudo} pseudo-labelled" if planned.pseudo else added
        label = " + ".join(filter(None, ["real" if planned.real else "", added]))
        lines.setdefault(label, []).append(planned)
    return {label: lines[label] for label in sorted(lines, key=lambda text: (text != "real", text))}


def _rows(found: ExperimentFindings) -> Iterator[dict[str, object]]:
    for planned, arm in [*found.arms.items(), (None, found.baseline.arm)]:
        for one in arm_means([arm]):
            limits = one.interval
            yield {
                **(vars(planned) if planned else {}),
                **{name: getattr(one, name) for name in ("arm", "artery", "metric")},
                **{name: getattr(one, name) for name in ("n", "mean", "median")},
                "low": None if limits is None else limits.low,
                "high": None if limits is None else limits.high,
            }
