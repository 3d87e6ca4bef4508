"""Figures of what is measured of vessels in sets of volumes."""

from typing import TYPE_CHECKING

from cowgan.evaluation.vessels import COLUMNS, Column, values_of
from cowgan.features.store import FeatureBank
from cowgan.report.blocks import Figure
from cowgan.report.drawing import GENERATED, INK, REAL, draw
from cowgan.report.numbers import listed
from cowgan.text import within_sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_IN_A_ROW = 3
_ROW_IN, _LEGEND_IN = 1.3, 0.3

DrawnSet = tuple[str, FeatureBank, str, str]
"""Title, features, colour and line style."""


def vessel_figures(
    generated: FeatureBank, real: FeatureBank, holdout: FeatureBank | None = None
) -> list[Figure]:
    """Draw the distribution of each quantity, one figure for each group of them.

    Parameters
    ----------
    generated, real, holdout : FeatureBank
        Features of `VesselFeatures`; with a holdout, the real volumes are those trained on.

    Raises
    ------
    CowganError
        See `cowgan.report.drawing.require_libraries`.
    """
    sets = drawn_sets(generated, real, holdout)
    groups = dict.fromkeys(column.group for column in COLUMNS)
    return [
        _figure(group, [column for column in COLUMNS if column.group == group], sets)
        for group in groups
    ]


def drawn_sets(
    generated: FeatureBank, real: FeatureBank, holdout: FeatureBank | None = None
) -> list[DrawnSet]:
    """Return how the sets of an evaluation are named and drawn in all its figures."""
    sets: list[DrawnSet] = [("generated", generated, GENERATED, "-")]
    if holdout is None:
        return [*sets, ("real", real, REAL, "-")]
    return [*sets, ("trained on", real, REAL, "-"), ("held out", holdout, INK, "--")]


def _figure(group: str, columns: list[Column], sets: list[DrawnSet]) -> Figure:
    rows = -(-len(columns) // _IN_A_ROW)

    def paint(canvas: "Canvas") -> None:
        grid = canvas.subplots(rows, _IN_A_ROW, sharey=True)
        axes = list(grid.flat)
        for one, column in zip(axes, columns, strict=False):
            _draw_column(one, column, sets)
        for spare in axes[len(columns) :]:
            spare.set_visible(False)
        for first in grid[:, 0]:
            first.set_ylabel("volumes, %")
        handles, labels = axes[0].get_legend_handles_labels()
        canvas.legend(handles, labels, loc="outside upper left", ncols=len(sets))

    names = listed([within_sentence(column.title) for column in columns])
    return Figure(
        draw(paint, rows * _ROW_IN + _LEGEND_IN),
        caption=f"{group}: the share of volumes up to each value. The area between two curves is "
        "their Wasserstein distance.",
        alt=f"Cumulative distributions of {names}",
    )


def _draw_column(axes: "Axes", column: Column, sets: list[DrawnSet]) -> None:
    """Draw the cumulative distribution of a quantity, in which each subject counts the same."""
    axes.set_title(f"{column.title}, {column.unit}" if column.unit else column.title)
    axes.set_ylim(-0.03, 1.03)
    axes.set_yticks((0, 0.5, 1), ("0", "50", "100"))
    counted = True
    for title, bank, colour, style in sets:
        group = values_of(bank, column)
        if len(group.values):
            axes.ecdf(
                group.values,
                group.weights(),
                label=f"{title} (n = {len(bank)})",
                color=colour,
                ls=style,
            )
        counted &= bool((group.values % 1 == 0).all())
    axes.locator_params(axis="x", integer=counted, nbins=5)
