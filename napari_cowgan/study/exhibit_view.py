"""Figures of the blinding audit."""

# pyqtgraph is not typed.
# mypy: disable-error-code="import-untyped"

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPixmap, QResizeEvent
from qtpy.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from cowgan.randomness import stream
from cowgan.turing.blinding.figure_data import Example, FeatureValues, FigureData, Histograms
from cowgan.turing.design.truth_key import Truth
from cowgan.turing.study.study import Study
from napari_cowgan.study.tasks import figure_data_of
from napari_cowgan.widgets.controls import hint, pixmap_of
from napari_cowgan.widgets.fields import Choice
from napari_cowgan.widgets.guards import WheelGuard
from napari_cowgan.widgets.jobs import JobBar
from napari_cowgan.widgets.plots import LABEL_SIZE, Plot
from napari_cowgan.widgets.problems import sentence

if TYPE_CHECKING:
    import napari

_VIEWS = (
    ("Projections", "mip"),
    ("Middle slices", "slice"),
    ("Grey levels", "histograms"),
    ("Most separable features", "features"),
)
_TITLES: dict[Truth, str] = {"real": "Real", "generated": "Generated"}
_LEAST_WIDTH, _GAP = 40, 4
_FAINT, _DOT = 45, 5
_JITTER, _HALF_ROW = 0.09, 0.16
_BY_LOT = "Random examples, at the initial contrast of the reading window."
_EXPLAINED = {
    "mip": _BY_LOT,
    "slice": _BY_LOT,
    "histograms": "Medians of all volumes, with bands from the 10th to the 90th percentile; the "
    "darkest and brightest levels are omitted.",
    "features": "Upper dots are real volumes, lower ones generated. B: grey levels, C: texture; "
    "an AUC of 0.5 means no difference.",
}
_PLOT_HEIGHT, _FEATURE_HEIGHT, _AXIS_HEIGHT = 230, 44, 40


class ExhibitView(QWidget):
    """Example volumes, histograms, and the features that separate the kinds best.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer whose theme the plots follow.
    """

    def __init__(self, viewer: "napari.Viewer") -> None:
        super().__init__()
        self._viewer = viewer
        self._study: Study | None = None
        self.figure_data: FigureData | None = None
        self.choice = Choice("study/exhibit", _VIEWS, "Figure to show")
        self.job = JobBar()
        self.caption = hint("")
        self.gallery = ExampleImages()
        self.histograms = Plot("Grey levels of real and generated volumes")
        self.histograms.setFixedHeight(_PLOT_HEIGHT)
        self.histograms.addLegend(offset=(-6, 4), labelTextSize=LABEL_SIZE)
        self.features = Plot("Most separable features")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.choice)
        layout.addWidget(self.job)
        for page in (self.gallery, self.histograms, self.features):
            layout.addWidget(page)
        layout.addWidget(self.caption)
        WheelGuard(self.choice, self.histograms.viewport(), self.features.viewport())
        for plot in (self.histograms, self.features):
            plot.setMouseEnabled(x=False, y=False)
        self.choice.currentIndexChanged.connect(self._draw)
        viewer.events.theme.connect(self._draw)
        self._draw()

    def show_study(self, study: Study) -> None:
        """Show the volumes of a study, which are read in the background."""
        if (
            self._study is not None
            and self._study.description["packages"] == (study.description["packages"])
        ):
            return
        self._study, self.figure_data = study, None
        self._draw()
        self.job.run("Volume", partial(figure_data_of, study), self._use, self._fail, self._on_stop)

    def end(self) -> None:
        """Stop reading; touches no widget, so it may be called after Qt deleted them."""
        self.job.end()

    def _use(self, found: FigureData) -> None:
        self.figure_data = found
        self._draw()

    def _fail(self, error: BaseException) -> None:
        self._study = None
        self.caption.setText(sentence(error))

    def _on_stop(self) -> None:
        self._study = None

    def _draw(self) -> None:
        shown, found = self.choice.chosen, self.figure_data
        theme = self._viewer.theme
        for page, kinds in (
            (self.gallery, ("mip", "slice")),
            (self.histograms, ("histograms",)),
            (self.features, ("features",)),
        ):
            page.setVisible(found is not None and shown in kinds)
        self.caption.setText("" if found is None else _EXPLAINED[shown])
        if found is None:
            return
        if shown == "histograms":
            _draw_histograms(self.histograms, theme, found.histograms)
        elif shown == "features":
            self.features.setFixedHeight(_FEATURE_HEIGHT * len(found.features) + _AXIS_HEIGHT)
            _draw_features(self.features, theme, found.features)
        else:
            self.gallery.show_examples(found.examples, shown)


