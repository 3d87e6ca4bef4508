"""The volume of the explorer's current state, rendered and shown as it changes."""

from qtpy.QtCore import QObject, Signal

from cowgan.volume import Volume
from napari_cowgan.explorer.artery_group import ArteryGroup
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.explorer.layer import VolumeLayer
from napari_cowgan.explorer.renderer import Rendered, Renderer


class LiveVolume(QObject):
    """Renders every state of the model and shows it in a layer.

    Parameters
    ----------
    model : ExplorerModel
        The model to follow.
    shown : VolumeLayer
        Where volumes are shown.
    arteries : ArteryGroup
        Says whether arteries are coloured, and shows them.
    parent : QObject
        The explorer.

    Signals
    -------
    layer_created
        A new layer was created, rather than an existing one updated.
    status_changed : str
        What the layer shows now, and how long rendering took.
    drew : Rendered
        Another volume is shown.
    failed : Exception
        Rendering failed.

    Attributes
    ----------
    drawn : Rendered or None
        What the layer shows; None before a model is open.
    """

    layer_created = Signal()
    status_changed = Signal(str)
    drew = Signal(object)
    failed = Signal(object)

    def __init__(
        self, model: ExplorerModel, shown: VolumeLayer, arteries: ArteryGroup, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._arteries = arteries
        self._model = model
        self._shown = shown
        self.drawn: Rendered | None = None
        self.renderer = Renderer()
        self.renderer.ready.connect(self._draw)
        self.renderer.failed.connect(self.failed)
        model.state_changed.connect(self._request)
        model.model_changed.connect(self._on_model)
        arteries.wanted.connect(self._request)

    @property
    def complete(self) -> bool:
        """Whether the current state is shown in full, not an older one or a preview."""
        drawn = self.drawn
        return (
            drawn is not None and drawn.preview_block is None and drawn.state == self._model.latent
        )

    @property
    def complete_volume(self) -> Volume | None:
        """The volume of the current state; None while an older one or a preview is shown."""
        return self.drawn.volume if self.drawn is not None and self.complete else None

    def _on_model(self) -> None:
        self.drawn = None
        self._request()

    def _request(self) -> None:
        synthesizer = self._model.synthesizer
        if synthesizer is not None:
            self.renderer.request(synthesizer, self._model.latent, self._arteries.labeller)

    def _draw(self) -> None:
        rendered = self.renderer.take()
        if rendered is None or rendered.synthesizer is not self._model.synthesizer:
            return
        if self._shown.show(rendered.volume):
            self.layer_created.emit()
        self._arteries.show_labels(rendered)
        self.drawn = rendered
        self.drew.emit(rendered)
        milliseconds = f"{1000 * rendered.elapsed_s:.0f} ms"
        if rendered.preview_block is None:
            self.status_changed.emit(f"Complete, {milliseconds}")
        else:
            self.status_changed.emit(f"Preview to block {rendered.preview_block}, {milliseconds}")
