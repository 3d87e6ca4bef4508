"""Nine seeds at a glance."""

from dataclasses import replace

from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from cowgan.randomness import MAX_SEED
from cowgan.synthesis import LatentState
from napari_cowgan.controls import ThumbnailButton, hint, icon_button, row, text_button
from napari_cowgan.explorer.model import ExplorerModel
from napari_cowgan.explorer.thumbnails import Thumbnails

_CELLS = 9
_CELL_SIZE = 76


class GridGroup(QWidget):
    """Three by three thumbnails of successive seeds; click to take one."""

    def __init__(self, model: ExplorerModel, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._model = model
        self._thumbnails = thumbnails
        self._states: list[LatentState] = []
        self.fill = text_button("Show nine seeds", "grid_fill")
        self.previous = icon_button("previous", "grid_previous")
        self.next = icon_button("next", "grid_next")
        self.empty = hint("Shows the nine seeds from the present one on, with the same settings.")
        self.cells = [ThumbnailButton(_CELL_SIZE, "grid_cell") for _ in range(_CELLS)]
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        for i, cell in enumerate(self.cells):
            cell.clicked.connect(lambda _=False, i=i: self.take(i))
            grid.addWidget(cell, i // 3, i % 3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.empty)
        layout.addLayout(grid)
        layout.addLayout(row(self.previous, self.fill, self.next))
        self.fill.clicked.connect(lambda: self.show_from(model.latent.seed))
        self.previous.clicked.connect(lambda: self.show_from(self._states[0].seed - _CELLS))
        self.next.clicked.connect(lambda: self.show_from(self._states[0].seed + _CELLS))
        thumbnails.changed.connect(self.refresh)
        model.model_changed.connect(self._on_model)
        self._on_model()

    def show_from(self, seed: int) -> None:
        """Show nine seeds from `seed` on, all else as in the present volume."""
        latent = self._model.latent
        self._states = [
            replace(latent, seed=(seed + i) % (MAX_SEED + 1), w=None) for i in range(_CELLS)
        ]
        self.refresh()

    def take(self, index: int) -> None:
        """Show the volume of a cell."""
        self._model.set_seed(self._states[index].seed, "seed from the grid")

    def refresh(self) -> None:
        """Show the pictures that have been made and ask for the others."""
        synthesizer = self._model.synthesizer
        filled = bool(self._states)
        self.empty.setVisible(not filled)
        self.previous.setEnabled(filled)
        self.next.setEnabled(filled)
        for cell in self.cells:
            cell.setVisible(filled)
        if synthesizer is None or not self.isVisible():
            return
        # The queue serves the newest wish first, so ask from the last cell to the first.
        for state, cell in reversed(list(zip(self._states, self.cells, strict=False))):
            cell.show_pixmap(self._thumbnails.get(synthesizer, state, cell))
            cell.setText(str(state.seed) if state.seed < 10**10 else f"…{state.seed % 10**8:08d}")

    def showEvent(self, event: QShowEvent) -> None:
        """Make the pictures only when they can be seen."""
        super().showEvent(event)
        self.refresh()

    def _on_model(self) -> None:
        self.setEnabled(self._model.checkpoint is not None)
        self._states = []
        self.refresh()
