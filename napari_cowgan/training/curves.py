"""Curves of a run's log, in the colours of the theme."""

# pyqtgraph is not typed.
# mypy: disable-error-code="import-untyped"

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph
from numpy.typing import NDArray
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QCheckBox, QLabel, QSizePolicy, QVBoxLayout, QWidget
from scipy.signal import lfilter

from cowgan.evaluation.measures import MEASURES, Measure
from napari_cowgan.widgets.controls import hint, row
from napari_cowgan.widgets.fields import Choice
from napari_cowgan.widgets.guards import WheelGuard
from napari_cowgan.widgets.plots import LABEL_SIZE, Plot
from napari_cowgan.widgets.remembered import recall_flag, recall_text, remember
from napari_cowgan.widgets.sliders import Slider

if TYPE_CHECKING:
    import napari

_FAINT = 70
_MOST_DRAWN = 400


@dataclass(frozen=True)
class _Curve:
    """One column of the log."""

    column: str
    name: str


@dataclass(frozen=True)
class _Chart:
    """Curves that share an axis."""

    title: str
    unit: str
    curves: Sequence[_Curve]
    rising: bool = False
    """Whether curves end high, so that the legend is placed below them."""


def _held_out(measure: Measure) -> _Chart:
    """Return the chart of a measure of `HoldoutMetrics` in `cowgan.training`."""
    key, unit = measure.key, measure.title.split(" (")[0]
    curves = _Curve(key, "Generated"), _Curve(f"{key}_of_reals", "Trained on")
    return _Chart(f"{unit} (held-out)", unit, curves, rising=measure.reading != "low")


_CHARTS = {
    "losses": _Chart(
        "Losses",
        "Loss",
        (_Curve("discriminator", "Discriminator"), _Curve("generator", "Generator")),
    ),
    "terms": _Chart(
        "Other loss terms",
        "Loss term",
        (
            _Curve("penalty", "Slope penalty"),
            _Curve("path", "Path length"),
        ),
    ),
    "anatomy": _Chart(
        "Anatomy",
        "Error",
        (
            _Curve("anchor", "Of generated arteries"),
            _Curve("paired", "Of reconstructed volumes"),
        ),
    ),
    **{measure.key: _held_out(measure) for measure in MEASURES},
    "balance": _Chart(
        "Balance",
        "Share",
        (_Curve("judged_real", "Reals judged real"), _Curve("augment", "Augmentation")),
    ),
    "speed": _Chart("Speed", "Images per second", (_Curve("images_per_s", "Images per second"),)),
}


