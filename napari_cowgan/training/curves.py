"""Curves of a run's log, in the colours of the theme."""

# pyqtgraph is not typed.
# mypy: disable-error-code="import-untyped"

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph
from numpy.typing import NDArray
from qtpy.QtGui import QColor, qGray
from qtpy.QtWidgets import QCheckBox, QLabel, QSizePolicy, QVBoxLayout, QWidget
from scipy.signal import lfilter

from napari_cowgan.training.charts import CHARTS, Chart, Curve
from napari_cowgan.training.runs import RunKind
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
_FEW = 2
"""Points of which a line shows too little, so that they are drawn as well."""
_FEW_NAMES = 4
_COLUMNS = 2
_LIGHT = 170
_DARKER = 135
_KEYS: dict[RunKind, str] = {
    "generator": "training/chart",
    "segmentation": "training/segmentation_chart",
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
        self._lines: dict[Curve, tuple[pyqtgraph.PlotDataItem, pyqtgraph.PlotDataItem]] = {}
        self._kind: RunKind = "generator"
        self._charts = {
            kind: Choice(
                _KEYS[kind], [(c.title, key) for key, c in of_kind.items()], "What is drawn"
            )
            for kind, of_kind in CHARTS.items()
        }
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
        head = row(*self._charts.values(), self.logarithmic)
        for place, chart in enumerate(self._charts.values()):
            head.setStretch(place, 1)
            chart.currentIndexChanged.connect(self.redraw)
        layout.addLayout(head)
        layout.addWidget(self.plot, 1)
        layout.addLayout(row(QLabel("Smoothing"), self.smoothing))
        layout.addWidget(self.omitted)
        WheelGuard(*self._charts.values())
        self.logarithmic.toggled.connect(self._on_logarithmic)
        self.smoothing.moved.connect(self._on_smoothing)
        viewer.events.theme.connect(self.redraw)
        self.begin(self._kind)

    @property
    def chart(self) -> Choice:
        """The choice of what is drawn of the run."""
        return self._charts[self._kind]

    @property
    def last_step(self) -> int:
        """The newest step in the curves; 0 if there is none."""
        return int(max((points[0, -1] for points in self._columns.values()), default=0))

    def begin(self, kind: RunKind) -> None:
        """Remove all points, to draw those of another run."""
        self._columns.clear()
        self._kind = kind
        for own, chart in self._charts.items():
            chart.setVisible(own == kind)
        self.redraw()

    def add(self, rows: Sequence[dict[str, float]], restarted: bool = False) -> None:
        """Add rows of the log, after removing earlier ones if the log was restarted."""
        known = set(self._columns)
        if restarted:
            self._columns.clear()
        for column in {name for numbers in rows for name in numbers}:
            pairs = [(numbers["step"], numbers[column]) for numbers in rows if column in numbers]
            new = np.array([pair for pair in pairs if np.isfinite(pair[1])], float).reshape(-1, 2).T
            before = self._columns.get(column, np.empty((2, 0)))
            if before.size + new.size:
                self._columns[column] = np.hstack([before, new])
        if set(self._columns) != known:
            self.redraw()
        elif rows or restarted:
            self._draw()

    def redraw(self) -> None:
        """Draw the chosen chart in the colours of the theme."""
        chart, plot = self._chosen, self.plot
        plot.setLogMode(y=self.logarithmic.isChecked())
        colours = plot.apply_theme(self._viewer.theme, "Step", chart.unit)
        self.legend.setOffset((-6, -4) if chart.rising else (-6, 4))
        plot.clear()
        self._lines.clear()
        measured = [curve for curve in chart.curves if curve.column in self._columns]
        self.legend.setColumnCount(1 if len(measured) <= _FEW_NAMES else _COLUMNS)
        for curve, usual in zip(measured, cycle(colours), strict=False):
            colour = usual if curve.colour is None else self._legible(QColor(curve.colour))
            faint = QColor(colour)
            faint.setAlpha(_FAINT)
            self._lines[curve] = (
                plot.plot(pen=faint),
                plot.plot(
                    pen=pyqtgraph.mkPen(colour, width=2),
                    symbolBrush=colour,
                    symbolPen=None,
                    symbolSize=6,
                    name=curve.name,
                ),
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
            line.setSymbol("o" if len(values) <= _FEW else None)
            for item, drawn in ((raw, values), (line, smoothed(values, amount))):
                item.setData(*thinned(steps, _drawable(drawn, logarithmic)))
        self.omitted.setText(
            f"Not drawn, because logarithms need values above 0: parts of {' and '.join(omitted)}."
        )
        self.omitted.setVisible(bool(omitted))

    @property
    def _chosen(self) -> Chart:
        return CHARTS[self._kind][self.chart.chosen]

    def _legible(self, colour: QColor) -> QColor:
        """Return the colour of an artery, darker where the background is light."""
        background = self.plot.backgroundBrush().color()
        both_light = min(qGray(one.rgb()) for one in (colour, background)) > _LIGHT
        return colour.darker(_DARKER) if both_light else colour

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
