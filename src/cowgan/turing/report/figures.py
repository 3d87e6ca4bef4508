"""The figures of the report."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from cowgan.report.blocks import Drawing
from cowgan.report.drawing import (
    BAND,
    FAINT,
    GENERATED,
    INK,
    REAL,
    draw,
    label_panels,
    reader_style,
)
from cowgan.text import one_line
from cowgan.turing.analysis import Analysis, Mark, ReaderResult, Reasons
from cowgan.turing.design.trials import Design
from cowgan.turing.statistics import LEAST_READERS, Interval, ReaderAnswers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

LEGEND_READERS = 8
"""More readers than these are drawn in one colour and without a legend."""

UPRIGHT_READERS = 4
"""The names of more readers than these are turned to stand beside each other."""

FEWEST_REASONS = 4
"""There is room for as many, so that the bars of one alone do not fill the figure."""

OUTCOMES: dict[Design, dict[str, str]] = {
    "rating": {
        "hit": "generated, right",
        "miss": "generated, wrong",
        "correct rejection": "real, right",
        "false alarm": "real, wrong",
    },
    "2afc": {
        "hit": "on the right, found",
        "miss": "on the right, missed",
        "correct rejection": "on the left, found",
        "false alarm": "on the left, missed",
    },
}
_OUTCOME_LOOK = {
    "hit": (GENERATED, True),
    "miss": (GENERATED, False),
    "correct rejection": (REAL, True),
    "false alarm": (REAL, False),
}


def forest(analysis: Analysis) -> Drawing:
    """Draw the main measures of each reader and their mean."""
    rating = analysis.study.protocol.rules.design == "rating"
    readers = _scored(analysis)
    margin_auc, margin_accuracy = analysis.margins
    margin_d = 2**0.5 * float(stats.norm.ppf(0.5 + margin_auc))
    panel = analysis.panel
    means = [panel.primary, panel.accuracy] if rating else [panel.primary]
    titles = ["AUC", "Balanced accuracy", "d′"] if rating else ["Share of right answers", "d′"]
    margins = [margin_auc, margin_accuracy, margin_d] if rating else [margin_auc, margin_d]

    def found(reader: ReaderResult, title: str) -> Interval | None:
        assert reader.scores is not None
        if title == "d′":
            return reader.scores.d_prime
        return reader.scores.balanced_accuracy if title != "AUC" else reader.scores.primary_95

    rows = len(readers) + (panel.primary is not None)

    def paint(figure: "Figure") -> None:
        axes = list(figure.subplots(1, len(titles), sharey=True))
        for number, (one, title, margin) in enumerate(zip(axes, titles, margins, strict=True)):
            chance = 0.0 if title == "d′" else 0.5
            one.axvspan(chance - margin, chance + margin, color=BAND, lw=0, zorder=0)
            one.axvline(chance, color="#888888", lw=0.9, ls=(0, (4, 3)), zorder=1)
            for row, reader in enumerate(readers):
                _whisker(one, found(reader, title), rows - 1 - row, reader.complete)
            mean = means[number] if number < len(means) else None
            if mean is not None:
                _diamond(one, mean.interval_95, mean.interval_90)
                one.axhline(0.5, color="#cccccc", lw=0.7)
            if title != "d′":
                one.set_xlim(-0.02, 1.02)
                one.set_xticks((0, 0.25, 0.5, 0.75, 1), ("0", "", "0.5", "", "1"))
            one.spines["left"].set_visible(False)
            one.tick_params(axis="y", length=0)
        names = [
            reader.reader if reader.complete else f"{reader.reader} (incomplete)"
            for reader in readers
        ]
        if panel.primary is not None:
            names.append("Mean")
        axes[0].set_yticks(range(rows), names[::-1])
        axes[0].set_ylim(-0.7, rows - 0.3)
        label_panels(axes, titles)

    return draw(paint, 0.7 + 0.22 * max(rows, 2))


def roc_and_plane(analysis: Analysis) -> Drawing:
    """Draw the curves of readers with their mean, and discrimination against preference."""
    rating = analysis.study.protocol.rules.design == "rating"
    readers = [of for of in _scored(analysis) if of.scores and of.scores.d_prime is not None]
    named = len(readers) <= LEGEND_READERS

    def roc(axes: "Axes") -> None:
        axes.plot([0, 1], [0, 1], color="#888888", lw=0.9, ls=(0, (4, 3)))
        for number, reader in enumerate(readers):
            curve = reader.scores.roc if reader.scores else None
            if curve is not None:
                colour = reader_style(number)[0] if named else FAINT
                axes.plot(curve.false_alarm_rates, curve.hit_rates, color=colour, lw=1)
        if analysis.panel.roc is not None and analysis.panel.primary is not None:
            mean = analysis.panel.roc
            axes.plot(mean.false_alarm_rates, mean.hit_rates, color=INK, lw=2.6, label="mean")
            axes.legend(loc="lower right")
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal", anchor="N")
        axes.set_xlabel("Real volumes called generated (false alarm rate)")
        axes.set_ylabel("Generated volumes called generated (hit rate)")

    def plane(axes: "Axes") -> None:
        axes.axhline(0, color="#888888", lw=0.9, ls=(0, (4, 3)))
        axes.axvline(0, color="#888888", lw=0.9, ls=(0, (4, 3)))
        for number, reader in enumerate(readers):
            assert reader.scores is not None
            d, c = reader.scores.d_prime, reader.scores.criterion
            assert d is not None
            assert c is not None
            colour, marker = reader_style(number) if named else (FAINT, "o")
            axes.plot([c.low, c.high], [d.estimate] * 2, color=colour, lw=0.9, alpha=0.7)
            axes.plot([c.estimate] * 2, [d.low, d.high], color=colour, lw=0.9, alpha=0.7)
            axes.plot(
                c.estimate,
                d.estimate,
                marker=marker,
                color=colour,
                ls="none",
                ms=6,
                label=reader.reader if named else None,
            )
        reach = max(1.0, *(abs(value) for value in axes.get_xlim()))
        axes.set_xlim(-reach, reach)
        axes.locator_params(axis="x", nbins=6)
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, -1), max(high, 1))
        towards = ("“generated”", "“real”") if rating else ("“right”", "“left”")
        axes.set_xlabel(f"Criterion c: prefers {towards[0]} ← 0 → prefers {towards[1]}")
        axes.set_ylabel("Discrimination d′ (0 is chance)")
        if named:
            axes.legend(loc="best")

    def paint(figure: "Figure") -> None:
        if rating:
            axes = list(figure.subplots(1, 2))
            roc(axes[0])
            plane(axes[1])
            label_panels(axes, ["ROC curves", "Discrimination and preference"])
        else:
            plane(figure.subplots())

    return draw(paint, 3.5, halves=True) if rating else draw(paint, 3.5, 4.6)


def confidence(analysis: Analysis) -> Drawing:
    """Draw accuracy against confidence, and how often each rating was given to either kind."""
    readers = _scored(analysis)
    readings = [analysis.readings[reader.reader] for reader in readers]
    named = len(readers) <= LEGEND_READERS
    rating = analysis.study.protocol.rules.design == "rating"

    def calibration(axes: "Axes") -> None:
        levels = np.arange(1, 6)
        axes.plot(levels, 0.5 + (levels - 1) / 8, color="#888888", lw=0.9, ls=(0, (4, 3)))
        by_level: dict[int, list[float]] = {}
        for number, reader in enumerate(readers):
            found = reader.scores.calibration if reader.scores else None
            if found is None:
                continue
            colour, marker = reader_style(number) if named else (FAINT, "o")
            steps = list(found.accuracy)
            heights = [found.accuracy[step].estimate for step in steps]
            for step, height in zip(steps, heights, strict=True):
                by_level.setdefault(step, []).append(height)
            label = reader.reader if named else None
            axes.plot(steps, heights, color=colour, marker=marker, ms=4, lw=0.9, label=label)
        if len(readers) >= LEAST_READERS:
            used = sorted(by_level)
            means = [np.mean(by_level[step]) for step in used]
            axes.plot(used, means, color=INK, lw=2.6, label="mean of readers")
        axes.set_xticks(levels, ["1\nguess", "2", "3", "4", "5\ncertain"])
        axes.set(xlabel="Confidence", ylabel="Share of right answers", ylim=(-0.03, 1.03))
        if named:
            axes.legend(loc="upper left", bbox_to_anchor=(0, -0.28), ncols=2)

    def ratings(axes: "Axes") -> None:
        slots = [value for value in range(-5, 6) if value]
        places = np.arange(len(slots))
        names = ("real", "generated") if rating else ("generated is left", "generated is right")
        for shift, (truth, name, colour) in zip(
            (-0.2, 0.2), ((False, names[0], REAL), (True, names[1], GENERATED)), strict=True
        ):
            heights = [
                sum(int(((r.ratings == slot) & (r.generated == truth)).sum()) for r in readings)
                for slot in slots
            ]
            axes.bar(places + shift, heights, 0.38, color=colour, label=name)
        axes.set_xticks(places, [f"{value:+d}".replace("-", "−") for value in slots])
        answers = ("real", "generated") if rating else ("left", "right")
        axes.set_xlabel(f"Rating: −5 certainly {answers[0]}, +5 certainly {answers[1]}")
        axes.set_ylabel("Answers of all readers")
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.28), ncols=2)

    def paint(figure: "Figure") -> None:
        axes = list(figure.subplots(1, 2))
        calibration(axes[0])
        ratings(axes[1])
        label_panels(axes, ["Accuracy by confidence", "Use of the rating scale"])

    return draw(paint, 3.3, halves=True)


def times_and_order(analysis: Analysis) -> Drawing:
    """Draw response times by outcome, and accuracy in the course of the reading."""
    readers = _scored(analysis)
    named = len(readers) <= LEGEND_READERS
    outcomes = OUTCOMES[analysis.study.protocol.rules.design]

    def times(axes: "Axes") -> None:
        for shift, outcome in zip((-0.27, -0.09, 0.09, 0.27), outcomes, strict=True):
            colour, filled = _OUTCOME_LOOK[outcome]
            label: str | None = outcomes[outcome]
            for place, reader in enumerate(readers):
                found = reader.scores.times if reader.scores else None
                of = None if found is None else found.of_outcome.get(outcome)
                if of is None:
                    continue
                x = place + shift
                quartiles = [of.lower_quartile_s, of.upper_quartile_s]
                axes.plot([x, x], quartiles, color=colour, lw=1.4, alpha=0.6)
                axes.plot(
                    x,
                    of.median_s,
                    marker="o",
                    ms=5,
                    ls="none",
                    color=colour,
                    mfc=colour if filled else "white",
                    label=label,
                )
                label = None
        axes.set_yscale("log")
        _plain_ticks(axes)
        _name_readers(axes, readers)
        axes.set_ylabel("Seconds until the answer")
        below = -0.28 if len(readers) > UPRIGHT_READERS else -0.12
        axes.legend(loc="upper left", bbox_to_anchor=(0, below), ncols=2)

    def order(axes: "Axes") -> None:
        axes.axhline(0.5, color="#888888", lw=0.9, ls=(0, (4, 3)))
        courses: list[NDArray[np.float64]] = []
        for number, reader in enumerate(readers):
            where, running = _running(analysis.readings[reader.reader])
            colour = reader_style(number)[0] if named else FAINT
            axes.plot(where, running, color=colour, lw=1, label=reader.reader if named else None)
            courses.append(running)
        longest = max(map(len, courses), default=0)
        whole = [course for course in courses if len(course) == longest]
        if len(whole) >= LEAST_READERS:
            where = _running(analysis.readings[readers[0].reader])[0]
            axes.plot(where, np.mean(whole, axis=0), color=INK, lw=2.6, label="mean of readers")
        axes.set(ylim=(-0.03, 1.03), xlabel="Case in the order of reading")
        axes.set_ylabel("Share of right answers, running")
        _count_in_whole_numbers(axes.xaxis)
        if named:
            axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=3)

    def paint(figure: "Figure") -> None:
        axes = list(figure.subplots(1, 2))
        times(axes[0])
        order(axes[1])
        label_panels(axes, ["Response times", "Learning and fatigue"])

    return draw(paint, 3.5, halves=True)


def case_spread(analysis: Analysis) -> Drawing:
    """Draw how many cases misled how many readers."""
    pairs = analysis.study.protocol.rules.design == "2afc"
    kinds = (("pair", "#555555"),) if pairs else (("generated", GENERATED), ("real", REAL))

    def paint(figure: "Figure") -> None:
        axes = figure.subplots()
        edges = np.linspace(0, 1, 6)
        places = np.arange(5)
        shifts = (0.0,) if pairs else (-0.2, 0.2)
        for shift, (truth, colour) in zip(shifts, kinds, strict=True):
            wrong = [1 - case.share_right for case in analysis.cases if case.truth == truth]
            heights = np.histogram(np.round(wrong, 9), edges)[0]
            label = "pairs" if pairs else f"{truth} volumes"
            width = 0.8 if pairs else 0.38
            bars = axes.bar(places + shift, heights, width, color=colour, label=label)
            axes.bar_label(bars, fontsize=7)
        axes.set_xticks(places, ["0–19 %", "20–39 %", "40–59 %", "60–79 %", "80–100 %"])
        axes.set_xlabel("Share of readers who were wrong")
        axes.set_ylabel("Pairs" if pairs else "Volumes")
        _count_in_whole_numbers(axes.yaxis)
        if not pairs:
            axes.legend(loc="best")

    return draw(paint, 2.5, 5.2)


def give_aways(
    marks: Sequence[Mark],
    reasons: Sequence[Reasons],
    projection: NDArray[np.float64],
    spacing_mm: tuple[float, float],
) -> Drawing:
    """Draw where readers marked something, and why.

    Parameters
    ----------
    marks : sequence of Mark
        At least one.
    reasons : sequence of Reasons
        Counts.
    projection : ndarray, shape (x, y)
        Mean axial projection of the volumes.
    spacing_mm : tuple of float
        Voxel size along (x, y).
    """

    def where(axes: "Axes") -> None:
        sx, sy = spacing_mm
        nx, ny = projection.shape
        x, y = np.arange(nx) * sx, np.arange(ny) * sy
        levels = np.quantile(projection, (0.6, 0.8, 0.93))
        if (np.diff(levels) > 0).all():
            axes.contour(x, y, projection.T, levels=levels, colors=FAINT, linewidths=0.6)
        for truth, colour, marker in (("real", REAL, "s"), ("generated", GENERATED, "o")):
            places = np.array([mark.voxel for mark in marks if mark.truth == truth])
            if len(places):
                axes.plot(
                    places[:, 1] * sx,
                    places[:, 2] * sy,
                    marker=marker,
                    color=colour,
                    ls="none",
                    ms=4,
                    alpha=0.5,
                    mec="none",
                    label=f"on {truth} volumes",
                )
        axes.set(aspect="equal", anchor="N")
        axes.set(xlim=(x[0] - sx, x[-1] + sx), ylim=(y[0] - sy, y[-1] + sy))
        axes.set_xlabel("right ← millimetres → left")
        axes.set_ylabel("posterior ← millimetres → anterior")
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=2)

    def why(axes: "Axes") -> None:
        places = np.arange(len(reasons))
        ours = [one.generated for one in reasons]
        theirs = [one.real for one in reasons]
        axes.barh(places - 0.2, ours, 0.38, color=GENERATED, label="generated")
        axes.barh(places + 0.2, theirs, 0.38, color=REAL, label="real")
        axes.set_yticks(places, [_wrapped(one_line(one.reason, 60)) for one in reasons])
        axes.set_ylim(max(len(reasons), FEWEST_REASONS) - 0.5, -0.5)
        _count_in_whole_numbers(axes.xaxis)
        axes.set_xlabel("Marks")
        axes.legend(loc="best")

    def paint(figure: "Figure") -> None:
        if not reasons:
            where(figure.subplots())
            return
        axes = list(figure.subplots(1, 2))
        where(axes[0])
        why(axes[1])
        label_panels(axes, ["Places, seen from below", "Reasons"])

    return draw(paint, 3.4, halves=True) if reasons else draw(paint, 3.4, 4.0)


def impressions(qualities: dict[str, list[int]]) -> Drawing:
    """Draw the quality of either kind of volume before the purpose was explained.

    Parameters
    ----------
    qualities : dict of str to list of int
        Levels, 1 to 5, of all readers, by truth.
    """

    def paint(figure: "Figure") -> None:
        axes = figure.subplots()
        places = np.arange(1, 6)
        for shift, truth, colour in ((-0.2, "real", REAL), (0.2, "generated", GENERATED)):
            levels = qualities.get(truth, [])
            share = [100 * levels.count(int(p)) / max(len(levels), 1) for p in places]
            label = f"{truth} (n = {len(levels)})"
            axes.bar(places + shift, share, 0.38, color=colour, label=label)
        axes.set_xticks(places, ["1\npoor", "2", "3", "4", "5\nexcellent"])
        axes.set(xlabel="Quality", ylabel="Per cent of judgements")
        axes.legend(loc="best")

    return draw(paint, 2.5, 5.2)


def _scored(analysis: Analysis) -> list[ReaderResult]:
    return [reader for reader in analysis.readers if reader.scores is not None]


def _whisker(axes: "Axes", found: Interval | None, height: float, complete: bool) -> None:
    if found is None:
        return
    axes.plot([found.low, found.high], [height, height], color=INK, lw=1.1, solid_capstyle="butt")
    face = INK if complete else "white"
    axes.plot(found.estimate, height, marker="o", ms=5, color=INK, mfc=face, ls="none")


def _diamond(axes: "Axes", wide: Interval, narrow: Interval) -> None:
    axes.plot([wide.low, wide.high], [0, 0], color=INK, lw=1.2, solid_capstyle="butt")
    axes.plot([narrow.low, narrow.high], [0, 0], color=INK, lw=3.2, solid_capstyle="butt")
    axes.plot(wide.estimate, 0, marker="D", ms=7, color=INK, mec="white", ls="none")


def _running(reading: ReaderAnswers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the middle of each window of trials, and the share of right answers in it."""
    n = len(reading.correct)
    window = max(1, min(20, n // 2))
    kernel = np.full(window, 1 / window)
    running = np.convolve(reading.correct.astype(np.float64), kernel, mode="valid")
    return np.arange(len(running), dtype=np.float64) + (window + 1) / 2, running


def _name_readers(axes: "Axes", readers: Sequence[ReaderResult]) -> None:
    names = [reader.reader for reader in readers]
    tilted = len(names) > UPRIGHT_READERS
    axes.set_xticks(range(len(names)), names, rotation=90 if tilted else 0)


def _count_in_whole_numbers(axis: "Axis") -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", integer=True))


def _plain_ticks(axes: "Axes") -> None:
    """Write seconds of a logarithmic axis as plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    def plain(value: float, _: Any) -> str:
        return f"{value:g}"

    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(plain))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))


def _wrapped(text: str) -> str:
    from textwrap import fill

    return fill(text, 22)