class ExampleImages(QWidget):
    """Real volumes beside generated ones, in the width of the panel."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP)
        self.pictures: list[tuple[QLabel, QPixmap]] = []

    def show_examples(self, examples: Sequence[Example], kind: str) -> None:
        """Show one picture of each volume."""
        while self._grid.count():
            self._grid.takeAt(0).widget().deleteLater()
        self.pictures.clear()
        for column, truth in enumerate(_TITLES):
            title = _TITLES[truth]
            self._grid.addWidget(hint(title), 0, column)
            own = [example for example in examples if example.truth == truth]
            for line, example in enumerate(own, 1):
                label = QLabel()
                label.setAccessibleName(f"{title} volume {example.case}")
                label.setToolTip(f"{title} volume, {example.case} in the key")
                label.setMinimumWidth(_LEAST_WIDTH)
                self._grid.addWidget(label, line, column)
                picture = example.mip if kind == "mip" else example.slice
                self.pictures.append((label, pixmap_of(picture)))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Scale the pictures to the width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        width = max((self.width() - _GAP) // len(_TITLES), _LEAST_WIDTH)
        for label, pixmap in self.pictures:
            label.setPixmap(pixmap.scaledToWidth(width, Qt.TransformationMode.SmoothTransformation))


def _draw_histograms(plot: Plot, theme: str, histograms: Histograms) -> None:
    plot.clear()
    colours = plot.apply_theme(theme, "Grey level, black to white", "Share of voxels")
    # The many voxels at both ends would flatten the rest of the curves.
    inner = slice(1, -1)
    levels = histograms.levels[inner]
    for name, shares, colour in (
        ("Real", histograms.real, colours[0]),
        ("Generated", histograms.generated, colours[1]),
    ):
        low, median, high = np.percentile(shares[:, inner], (10, 50, 90), axis=0)
        faint = QColor(colour)
        faint.setAlpha(_FAINT)
        bounds = [pyqtgraph.PlotDataItem(levels, curve, pen=None) for curve in (low, high)]
        plot.addItem(pyqtgraph.FillBetweenItem(*bounds, brush=faint))
        plot.plot(levels, median, pen=pyqtgraph.mkPen(colour, width=2), name=name)
    plot.autoRange()


def _draw_features(plot: Plot, theme: str, features: Sequence[FeatureValues]) -> None:
    plot.clear()
    colours = plot.apply_theme(theme, "Standard deviations from the mean of all volumes", "")
    plot.hideAxis("left")
    plot.showGrid(x=True, y=False, alpha=0.15)
    text = plot.getAxis("bottom").textPen().color()
    random = stream("study panel/jitter", 0)
    for place, feature in enumerate(features):
        height = -float(place)
        together = np.concatenate([feature.real, feature.generated])
        centre, spread = together.mean(), together.std() or 1.0
        for values, colour, side in (
            (feature.real, colours[0], _HALF_ROW),
            (feature.generated, colours[1], -_HALF_ROW),
        ):
            _scatter(plot, (values - centre) / spread, height - 0.12 + side, colour, random)
        tier = "B" if feature.tier == "grey" else "C"
        p = "" if feature.p is None else f", p {feature.p:.3f}"
        label = pyqtgraph.TextItem(
            f"{tier}  {feature.feature}: AUC {feature.auc:.2f}{p}", color=text, anchor=(0, 0.5)
        )
        font = label.textItem.font()
        font.setPointSizeF(8.5)
        label.setFont(font)
        label.setPos(-3.4, height + 0.33)
        plot.addItem(label)
    plot.setXRange(-3.4, 3.4, padding=0)
    plot.setYRange(-len(features) + 0.4, 0.6, padding=0)


def _scatter(
    plot: Plot,
    values: NDArray[np.float64],
    height: float,
    colour: QColor,
    random: np.random.RandomState,
) -> None:
    faint = QColor(colour)
    faint.setAlpha(150)
    heights = height + random.uniform(-_JITTER, _JITTER, len(values))
    plot.plot(
        np.clip(values, -3.3, 3.3),
        heights,
        pen=None,
        symbol="o",
        symbolSize=_DOT,
        symbolBrush=faint,
        symbolPen=None,
    )
