"""Controls for the noise, the random detail on top of the style."""

from qtpy.QtWidgets import QComboBox, QLabel, QVBoxLayout, QWidget
from superqt.utils import signals_blocked

from napari_cowgan.explorer.explorer_model import ExplorerModel, random_seed
from napari_cowgan.widgets.controls import icon_button, row
from napari_cowgan.widgets.seed_box import SeedBox
from napari_cowgan.widgets.sliders import Slider, SliderRow

_OFF, _FIXED, _RANDOM = "Off", "Fixed", "Random"


class NoiseGroup(QWidget):
    """Noise mode, seed and strength."""

    def __init__(self, model: ExplorerModel) -> None:
        super().__init__()
        self._model = model
        self.mode = QComboBox()
        self.mode.addItems([_OFF, _FIXED, _RANDOM])
        self.mode.setToolTip(
            "Off: no noise. Fixed: the same noise for every seed. Random: different noise for "
            "each seed"
        )
        self.seed = SeedBox("Seed of the fixed noise")
        self.dice = icon_button("dice", "Random noise seed; the style stays the same")
        self.strength = SliderRow(
            "Strength",
            Slider(0, 2, 1, "Strength of the noise; the model was trained with 1"),
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row(QLabel("Kind"), self.mode, 1))
        layout.addLayout(row(QLabel("Seed"), self.seed, self.dice))
        layout.addWidget(self.seed.problem)
        layout.addWidget(self.strength)
        self.mode.textActivated.connect(self._on_mode)
        self.seed.valueChanged.connect(lambda seed: self._choose("noise seed", seed))
        self.dice.clicked.connect(lambda: self._choose("other noise", random_seed()))
        self.strength.slider.moved.connect(self._on_strength)
        model.state_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the model's noise."""
        latent = self._model.latent
        fixed = latent.noise and latent.noise_seed is not None
        with signals_blocked(self.mode):
            self.mode.setCurrentText(_OFF if not latent.noise else _FIXED if fixed else _RANDOM)
        self.seed.show_value(latent.effective_noise_seed)
        self.seed.setEnabled(fixed)
        self.strength.show_value(latent.noise_strength[0] if latent.noise_strength else 1)
        self.strength.setEnabled(latent.noise)

    def _choose(self, text: str, seed: int) -> None:
        self._model.edit(text, noise=True, noise_seed=seed, noise_blend=(), noise_maps=())

    def _on_mode(self, mode: str) -> None:
        seed = self._model.latent.effective_noise_seed if mode == _FIXED else None
        self._model.edit(
            f"noise {mode.lower()}", noise=mode != _OFF, noise_seed=seed, noise_blend=()
        )

    def _on_strength(self, value: float, gesture: object) -> None:
        strength = (value,) * self._model.n_blocks
        self._model.edit("noise strength", ("noise", gesture), noise_strength=strength)
