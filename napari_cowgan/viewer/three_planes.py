"""Axial, coronal and sagittal slices side by side, through one point."""

from typing import TYPE_CHECKING, Any

from napari.components import ViewerModel
from napari.experimental import link_layers
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QBoxLayout, QSizePolicy, QVBoxLayout

from napari_cowgan.help.button import HelpButton
from napari_cowgan.help.topics import Topic
from napari_cowgan.viewer.camera import VIEWS
from napari_cowgan.viewer.caption import caption
from napari_cowgan.viewer.slice_canvas import SliceCanvas
from napari_cowgan.widgets.controls import hint, row
from napari_cowgan.widgets.docked import DockedPanel, show_panel

if TYPE_CHECKING:
    import napari

_LINKED = ("visible", "opacity", "blending")
_LINKED_IMAGE = ("contrast_limits", "gamma", "colormap", "interpolation2d")
_FOLLOWED = ("data", "scale", "translate", "affine", "metadata")
_HOW = "Click or drag to move the cross-hair. Wheel: slices. Ctrl and wheel: zoom."


def show_three_planes(viewer: "napari.Viewer") -> "ThreePlanes":
    """Return the panel of a viewer, in front; open it below the canvas if needed."""
    return show_panel(viewer, ThreePlanes, area="bottom")


class ThreePlanes(DockedPanel):
    """The volumes of a viewer in three planes, with a cross-hair at their intersection.

    A click or drag moves the cross-hair, the wheel scrolls through slices, and Ctrl and the wheel
    zoom. While the viewer itself shows slices, its slice and the cross-hair move together.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer whose image and labels layers are shown; napari passes it by this name.
    """

    dock_title = "Three planes"

    def __init__(self, napari_viewer: "napari.Viewer") -> None:
        super().__init__(napari_viewer)
        self.planes = {view: SliceCanvas(view) for view in VIEWS}
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
        """Intersection of the planes, in world coordinates (mm)."""
        z, y, x = self.planes["axial"].model.dims.point[-3:]
        return z, y, x

    def move_to(self, point: tuple[float, float, float]) -> None:
        """Move the cross-hair."""
        for plane in self.planes.values():
            plane.move_to(point)
        dims = self._viewer.dims
        # In 3D the viewer would redraw its volumes, which look the same at any point.
        if dims.ndisplay == 2 and dims.ndim >= 3:
            dims.set_point(range(dims.ndim - 3, dims.ndim), point)

    def leave(self) -> None:
        """Stop following the viewer and close the canvases."""
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
        """Show the canvas caption below the planes, where it hides nothing."""
        self.caption.setText(" ".join(self._text.text.splitlines()))

    def _follow_viewer(self) -> None:
        dims = self._viewer.dims
        if dims.ndisplay == 2 and dims.ndim >= 3:
            z, y, x = dims.point[-3:]
            for plane in self.planes.values():
                plane.move_to((z, y, x))

    def _rebuild(self) -> None:
        """Show the current layers of the viewer."""
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
            # Slow in napari, even for an empty list.
            if plane.model.layers:
                plane.model.layers.clear()


class _Copies:
    """The copies of a layer that the planes show; each canvas slices its own."""

    def __init__(self, layer: Layer, models: list[ViewerModel]) -> None:
        self._layer = layer
        self._copies = [Layer.create(*layer.as_layer_data_tuple()) for _ in models]
        for model, copy in zip(models, self._copies, strict=True):
            model.layers.append(copy)
        image = isinstance(layer, Image)
        link_layers([layer, *self._copies], (*_LINKED, *(_LINKED_IMAGE if image else ())))
        # napari fails to compare colour maps of labels, as links do.
        followed = _FOLLOWED if image else (*_FOLLOWED, "colormap")
        self._events = [getattr(layer.events, name) for name in followed]
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
