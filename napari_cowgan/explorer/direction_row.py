"""One direction of the latent space, as a slider."""

from dataclasses import replace

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QMenu,
    QSizePolicy,
    QWidget,
)
from superqt import QElidingLabel

from cowgan.synthesis import Direction, Edit
from napari_cowgan.explorer.block_names import block_name
from napari_cowgan.explorer.direction_strip import STEPS, DirectionStrip
from napari_cowgan.explorer.explorer_model import ExplorerModel, with_edit
from napari_cowgan.explorer.thumbnails import Thumbnails
from napari_cowgan.widgets.controls import icon_button, plain_tooltip, row
from napari_cowgan.widgets.sliders import Slider, SliderRow


class DirectionRow(SliderRow):
    """A direction: name, reset, blocks, menu, slider and a strip of thumbnails.

    Signals
    -------
    rename_requested, removed : Direction
        The user wants another name for it, or to remove it.
    strip_opened
        The user wants to see its thumbnails.
    """

    rename_requested = Signal(object)
    removed = Signal(object)
    strip_opened = Signal()

    def __init__(self, model: ExplorerModel, direction: Direction, thumbnails: Thumbnails) -> None:
        self._model = model
        self._thumbnails = thumbnails
        self.strip: DirectionStrip | None = None
        self.direction = direction
        self._blocks = (direction.first_block, direction.last_block)
        more = icon_button("menu", "Choose the blocks it acts on, rename or remove it")
        self.strip_button = icon_button(
            "strip", "Show thumbnails along this direction, from -3 to 3 sigma", checkable=True
        )
        super().__init__(
            direction.name,
            Slider(
                -3, 3, 0, "Move along this direction of the latent space, in standard deviations"
            ),
        )
        self.detail = QElidingLabel()
        self.detail.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.detail.setStyleSheet("font-size: 11px;")
        below = row(self.detail, self.strip_button, more)
        below.setStretch(0, 1)
        self.layout().insertLayout(1, below)
        menu = QMenu(self)
        menu.addAction("Blocks…", self._choose_blocks)
        menu.addAction("Rename…", lambda: self.rename_requested.emit(self.direction))
        menu.addAction("Remove", lambda: self.removed.emit(self.direction))
        more.clicked.connect(lambda: menu.popup(more.mapToGlobal(more.rect().bottomLeft())))
        self.strip_button.toggled.connect(self._toggle_strip)
        self.slider.moved.connect(self._on_moved)
        self.refresh()

    def refresh(self) -> None:
        """Show how far the model has moved along this direction."""
        edit = self._model.find_edit(self.direction)
        if edit is not None:
            self._blocks = (edit.first_block, edit.last_block)
        self.show_value(0 if edit is None else edit.sigmas)
        first, last = self._blocks
        blocks = f"block {first}" if first == last else f"blocks {first}–{last}"
        title = self._model.title(self.direction, self._blocks)
        technical = f"{self.direction.name} · {blocks}"
        self.label.setText(title)
        self.detail.setText(blocks if title == self.direction.name else technical)
        explanation = plain_tooltip(f"{self._effects_text()}{technical}{self._voxels()}")
        for label in (self.label, self.detail):
            label.setToolTip(explanation)
        if self.strip is not None:
            latent, direction = self._model.latent, self.direction
            moved = [Edit(direction, float(step), first, last) for step in STEPS]
            states = [replace(latent, edits=with_edit(latent.edits, each)) for each in moved]
            self.strip.show_along(states, 0 if edit is None else edit.sigmas, title)

    def _toggle_strip(self, wanted: bool) -> None:
        self.strip_button.set_icon("strip open" if wanted else "strip")
        if wanted:
            self.strip = DirectionStrip(self._model, self._thumbnails)
            self.strip.chosen.connect(self._go_to)
            self.layout().addWidget(self.strip)
            self.strip_opened.emit()
            self.refresh()
        elif self.strip is not None:
            self.strip.withdraw()
            self.layout().removeWidget(self.strip)
            self.strip.hide()
            self.strip.deleteLater()
            self.strip = None

    def _go_to(self, sigmas: float) -> None:
        self._model.set_edit(self.direction, sigmas, self._blocks)

    def _effects_text(self) -> str:
        """Return what one sigma changes, as a sentence; empty if it was not measured."""
        effects = self._model.effects_of(self.direction, self._blocks)
        if effects is None:
            return ""
        if not effects.found:
            return "Changes nothing that is measured alike in nearly all volumes. "
        return f"Per σ, on average: {', '.join(effect.text() for effect in effects.found)}. "

    def _voxels(self) -> str:
        method, effect = self.direction.method, self.direction.effect
        return f" ({method}{f', changes voxels by {effect:.4f} per σ' if effect else ''})"

    def set_blocks(self, blocks: tuple[int, int]) -> None:
        """Apply the direction to another range of blocks."""
        self._blocks = blocks
        edit = self._model.find_edit(self.direction)
        if edit is not None:
            self._model.set_edit(self.direction, edit.sigmas, blocks)
        self.refresh()

    def _on_moved(self, value: float, gesture: object) -> None:
        self._model.set_edit(self.direction, value, self._blocks, (self.direction, gesture))

    def _choose_blocks(self) -> None:
        dialog = BlockRangeDialog(self._model, self._blocks, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.set_blocks(dialog.blocks()))
        dialog.open()


class BlockRangeDialog(QDialog):
    """A dialog that asks for a range of blocks."""

    def __init__(
        self, model: ExplorerModel, blocks: tuple[int, int], parent: QWidget | None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Blocks")
        config = model.checkpoint.config if model.checkpoint else None
        self.first, self.last = QComboBox(), QComboBox()
        for box, tooltip, value in (
            (self.first, "Coarsest block the direction acts on", blocks[0]),
            (self.last, "Finest block the direction acts on", blocks[1]),
        ):
            box.addItems([block_name(config, block) for block in range(model.n_blocks)])
            box.setCurrentIndex(value)
            box.setToolTip(tooltip)
        self.first.currentIndexChanged.connect(
            lambda first: self.last.setCurrentIndex(max(first, self.last.currentIndex()))
        )
        self.last.currentIndexChanged.connect(
            lambda last: self.first.setCurrentIndex(min(last, self.first.currentIndex()))
        )
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form = QFormLayout(self)
        form.addRow("From", self.first)
        form.addRow("To", self.last)
        form.addRow(buttons)

    def blocks(self) -> tuple[int, int]:
        """Return the chosen range, 0-based and inclusive."""
        return self.first.currentIndex(), self.last.currentIndex()
