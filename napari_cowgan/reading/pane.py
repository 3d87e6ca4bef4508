"""A volume on napari's canvas, without napari's controls."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.qt import QtViewer
from numpy.typing import NDArray
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QStackedLayout, QWidget

from cowgan.turing.reading.manifest import Display
from napari_cowgan.reading import texts
from napari_cowgan.reading.overlay import Annotations, Overlay
from napari_cowgan.reading.view import Frame, View
from napari_cowgan.viewer.display import display_order, transform_of_grid

PlacedMark = tuple[int, tuple[int, int, int]]
"""Number, and voxel (z, x, y)."""


class Pane(QWidget):
    """Shows one volume after another, all of one size.

    Signals
    -------
    drawn
        The canvas has been redrawn.

    Parameters
    ----------
    display : Display
        Size and display settings of the volumes.
    title : str
        Title over the image.
    """

    drawn = Signal()

    def __init__(self, display: Display, title: str = "") -> None:
        super().__init__()
        self.setObjectName("pane")
        self.frame = Frame(display)
        self.model = ViewerModel()
        self.model.canvas.background_color_override = "black"
        self._title = title
        self._view = self.frame.start
        self._marks: Sequence[PlacedMark] = ()
        self.voxels = np.zeros(display.shape, np.uint16)
        self._layer: Any = self.model.add_image(
            display_order(self.voxels),
            name="image",
            visible=False,
            rendering="mip",
            colormap=display.colormap,
            contrast_limits=display.contrast_limits,
            interpolation2d=display.interpolation,
            interpolation3d=display.interpolation,
            **transform_of_grid(display.spacing_mm, display.shape),
        )
        self._canvas = QtViewer(self.model)
        self._canvas.setAcceptDrops(False)
        self._canvas.dims.hide()
        # A second safeguard: the overlay takes the mouse, and the key gate the keys.
        self._canvas.setEnabled(False)
        for child in self._canvas.findChildren(QWidget):
            child.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        native = self._canvas.canvas.native
        native.frameSwapped.connect(self.drawn)
        self.overlay = Overlay(self)
        layout = QStackedLayout(self)
        layout.setStackingMode(QStackedLayout.StackingMode.StackAll)
        layout.addWidget(self._canvas)
        layout.addWidget(self.overlay)
        layout.setCurrentWidget(self.overlay)

    def load(self, voxels: NDArray[np.uint16]) -> None:
        """Load a volume of shape (z, x, y), without changing whether it is visible."""
        self.voxels = voxels
        self._layer.data = display_order(voxels)

    def reveal(self) -> None:
        """Show the volume."""
        self._layer.visible = True
        self._annotate()

    def blank(self) -> None:
        """Show nothing."""
        self._layer.visible = False
        self.overlay.annotate(Annotations())

    def show_view(self, view: View) -> None:
        """Change the view."""
        self._view = view
        self._apply()

    def show_marks(self, marks: Sequence[PlacedMark]) -> None:
        """Show marks."""
        self._marks = marks
        self._annotate()

    def voxel_at(self, right_px: float, down_px: float) -> tuple[int, int, int] | None:
        """Return the voxel (z, x, y) at a position relative to the centre of the canvas."""
        right, down = self.mm(right_px, down_px)
        return self.frame.voxel_at(right, down, self._view, self.voxels)

    def mm(self, right_px: float, down_px: float) -> tuple[float, float]:
        """Convert a distance on the canvas to mm of the patient."""
        scale = self._px_per_mm
        return right_px / scale, down_px / scale

    def end(self) -> None:
        """Close the canvas."""
        self._canvas.close()

    def resizeEvent(self, event: Any) -> None:
        """Fit the volume to the canvas."""
        super().resizeEvent(event)
        self._apply()

    @property
    def _px_per_mm(self) -> float:
        return self.frame.px_per_mm(self._view, max(self.width(), 1), max(self.height(), 1))

    def _apply(self) -> None:
        view, model = self._view, self.model
        self._layer.contrast_limits = (view.low, view.high)
        model.dims.ndisplay = 3 if view.mip else 2
        model.dims.set_current_step(0, self.frame.display.shape[0] - 1 - view.slice)
        camera = model.scene.camera
        camera.center = tuple(self.frame.centre(view))
        camera.zoom = self._px_per_mm
        if view.mip:
            camera.set_view_direction(view.direction, view.up)
        self._annotate()

    def _annotate(self) -> None:
        if not self._layer.visible:
            return
        view, scale = self._view, self._px_per_mm
        marks = []
        for number, voxel in self._marks:
            right, down = self.frame.on_screen(voxel, view)
            far = not view.mip and voxel[0] != view.slice
            marks.append((number, right * scale, down * scale, far))
        self.overlay.annotate(
            Annotations(
                self.frame.letters(view),
                texts.caption(view, self.frame.display.shape[0]),
                self._title,
                tuple(marks),
            )
        )
