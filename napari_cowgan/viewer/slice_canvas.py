"""A canvas that shows slices of one orientation, with a cross-hair."""

from collections.abc import Generator
from typing import Any

from napari.components import ViewerModel
from napari.components.overlays import TextOverlay
from napari.qt import QtViewer
from qtpy.QtCore import QEvent, QObject, QPoint, QPointF, Qt, QTimer, Signal
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QStackedLayout, QWidget

from cowgan.volume import Plane
from napari_cowgan.viewer.camera import show_slices
from napari_cowgan.viewer.orientation_letters import show_orientation

_SLICED = {"axial": 0, "coronal": 1, "sagittal": 2}
_CROSS_HAIR = QColor(255, 210, 60, 190)
_GAP_PX = 10
_ZOOM_PER_NOTCH = 1.2


class SliceCanvas(QWidget):
    """A canvas with slices of one orientation, letters, a title and a cross-hair.

    Signals
    -------
    pointed : tuple of float
        The user chose a point, in world coordinates (mm).
    """

    pointed = Signal(object)

    def __init__(self, view: Plane) -> None:
        super().__init__()
        self._view = view
        self.model = ViewerModel()
        self._title = TextOverlay(position="top_left", visible=True)
        self.model.canvas.overlays["cowgan_plane"] = self._title
        show_orientation(self.model)
        self.model.scene.camera.mouse_pan = False
        self.model.scene.camera.mouse_zoom = False
        self.model.mouse_drag_callbacks.append(self._on_drag)
        self.model.mouse_wheel_callbacks.append(self._on_wheel)
        canvas = QtViewer(self.model)
        canvas.setAcceptDrops(False)
        canvas.dims.hide()
        self.cross_hair = CrossHair(self, self.model, canvas.canvas.native)
        layout = QStackedLayout(self)
        layout.setStackingMode(QStackedLayout.StackingMode.StackAll)
        layout.addWidget(canvas)
        layout.addWidget(self.cross_hair)
        layout.setCurrentWidget(self.cross_hair)
        canvas.installEventFilter(self)

    @property
    def canvas(self) -> QtViewer:
        """The canvas; only Qt holds a reference, so that it is deleted with the window."""
        return self.findChild(QtViewer)

    def move_to(self, point: tuple[float, float, float]) -> None:
        """Show the slice through a point, with the cross-hair there; do nothing while empty."""
        if not self.model.layers:
            return
        self.model.dims.set_point((0, 1, 2), point)
        axis = _SLICED[self._view]
        # Not from napari's steps: it counts 127 of 128 slices of 0.61875 mm.
        top = self.model.layers[-1]
        slice_number = round(top.world_to_data(point)[axis]) + 1
        self._title.text = f"{self._view.capitalize()} {slice_number} of {top.data.shape[axis]}"
        self.cross_hair.update()

    def fit(self, centre: bool = False) -> None:
        """Fit the slices to the canvas."""
        dims = self.model.dims
        if self.model.layers:
            if centre:
                dims.set_point((0, 1, 2), [(each.start + each.stop) / 2 for each in dims.range])
            show_slices(self.model, self._view)
            z, y, x = dims.point
            self.move_to((z, y, x))

    def end(self) -> None:
        """Close the canvas."""
        self.canvas.close()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Fit the slices again when the canvas is resized."""
        if event.type() == QEvent.Type.Resize:
            QTimer.singleShot(0, self.fit)
        return super().eventFilter(watched, event)

    def _on_drag(self, model: ViewerModel, event: Any) -> Generator[None, None, None]:
        if event.button != 1 or not model.layers:
            return
        self.pointed.emit(tuple(event.position))
        yield
        while event.type == "mouse_move":
            self.pointed.emit(tuple(event.position))
            yield

    def _on_wheel(self, model: ViewerModel, event: Any) -> None:
        if not model.layers:
            return
        notches = 1 if sum(event.delta) > 0 else -1
        if "Control" in event.modifiers:
            model.scene.camera.zoom *= _ZOOM_PER_NOTCH**notches
            self.cross_hair.update()
            return
        axis = _SLICED[self._view]
        start, stop, step = model.dims.range[axis]
        point = list(model.dims.point)
        point[axis] = min(max(point[axis] - notches * step, start), stop)
        self.pointed.emit(tuple(point))


class CrossHair(QWidget):
    """A cross-hair over a canvas, open at its centre and transparent to the mouse."""

    def __init__(self, parent: QWidget, model: ViewerModel, canvas: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self._canvas = canvas
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)

    def centre(self) -> QPointF:
        """Return the centre of the cross-hair, in pixels of this widget."""
        camera, dims = self._model.scene.camera, self._model.dims
        row, column = dims.displayed
        down = (dims.point[row] - camera.center[-2]) * camera.zoom
        right = (dims.point[column] - camera.center[-1]) * camera.zoom
        # This widget covers the viewer, in which the canvas has a margin.
        corner = self.mapFromGlobal(self._canvas.mapToGlobal(QPoint(0, 0)))
        middle = QPointF(corner) + QPointF(self._canvas.width(), self._canvas.height()) / 2
        return middle + QPointF(right, down)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the lines."""
        if not self._model.layers:
            return
        centre = self.centre()
        painter = QPainter(self)
        painter.setPen(QPen(_CROSS_HAIR, 1))
        x, y = round(centre.x()), round(centre.y())
        for start, end in (
            ((0, y), (x - _GAP_PX, y)),
            ((x + _GAP_PX, y), (self.width(), y)),
            ((x, 0), (x, y - _GAP_PX)),
            ((x, y + _GAP_PX), (x, self.height())),
        ):
            painter.drawLine(QPointF(*start), QPointF(*end))
