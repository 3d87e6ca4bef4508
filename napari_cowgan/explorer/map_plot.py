"""A plot of a model's volumes, in which a click, a drag or an arrow key leads to one of them."""

# pyqtgraph is not typed.
# mypy: disable-error-code="import-untyped"

from collections.abc import Callable
from itertools import count

import numpy as np
import pyqtgraph
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from napari_cowgan.widgets.controls import row
from napari_cowgan.widgets.plots import Plot

_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}
_POINT, _ANATOMY, _HOVERED, _CROSS = 5, 7, 10, 22
_MARGIN = 0.05
_HEIGHT = 300
# Shares of the colour map that stand out from the background.
_LEGIBLE = {"dark": (0.25, 1.0), "light": (0.0, 0.85)}
_MISSING = QColor(128, 128, 128)
_LEVELS = 64
_gestures = count()


class MapPlot(Plot):
    """Points with colours, and a cross.

    Signals
    -------
    pointed : float, float, object
        A place that was clicked or dragged to; the same object during one drag.
    stepped : tuple of int, object
        An arrow key was pressed, see `cowgan.latent.latent_map.LatentMap.next_along`; the same
        object while it is held.
    """

    pointed = Signal(float, float, object)
    stepped = Signal(tuple, object)

    def __init__(self, name: str, describe: Callable[[int], str]) -> None:
        super().__init__(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedHeight(_HEIGHT)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self._gesture: int | None = None
        self._held = next(_gestures)
        self._places = np.empty((0, 2))
        self._points = pyqtgraph.ScatterPlotItem(
            size=_POINT,
            pen=None,
            hoverable=True,
            hoverSize=_HOVERED,
            tip=lambda x, y, data: describe(data),
        )
        self._cross = pyqtgraph.ScatterPlotItem(symbol="crosshair", size=_CROSS, brush=None)
        # The cross must not hide a point from the mouse.
        self._cross.setZValue(1)
        self._cross.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.addItem(self._points)
        self.addItem(self._cross)

    @property
    def scale(self) -> tuple[float, float]:
        """Lengths along the axes of one pixel."""
        width, height = self.getViewBox().viewPixelSize()
        return width, height

    @property
    def cross(self) -> tuple[float, float] | None:
        """The place of the cross; None if there is none."""
        x, y = self._cross.getData()
        return (float(x[0]), float(y[0])) if len(x) else None

    def position_of(self, place: tuple[float, float]) -> QPointF:
        """Return where in the widget a place is drawn."""
        scene = self.getViewBox().mapViewToScene(QPointF(*place))
        return QPointF(self.mapFromScene(scene))

    def show_points(
        self, places: NDArray[np.float64], colours: list[QColor], anatomies: int = 0
    ) -> None:
        """Show points at places (n, 2), without those at NaN, and the axes around all of them.

        Parameters
        ----------
        places : ndarray, shape (n, 2)
            Where they are.
        colours : list of QColor
            Of each.
        anatomies : int
            How many of them, at the end, are real anatomies, which are larger and framed.
        """
        known = np.flatnonzero(np.isfinite(places).all(axis=1))
        real = known >= len(places) - anatomies
        frame = pyqtgraph.mkPen(self.getAxis("left").textPen().color(), width=1)
        self._points.setData(
            pos=places[known],
            brush=[pyqtgraph.mkBrush(colours[i]) for i in known],
            symbol=["d" if one else "o" for one in real],
            size=np.where(real, _ANATOMY, _POINT),
            pen=[frame if one else pyqtgraph.mkPen(None) for one in real],
            data=known,
        )
        self._places = places[known]
        self.show_all()

    def show_all(self) -> None:
        """Zoom to all points."""
        if len(self._places):
            # At once, unlike an automatic range, which waits until the plot is drawn.
            low, high = self._places.min(0), self._places.max(0)
            self.setRange(xRange=(low[0], high[0]), yRange=(low[1], high[1]), padding=_MARGIN)

    def show_cross(self, place: tuple[float, float] | None, colour: QColor) -> None:
        """Move the cross; None removes it."""
        if place is None or not np.isfinite(place).all():
            self._cross.setData([], [])
        else:
            self._cross.setData([place[0]], [place[1]], pen=pyqtgraph.mkPen(colour, width=2))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a gesture with the left button; the others pan and zoom."""
        if event.button() != Qt.MouseButton.LeftButton or not self._inside(event):
            super().mousePressEvent(event)
            return
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._gesture = next(_gestures)
        self._point(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with a gesture."""
        if self._gesture is None:
            super().mouseMoveEvent(event)
        else:
            self._point(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a gesture."""
        if self._gesture is None or event.button() != Qt.MouseButton.LeftButton:
            super().mouseReleaseEvent(event)
        self._gesture = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Treat the second click like the first."""
        self.mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step with the arrow keys, and show all points with Home."""
        step = _STEPS.get(Qt.Key(event.key()))
        if event.key() == Qt.Key.Key_Home:
            self.show_all()
        elif step is None:
            super().keyPressEvent(event)
        else:
            if not event.isAutoRepeat():
                self._held = next(_gestures)
            self.stepped.emit(step, self._held)

    def _inside(self, event: QMouseEvent) -> bool:
        scene = self.mapToScene(event.position().toPoint())
        return bool(self.getViewBox().sceneBoundingRect().contains(scene))

    def _point(self, event: QMouseEvent) -> None:
        scene = self.mapToScene(event.position().toPoint())
        place = self.getViewBox().mapSceneToView(scene)
        self.pointed.emit(place.x(), place.y(), self._gesture)


def colours_of(values: NDArray[np.float64], dark: bool) -> list[QColor]:
    """Return a colour for each value, grey for NaN; `scale_colours` shows which are low."""
    known = values[np.isfinite(values)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    shares = (values - low) / ((high - low) or 1.0)
    scale = scale_colours(dark)
    return [
        scale[round(share * (_LEVELS - 1))] if np.isfinite(share) else _MISSING for share in shares
    ]


def scale_colours(dark: bool) -> list[QColor]:
    """Return the colours from the lowest to the highest value, legible on the background."""
    lut = pyqtgraph.colormap.get("viridis").map(
        np.linspace(*_LEGIBLE["dark" if dark else "light"], _LEVELS)
    )
    return [QColor(*(int(part) for part in colour[:3])) for colour in lut]


class ColourBar(QWidget):
    """The colours of a scale, with the values at its ends."""

    def __init__(self) -> None:
        super().__init__()
        self.low, self.high, self._band = QLabel(), QLabel(), _Band()
        layout = row(self.low, self._band, self.high)
        layout.setStretch(1, 1)
        self.setLayout(layout)

    def show_scale(self, colours: list[QColor], low: str, high: str) -> None:
        """Show colours from low to high, and what these are."""
        self.low.setText(low)
        self.high.setText(high)
        self._band.colours = colours
        self._band.update()


class _Band(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.colours: list[QColor] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(60, 10)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        edges = np.linspace(0, self.width(), len(self.colours) + 1).round().astype(int)
        for colour, left, right in zip(self.colours, edges, edges[1:], strict=False):
            painter.fillRect(int(left), 0, int(right - left), self.height(), colour)
