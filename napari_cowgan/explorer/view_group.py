"""Controls for the viewpoint and the rendering."""

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget
from superqt.utils import signals_blocked

from cowgan.volume import Plane
from napari_cowgan.explorer.layer import VolumeLayer
from napari_cowgan.viewer.camera import (
    ATTENUATION,
    ISO_THRESHOLD,
    RENDERINGS,
    SLICES,
    VIEWS,
    look_from,
    show_slices,
)
from napari_cowgan.viewer.orientation_letters import show_orientation
from napari_cowgan.viewer.three_planes import show_three_planes
from napari_cowgan.widgets.controls import row, text_button
from napari_cowgan.widgets.remembered import recall_text, remember

if TYPE_CHECKING:
    import napari

_TOOLTIPS: dict[Plane, str] = {
    "axial": "Axial: seen from below, patient's right on the left, front up",
    "coronal": "Coronal: seen from the front, patient's right on the left, head up",
    "sagittal": "Sagittal: seen from the patient's left, front on the left, head up",
}


class ViewGroup(QWidget):
    """Axial, coronal and sagittal views, as slices or in 3D, and the rendering."""

    def __init__(self, viewer: "napari.Viewer", shown: VolumeLayer) -> None:
        super().__init__()
        self._viewer = viewer
        self._shown = shown
        self._view: Plane = "axial"
        self.views = {view: text_button(view.capitalize(), _TOOLTIPS[view]) for view in VIEWS}
        for view, button in self.views.items():
            button.clicked.connect(lambda _=False, view=view: self.look(view))
        self.rendering = QComboBox()
        self.rendering.addItems([*RENDERINGS, SLICES])
        self.rendering.setToolTip(
            "Show the volume in 3D, as a projection along each line of sight or as a surface, or "
            "as slices"
        )
        self._in_3d = recall_text("rendering", "MIP")
        self.rendering.textActivated.connect(self._on_rendering)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(row(*self.views.values()))
        self.three_planes = text_button(
            "Three planes",
            "Show axial, coronal and sagittal slices side by side, with a cross-hair",
        )
        self.three_planes.clicked.connect(lambda: show_three_planes(viewer))
        layout.addLayout(row(self.rendering, self.three_planes))
        show_orientation(viewer)
        # napari has a button of its own for slices and 3D.
        ndisplay = viewer.dims.events.ndisplay
        ndisplay.connect(self._on_ndisplay)
        self.destroyed.connect(lambda *_: ndisplay.disconnect(self._on_ndisplay))
        self._on_ndisplay()

    def look(self, view: Plane) -> None:
        """Look along an anatomical axis, in slices or 3D as is current."""
        self._view = view
        if self._viewer.dims.ndisplay == 2:
            show_slices(self._viewer, view)
        else:
            look_from(self._viewer, view)

    def apply(self) -> None:
        """Apply the chosen 3D rendering to the layer."""
        layer = self._shown.layer
        if layer is not None:
            layer.attenuation = ATTENUATION
            layer.iso_threshold = ISO_THRESHOLD
            layer.rendering = RENDERINGS[self._in_3d]

    def _on_rendering(self, name: str) -> None:
        if name == SLICES:
            show_slices(self._viewer, self._view)
            return
        remember("rendering", name)
        self._in_3d = name
        self.apply()
        if self._viewer.dims.ndisplay == 2:
            look_from(self._viewer, self._view)

    def _on_ndisplay(self) -> None:
        with signals_blocked(self.rendering):
            slices = self._viewer.dims.ndisplay == 2
            self.rendering.setCurrentText(SLICES if slices else self._in_3d)