class Curves(QWidget):
    """Draws the log of a run as it grows.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer whose theme is followed.
    """

    def __init__(self, viewer: "napari.Viewer") -> None:
        super().__init__()
        self._viewer = viewer
        self._columns: dict[str, NDArray[np.float64]] = {}
        self._lines: dict[_Curve, tuple[pyqtgraph.PlotDataItem, pyqtgraph.PlotDataItem]] = {}
        self.chart = Choice(
            "training/chart", [(c.title, key) for key, c in _CHARTS.items()], "What is drawn"
        )
        self.logarithmic = QCheckBox("Logarithmic")
        self.logarithmic.setToolTip("Draw the vertical axis as a logarithm")
        self.logarithmic.setChecked(recall_flag("training/logarithmic", False))
        self.smoothing = Slider(
            0,
            0.99,
            0.6,
            "How much each point is averaged with those before it; the faint line is not",
        )
        self.smoothing.setValue(float(recall_text("training/smoothing", "0.6")))
        self.plot = Plot("Curves of the run")
        self.plot.setMinimumHeight(190)
        self.plot.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.legend = self.plot.addLegend(labelTextSize=LABEL_SIZE)
        self.omitted = hint("")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        head = row(self.chart, self.logarithmic)
        head.setStretch(0, 1)
        layout.addLayout(head)
        layout.addWidget(self.plot, 1)
        layout.addLayout(row(QLabel("Smoothing"), self.smoothing))
        layout.addWidget(self.omitted)
        WheelGuard(self.chart)
        self.chart.currentIndexChanged.connect(self.redraw)
        self.logarithmic.toggled.connect(self._on_logarithmic)
        self.smoothing.moved.connect(self._on_smoothing)
        viewer.events.theme.connect(self.redraw)
        self.redraw()

    @property
    def last_step(self) -> int:
        """The newest step in the curves; 0 if there is none."""
        return int(max((points[0, -1] for points in self._columns.values()), default=0))

    def clear(self) -> None:
        """Remove all points."""
        self._columns.clear()
        self._draw()

    def add(self, rows: Sequence[dict[str, float]], restarted: bool = False) -> None:
        """Add rows of the log, after removing earlier ones if the log was restarted."""
        if restarted:
            self._columns.clear()
        for column in {name for numbers in rows for name in numbers}:
            pairs = [(numbers["step"], numbers[column]) for numbers in rows if column in numbers]
            new = np.array([pair for pair in pairs if np.isfinite(pair[1])], float).reshape(-1, 2).T
            before = self._columns.get(column, np.empty((2, 0)))
            if before.size + new.size:
                self._columns[column] = np.hstack([before, new])
        if rows or restarted:
            self._draw()

    def redraw(self) -> None:
        """Draw the chosen chart in the colours of the theme."""
        chart, plot = _CHARTS[self.chart.chosen], self.plot
        plot.setLogMode(y=self.logarithmic.isChecked())
        colours = plot.apply_theme(self._viewer.theme, "Step", chart.unit)
        self.legend.setOffset((-6, -4) if chart.rising else (-6, 4))
        plot.clear()
        self._lines.clear()
        for curve, colour in zip(chart.curves, colours, strict=False):
            faint = QColor(colour)
            faint.setAlpha(_FAINT)
            self._lines[curve] = (
                plot.plot(pen=faint),
                plot.plot(pen=pyqtgraph.mkPen(colour, width=2), name=curve.name),
            )
        self._draw()

    def _draw(self) -> None:
        logarithmic, amount = self.logarithmic.isChecked(), self.smoothing.value()
        omitted = []
        for curve, (raw, line) in self._lines.items():
            steps, values = self._columns.get(curve.column, np.empty((2, 0)))
            if logarithmic and (values <= 0).any():
                omitted.append(curve.name.lower())
            raw.setVisible(amount > 0)
            for item, drawn in ((raw, values), (line, smoothed(values, amount))):
                item.setData(*thinned(steps, _drawable(drawn, logarithmic)))
        self.omitted.setText(
            f"Not drawn, because logarithms need values above 0: parts of {' and '.join(omitted)}."
        )
        self.omitted.setVisible(bool(omitted))

    def _on_logarithmic(self, wanted: bool) -> None:
        remember("training/logarithmic", wanted)
        self.redraw()

    def _on_smoothing(self, amount: float) -> None:
        remember("training/smoothing", amount)
        self._draw()


def smoothed(values: NDArray[np.float64], amount: float) -> NDArray[np.float64]:
    """Return a running average in which each value has `amount` times the weight of the next."""
    numbers = np.ones_like(values)
    sums, weights = (lfilter([1.0], [1.0, -amount], of) for of in (values, numbers))
    return np.asarray(sums / weights)


def thinned(
    steps: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the largest of every few values, which look the same when drawn."""
    every = len(values) // _MOST_DRAWN
    if every < 2:
        return steps, values
    whole = len(values) // every * every
    bins = np.nan_to_num(values[:whole], nan=np.inf).reshape(-1, every)
    least = bins.argmin(1)
    largest = np.where(np.isinf(bins), -np.inf, bins).argmax(1)
    ends = np.sort(np.stack([least, largest], 1), 1)
    inside = (ends + np.arange(0, whole, every)[:, None]).ravel()
    kept = np.concatenate([inside, np.arange(whole, len(steps))])
    return steps[kept], values[kept]


def _drawable(values: NDArray[np.float64], logarithmic: bool) -> NDArray[np.float64]:
    return np.where(values > 0, values, np.nan) if logarithmic else values
