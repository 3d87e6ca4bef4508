"""The check box that colours the arteries of the volume, by the label head of the model."""

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from cowgan.errors import CowganError
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.explorer.layer import ArteryLayer
from napari_cowgan.widgets.controls import hint
from napari_cowgan.widgets.remembered import recall_flag, remember

if TYPE_CHECKING:
    from cowgan.segmentation.volume_labellers import HeadLabeller
    from napari_cowgan.explorer.renderer import Rendered

_REMEMBERED = "colour_arteries"


class ArteryGroup(QWidget):
    """Whether arteries are coloured; hidden for models that have no label head beside them.

    Parameters
    ----------
    model : ExplorerModel
        The model to follow.
    shown : ArteryLayer
        Where labels are shown.

    Signals
    -------
    wanted
        Labels of the current volume are wanted, or no longer.
    """

    wanted = Signal()

    def __init__(self, model: ExplorerModel, shown: ArteryLayer) -> None:
        super().__init__()
        self._model = model
        self._shown = shown
        self._labeller: HeadLabeller | None = None
        self.tick = QCheckBox("Colour arteries")
        self.tick.setToolTip(
            "Label the arteries of the complete volume, by what the model itself knows of where it "
            "put them; previews while you drag are not labelled"
        )
        self.tick.setChecked(recall_flag(_REMEMBERED, False))
        self.tick.toggled.connect(self._on_toggled)
        self.problem = hint("")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.tick)
        layout.addWidget(self.problem)
        model.model_changed.connect(self._on_model)
        self._on_model()

    @property
    def labeller(self) -> "HeadLabeller | None":
        """What labels volumes; None if they are not to be labelled."""
        return self._labeller if self.tick.isChecked() else None

    def show_labels(self, rendered: "Rendered") -> None:
        """Show the labels of a rendered volume; none of a preview or while they are not wanted."""
        if self.labeller is None:
            self._shown.remove()
        elif rendered.labels is None:
            self._shown.clear()
        else:
            self._shown.show(rendered.labels, rendered.volume, self.labeller.scheme)

    def remove_labels(self) -> None:
        """Remove the layer of labels."""
        self._shown.remove()

    def _on_model(self) -> None:
        self._labeller, problem = None, ""
        try:
            self._labeller = self._labeller_of_model()
        except CowganError as error:
            problem = error.sentence
        self.tick.setVisible(self._labeller is not None)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.setVisible(self._labeller is not None or bool(problem))

    def _labeller_of_model(self) -> "HeadLabeller | None":
        synthesizer = self._model.synthesizer
        if synthesizer is None or synthesizer.checkpoint.path is None:
            return None
        from cowgan.segmentation.label_head_files import label_head_path, load_label_head
        from cowgan.segmentation.volume_labellers import HeadLabeller

        path = label_head_path(synthesizer.checkpoint.path)
        if not path.exists():
            return None
        return HeadLabeller(synthesizer, load_label_head(path, synthesizer.checkpoint))

    def _on_toggled(self, checked: bool) -> None:
        remember(_REMEMBERED, checked)
        self.wanted.emit()
