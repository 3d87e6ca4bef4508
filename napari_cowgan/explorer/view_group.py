"""How the volume is looked at."""

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from napari_cowgan.controls import row, text_button
from napari_cowgan.explorer.camera import ATTENUATION, ISO_THRESHOLD, RENDERINGS, View, look_from
from napari_cowgan.explorer.layer import VolumeLayer
from napari_cowgan.settings import recall_text, remember
from napari_cowgan.tooltips import TOOLTIPS

if TYPE_CHECKING:
    import napari


class ViewGroup(QWidget):
    """Axial, coronal and sagittal viewpoints, and the rendering."""

    def __init__(self, viewer: "napari.Viewer", shown: VolumeLayer) -> None:
        super().__init__()
        self._viewer = viewer
        self._shown = shown
        views: tuple[View, ...] = ("axial", "coronal", "sagittal")
        self.views = {view: text_button(view.capitalize(), f"view_{view}") for view in views}
        for view, button in self.views.items():
            button.clicked.connect(lambda _=False, view=view: look_from(viewer, view))
        self.rendering = QComboBox()
        self.rendering.addItems(list(RENDERINGS))
        self.rendering.setToolTip(TOOLTIPS["rendering"])
        self.rendering.setCurrentText(recall_text("rendering", "MIP"))
        self.rendering.textActivated.connect(self._on_rendering)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(row(*self.views.values()))

    def apply(self) -> None:
        """Render the layer as chosen."""
        layer = self._shown.layer
        if layer is not None:
            layer.attenuation = ATTENUATION
            layer.iso_threshold = ISO_THRESHOLD
            layer.rendering = RENDERINGS[self.rendering.currentText()]

    def _on_rendering(self, name: str) -> None:
        remember("rendering", name)
        self.apply()
