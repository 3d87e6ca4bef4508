"""Controls for truncation."""

from qtpy.QtWidgets import QComboBox, QLabel, QVBoxLayout, QWidget
from superqt.utils import signals_blocked

from napari_cowgan.explorer.block_names import block_name
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.widgets.controls import row
from napari_cowgan.widgets.sliders import Slider, SliderRow


class TruncationGroup(QWidget):
    """Truncation psi and its cutoff block."""

    def __init__(self, model: ExplorerModel) -> None:
        super().__init__()
        self._model = model
        self.psi = SliderRow(
            "Truncation ψ",
            Slider(
                0,
                1.5,
                1,
                "Distance of the style from the average: 0 is the average volume, 1 the "
                "seed's own; lower values are more typical but less varied",
            ),
        )
        self.cutoff = QComboBox()
        self.cutoff.setToolTip(
            "Truncate only the coarse blocks below this one, so that fine detail keeps its variety"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.psi)
        layout.addLayout(row(QLabel("Truncate"), self.cutoff, 1))
        self.psi.slider.moved.connect(
            lambda value, gesture: model.edit("truncation", ("psi", gesture), psi=value)
        )
        self.cutoff.activated.connect(
            lambda index: model.edit("truncation cutoff", cutoff=self.cutoff.itemData(index))
        )
        model.model_changed.connect(self._on_model)
        model.state_changed.connect(self.refresh)
        self._on_model()

    def _on_model(self) -> None:
        config = self._model.checkpoint.config if self._model.checkpoint else None
        with signals_blocked(self.cutoff):
            self.cutoff.clear()
            self.cutoff.addItem("all blocks", None)
            for block in range(1, self._model.n_blocks):
                self.cutoff.addItem(f"below {block_name(config, block)}", block)
        self.refresh()

    def refresh(self) -> None:
        """Show the model's truncation."""
        self.psi.show_value(self._model.latent.psi)
        cutoff = self._model.latent.cutoff
        if cutoff is not None and cutoff >= self._model.n_blocks:
            cutoff = None
        with signals_blocked(self.cutoff):
            self.cutoff.setCurrentIndex(self.cutoff.findData(cutoff))
