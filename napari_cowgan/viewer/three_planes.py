"""Axial, coronal and sagittal slices beside each other, through one point."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from napari.components import ViewerModel
from napari.components.overlays import TextOverlay
from napari.experimental import link_layers
from napari.layers import Image, Labels, Layer
from napari.qt import QtViewer
from qtpy.QtCore import QEvent, QObject, QPoint, QPointF, Qt, QTimer, Signal
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from qtpy.QtWidgets import QBoxLayout, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from napari_cowgan.help.button import HelpButton
from napari_cowgan.help.topics import Topic
from napari_cowgan.viewer.camera import VIEWS, View, show_slices
from napari_cowgan.viewer.caption import caption
from napari_cowgan.viewer.orientation_letters import show_orientation
from napari_cowgan.widgets.controls import hint, row
from napari_cowgan.widgets.docked import DockedPanel, show_panel

if TYPE_CHECKING:
    import napari

_SLICED = {"axial": 0, "coronal": 1, "sagittal": 2}
_LINKED = ("visible", "opacity", "blending")
_LINKED_IMAGE = ("contrast_limits", "gamma", "colormap", "interpolation2d")
_FOLLOWED = ("data", "scale", "translate", "affine", "metadata")
_CROSS_HAIR = QColor(255, 210, 60, 190)
_GAP_PX = 10
_HOW = "Click or drag to move the cross-hair. Wheel: slices. Ctrl and wheel: zoom."
_ZOOM_PER_NOTCH = 1.2


def show_three_planes(viewer: "napari.Viewer") -> "ThreePlanes":
    """Return the panel of a viewer, in front; open it below the picture if needed."""
    return show_panel(viewer, ThreePlanes, area="bottom")


class ThreePlanes(DockedPanel):
    """Shows the volumes of a viewer in three planes, with a cross-hair where they meet.

    A click or drag moves the cross-hair, the wheel goes through slices, and with Ctrl it zooms.
    While the viewer itself shows slices, its slice and the cross-hair go together.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Whose image and label layers are shown; napari fills in the argument of this name.
    """

    dock_title = "Three planes"

    def __init__(self, napari_viewer: "napari.Viewer") -> None:
        super().__init__(napari_viewer)
        self.planes = {view: Plane(view) for view in VIEWS}
        self.caption = hint("")
        self.caption.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._copies: list[_Copies] = []
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.setSpacing(2)
        for plane in self.planes.values():
            self._row.addWidget(plane)
            plane.pointed.connect(self.move_to)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(0)
        layout.addLayout(self._row, 1)
        layout.addLayout(row(hint(_HOW), self.caption, HelpButton(Topic.THREE_PLANES, self)))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(280, 160)
        for event in self._layer_events():
            event.connect(self._rebuild)
        caption(napari_viewer)
        self._text = napari_viewer.canvas.overlays.text
        self._text.events.text.connect(self._repeat_caption)
        self._repeat_caption()
        napari_viewer.dims.events.point.connect(self._follow_viewer)
        self._rebuild()

    @property
    def point(self) -> tuple[float, float, float]:
        """Where the planes meet, in world coordinates (mm)."""
        z, y, x = self.planes["axial"].model.dims.point[-3:]
        return z, y, x

    def move_to(self, point: tuple[float, float, float]) -> None:
        """Move the cross-hair."""
        for plane in self.planes.values():
            plane.move_to(point)
        dims = self._viewer.dims
        # In 3D the viewer would draw its volumes anew, which look the same at any point.
        if dims.ndisplay == 2 and dims.ndim >= 3:
            dims.set_point(range(dims.ndim - 3, dims.ndim), point)

    def leave(self) -> None:
        """Follow the viewer no more, and give the canvases back."""
        for event in self._layer_events():
            event.disconnect(self._rebuild)
        self._text.events.text.disconnect(self._repeat_caption)
        self._viewer.dims.events.point.disconnect(self._follow_viewer)
        self._forget_layers()
        for plane in self.planes.values():
            plane.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the planes in a row or a column, whichever has more room for each."""
        super().resizeEvent(event)
        wide = self.width() > self.height()
        directions = QBoxLayout.Direction
        self._row.setDirection(directions.LeftToRight if wide else directions.TopToBottom)

    def _layer_events(self) -> tuple[Any, ...]:
        events = self._viewer.layers.events
        return events.inserted, events.removed, events.reordered

    def _repeat_caption(self) -> None:
        """Say below the planes what the viewer's canvas says: in them it would hide too much."""
        self.caption.setText(" ".join(self._text.text.splitlines()))

    def _follow_viewer(self) -> None:
        dims = self._viewer.dims
        if dims.ndisplay == 2 and dims.ndim >= 3:
            z, y, x = dims.point[-3:]
            for plane in self.planes.values():
                plane.move_to((z, y, x))

    def _rebuild(self) -> None:
        """Show the layers that the viewer has now."""
        had_layers = bool(self._copies)
        self._forget_layers()
        self._copies = [
            _Copies(layer, [plane.model for plane in self.planes.values()])
            for layer in self._viewer.layers
            if isinstance(layer, Image | Labels) and layer.ndim == 3
        ]
        for plane in self.planes.values():
            plane.fit(centre=not had_layers)

    def _forget_layers(self) -> None:
        for copies in self._copies:
            copies.leave()
        self._copies = []
        for plane in self.planes.values():
            # Even of an empty list, this takes napari long.
            if plane.model.layers:
                plane.model.layers.clear()


