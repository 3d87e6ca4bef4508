"""Controls for truncation."""

from qtpy.QtWidgets import QComboBox, QLabel, QVBoxLayout, QWidget
from superqt.utils import signals_blocked

from cowgan.checkpoint.latent_centres import CENTRES
from cowgan.synthesis import TruncationCentre
from napari_cowgan.explorer.block_names import block_name
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.widgets.controls import row
from napari_cowgan.widgets.jobs import JobBar
from napari_cowgan.widgets.problems import show_problem
from napari_cowgan.widgets.sliders import Slider, SliderRow

_CENTRES: dict[TruncationCentre, str] = {
    "mean": "the average",
    "nearest": "the nearest typical style",
}


class TruncationGroup(QWidget):
    """Truncation psi, its centre and its cutoff block."""

    def __init__(self, model: ExplorerModel) -> None:
        super().__init__()
        self._model = model
        self.psi = SliderRow(
            "Truncation ψ",
            Slider(
                0,
                1.5,
                1,
                "Distance of the style from the average or the nearest typical style: 0 is that "
                "style, 1 the seed's own; lower values are more typical but less varied",
            ),
        )
        self.centre = QComboBox()
        for centre, name in _CENTRES.items():
            self.centre.addItem(name, centre)
        self.centre.setMinimumContentsLength(12)
        self.centre.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.centre.setToolTip(
            "What truncation draws towards: the same average volume for every seed, or the one of "
            f"{CENTRES} typical volumes of this model that is most like the seed's own"
        )
        self.job = JobBar()
        self.cutoff = QComboBox()
        self.cutoff.setToolTip(
            "Truncate only the coarse blocks below this one, so that fine detail keeps its variety"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.psi)
        layout.addLayout(row(QLabel("Towards"), self.centre))
        layout.addWidget(self.job)
        layout.addLayout(row(QLabel("Truncate"), self.cutoff, 1))
        self.psi.slider.moved.connect(
            lambda value, gesture: model.edit("truncation", ("psi", gesture), psi=value)
        )
        self.centre.activated.connect(self._on_centre)
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
        self.job.stop()
        self.refresh()

    def _on_centre(self, index: int) -> None:
        checkpoint, centre = self._model.checkpoint, self.centre.itemData(index)
        if checkpoint is None:
            return

        def take(_: object = None) -> None:
            self._model.edit("centre of truncation", centre=centre)

        if centre == "mean":
            self.job.stop()
            take()
        else:
            # Takes seconds the first time, for which a slider cannot wait.
            self.job.run(
                "Typical styles",
                lambda _: checkpoint.w_centres,
                take,
                lambda error: show_problem(self, error),
                self.refresh,
            )

    def refresh(self) -> None:
        """Show the model's truncation."""
        self.psi.show_value(self._model.latent.psi)
        with signals_blocked(self.centre):
            self.centre.setCurrentIndex(self.centre.findData(self._model.latent.centre))
        cutoff = self._model.latent.cutoff
        if cutoff is not None and cutoff >= self._model.n_blocks:
            cutoff = None
        with signals_blocked(self.cutoff):
            self.cutoff.setCurrentIndex(self.cutoff.findData(cutoff))
