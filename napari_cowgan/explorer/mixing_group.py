"""Controls for style mixing."""

from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QCheckBox, QGridLayout, QLabel, QVBoxLayout, QWidget
from superqt.utils import signals_blocked

from cowgan.synthesis import LatentState
from napari_cowgan.explorer.block_names import block_size
from napari_cowgan.explorer.explorer_model import ExplorerModel, random_seed
from napari_cowgan.explorer.thumbnails import Thumbnails
from napari_cowgan.widgets.controls import ThumbnailButton, icon_button, row, text_button
from napari_cowgan.widgets.seed_box import SeedBox
from napari_cowgan.widgets.sliders import Slider, SliderRow

_PARENT_SIZE = 88


class MixingGroup(QWidget):
    """Second seed, amount, mixed blocks, and thumbnails of both parents."""

    def __init__(self, model: ExplorerModel, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._model = model
        self._thumbnails = thumbnails
        self.first = ThumbnailButton(
            _PARENT_SIZE, "First parent: the seed. Click to use it for every block"
        )
        self.second = ThumbnailButton(
            _PARENT_SIZE, "Second parent. Click to use it for every block"
        )
        self.swap = icon_button("swap", "Swap the two seeds")
        self.seed = SeedBox("Seed of the second volume, whose style is mixed in")
        self.dice = icon_button("dice", "Random second seed")
        self.none = text_button("None", "Use the first seed for every block")
        self.amount = SliderRow(
            "Amount", Slider(0, 1, 1, "Share of the second style in the chosen blocks")
        )
        self.blocks: list[QCheckBox] = []
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row(1, self.first, self.swap, self.second, 1))
        layout.addLayout(row(QLabel("Mix in"), self.seed, self.dice))
        layout.addWidget(self.seed.problem)
        layout.addLayout(row(QLabel("Blocks from the second seed"), 1, self.none))
        layout.addLayout(self._grid)
        layout.addWidget(self.amount)
        self.seed.valueChanged.connect(lambda seed: self._mix("second seed", seed=seed))
        self.dice.clicked.connect(lambda: self._mix("random second seed", seed=random_seed()))
        self.none.clicked.connect(lambda: self._mix("no mixing", blocks=set()))
        self.swap.clicked.connect(model.swap_parents)
        self.first.clicked.connect(lambda: self._mix("first parent", blocks=set()))
        self.second.clicked.connect(self._take_second)
        self.amount.slider.moved.connect(
            lambda value, gesture: self._mix("mixing amount", ("mix", gesture), amount=value)
        )
        model.model_changed.connect(self._on_model)
        model.state_changed.connect(self.refresh)
        model.lock_changed.connect(self.refresh)
        thumbnails.changed.connect(self._show_parents)
        self._on_model()

    def refresh(self) -> None:
        """Show the model's mixing."""
        state = self._model.state
        self.seed.show_value(state.mix_seed)
        self.amount.show_value(state.mix_amount)
        mixed = self._model.mixed_blocks()
        for block, box in enumerate(self.blocks):
            with signals_blocked(box):
                box.setChecked(block in mixed)
        self.swap.setEnabled(not self._model.seed_locked)
        self.none.setEnabled(bool(mixed))
        self.amount.setEnabled(bool(mixed))
        self._show_parents()

    def showEvent(self, event: QShowEvent) -> None:
        """Request the parents' thumbnails once they are visible."""
        super().showEvent(event)
        self._show_parents()

    def _on_model(self) -> None:
        for box in self.blocks:
            self._grid.removeWidget(box)
            box.deleteLater()
        checkpoint = self._model.checkpoint
        self.blocks = [
            QCheckBox(f"{block}: {block_size(checkpoint.config, block)}")
            for block in range(self._model.n_blocks)
            if checkpoint is not None
        ]
        rows = (len(self.blocks) + 1) // 2
        for block, box in enumerate(self.blocks):
            box.setToolTip("Use the style of the second seed for this block")
            box.toggled.connect(lambda _, block=block: self._toggle(block))
            self._grid.addWidget(box, block % rows, block // rows)
        self.refresh()

    def _toggle(self, block: int) -> None:
        self._mix(f"mixing of block {block}", blocks=self._model.mixed_blocks() ^ {block})

    def _take_second(self) -> None:
        self._mix("second parent", amount=1.0, blocks=set(range(self._model.n_blocks)))

    def _mix(
        self,
        text: str,
        gesture: object = None,
        seed: int | None = None,
        amount: float | None = None,
        blocks: set[int] | None = None,
    ) -> None:
        state = self._model.state
        self._model.set_mixing(
            self._model.mixed_blocks() if blocks is None else blocks,
            state.mix_seed if seed is None else seed,
            state.mix_amount if amount is None else amount,
            text,
            gesture,
        )

    def _show_parents(self) -> None:
        synthesizer = self._model.synthesizer
        if synthesizer is None or not self.isVisible():
            return
        shown = self._model.latent
        for button, seed in (
            (self.first, self._model.latent.seed),
            (self.second, self._model.state.mix_seed),
        ):
            parent = LatentState(seed, psi=shown.psi, centre=shown.centre, cutoff=shown.cutoff)
            button.show_pixmap(self._thumbnails.get(synthesizer, parent, button))
            button.setText(f"seed {seed}" if seed < 10**10 else f"…{seed % 10**8:08d}")