class _Copies:
    """The copies of one layer that the planes show; each canvas slices layers of its own."""

    def __init__(self, layer: Layer, models: list[ViewerModel]) -> None:
        self._layer = layer
        self._copies = [Layer.create(*layer.as_layer_data_tuple()) for _ in models]
        for model, copy in zip(models, self._copies, strict=True):
            model.layers.append(copy)
        linked = (*_LINKED, *(_LINKED_IMAGE if isinstance(layer, Image) else ("colormap",)))
        link_layers([layer, *self._copies], linked)
        self._events = [getattr(layer.events, name) for name in _FOLLOWED]
        for event in self._events:
            event.connect(self._follow)
        layer.events.set_data.connect(self._redraw)

    def leave(self) -> None:
        for event in self._events:
            event.disconnect(self._follow)
        self._layer.events.set_data.disconnect(self._redraw)

    def _follow(self, event: Any) -> None:
        for copy in self._copies:
            setattr(copy, event.type, getattr(self._layer, event.type))

    def _redraw(self) -> None:
        # Voxels may have been painted in place.
        for copy in self._copies:
            copy.refresh(extent=False, thumbnail=False)


class Plane(QWidget):
    """Slices in one plane on a canvas of its own, with letters, title and cross-hair.

    Signals
    -------
    pointed : tuple of float
        A person chose a point, in world coordinates.
    """

    pointed = Signal(object)

    def __init__(self, view: View) -> None:
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
        """What the slices are drawn on; Qt alone holds it, so that it goes with the window."""
        return self.findChild(QtViewer)

    def move_to(self, point: tuple[float, float, float]) -> None:
        """Show the slice through a point, and the cross-hair there; nothing while empty."""
        if not self.model.layers:
            return
        self.model.dims.set_point((0, 1, 2), point)
        axis = _SLICED[self._view]
        # Not from napari's steps: of 128 slices of 0.61875 mm it counts 127.
        top = self.model.layers[-1]
        slice_number = round(top.world_to_data(point)[axis]) + 1
        self._title.text = f"{self._view.capitalize()} {slice_number} of {top.data.shape[axis]}"
        self.cross_hair.update()

    def fit(self, centre: bool = False) -> None:
        """Make the slices as large as the canvas allows."""
        dims = self.model.dims
        if self.model.layers:
            if centre:
                dims.set_point((0, 1, 2), [(each.start + each.stop) / 2 for each in dims.range])
            show_slices(self.model, self._view)
            z, y, x = dims.point
            self.move_to((z, y, x))

    def end(self) -> None:
        """Give the canvas back."""
        self.canvas.close()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Fit the slices to the canvas once it has another size."""
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
    """Two lines over a canvas, open where they meet, that let the mouse through."""

    def __init__(self, parent: QWidget, model: ViewerModel, canvas: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self._canvas = canvas
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)

    def place(self) -> QPointF:
        """Return where the lines meet, in pixels of this widget."""
        camera, dims = self._model.scene.camera, self._model.dims
        row, column = dims.displayed
        down = (dims.point[row] - camera.center[-2]) * camera.zoom
        right = (dims.point[column] - camera.center[-1]) * camera.zoom
        # The canvas leaves a margin to its viewer, over which this widget lies.
        corner = self.mapFromGlobal(self._canvas.mapToGlobal(QPoint(0, 0)))
        middle = QPointF(corner) + QPointF(self._canvas.width(), self._canvas.height()) / 2
        return middle + QPointF(right, down)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the lines."""
        if not self._model.layers:
            return
        at = self.place()
        painter = QPainter(self)
        painter.setPen(QPen(_CROSS_HAIR, 1))
        x, y = round(at.x()), round(at.y())
        for start, end in (
            ((0, y), (x - _GAP_PX, y)),
            ((x + _GAP_PX, y), (self.width(), y)),
            ((x, 0), (x, y - _GAP_PX)),
            ((x, y + _GAP_PX), (x, self.height())),
        ):
            painter.drawLine(QPointF(*start), QPointF(*end))
