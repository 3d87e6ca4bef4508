"""Sliders that move along directions of the latent space."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QInputDialog,
    QLineEdit,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from cowgan.checkpoint import Checkpoint
from cowgan.errors import CowganError
from cowgan.latent import (
    default_directions,
    direction_between,
    load_directions,
    save_directions,
    stored_directions,
)
from cowgan.progress import Progress
from cowgan.synthesis import Direction, LatentState
from napari_cowgan.explorer.blocks import block_name
from napari_cowgan.explorer.controls import (
    Slider,
    SliderRow,
    hint,
    icon_button,
    row,
    text_button,
)
from napari_cowgan.explorer.model import ExplorerModel
from napari_cowgan.jobs import JobBar
from napari_cowgan.problems import show_problem
from napari_cowgan.settings import data_folder, last_folder, remember_folder
from napari_cowgan.tooltips import TOOLTIPS

_SHOWN_AT_FIRST = 6
_FILTER = "Directions (*.safetensors *.json)"


class DirectionRow(SliderRow):
    """One direction: name, blocks, slider, reset and a menu."""

    renamed = Signal(object, str)
    removed = Signal(object)

    def __init__(self, model: ExplorerModel, direction: Direction) -> None:
        self._model = model
        self.direction = direction
        self._blocks = (direction.first_block, direction.last_block)
        menu = icon_button("menu", "direction_menu")
        menu.clicked.connect(lambda: self._menu().exec(menu.mapToGlobal(menu.rect().bottomLeft())))
        super().__init__(direction.name, Slider(-3, 3, 0, "direction"), 0, menu)
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
        self.label.setText(f"{self.direction.name} · {blocks}")
        effect = f", changes voxels by {self.direction.effect:.4f} per σ" * bool(
            self.direction.effect
        )
        self.label.setToolTip(f"{self.direction.name} ({self.direction.method}{effect})")

    def set_blocks(self, blocks: tuple[int, int]) -> None:
        """Let the direction act on another range of blocks."""
        self._blocks = blocks
        edit = self._model.find_edit(self.direction)
        if edit is not None:
            self._model.set_edit(self.direction, edit.sigmas, blocks)
        self.refresh()

    def _on_moved(self, value: float, gesture: object) -> None:
        self._model.set_edit(self.direction, value, self._blocks, (self.direction, gesture))

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("Blocks…", self._choose_blocks)
        menu.addAction("Rename…", self._rename)
        menu.addAction("Remove", lambda: self.removed.emit(self.direction))
        return menu

    def _choose_blocks(self) -> None:
        dialog = BlockRangeDialog(self._model, self._blocks, self)
        dialog.accepted.connect(lambda: self.set_blocks(dialog.blocks()))
        dialog.open()

    def _rename(self) -> None:
        name, accepted = QInputDialog.getText(
            self, "Rename direction", "Name", QLineEdit.EchoMode.Normal, self.direction.name
        )
        if accepted and name.strip():
            self.renamed.emit(self.direction, name.strip())


class BlockRangeDialog(QDialog):
    """Asks for a range of blocks."""

    def __init__(
        self, model: ExplorerModel, blocks: tuple[int, int], parent: QWidget | None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Blocks")
        config = model.checkpoint.config if model.checkpoint else None
        self.first, self.last = QComboBox(), QComboBox()
        for box, tooltip, value in (
            (self.first, "first_block", blocks[0]),
            (self.last, "last_block", blocks[1]),
        ):
            box.addItems([block_name(config, block) for block in range(model.n_blocks)])
            box.setCurrentIndex(value)
            box.setToolTip(TOOLTIPS[tooltip])
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


class DirectionGroup(QWidget):
    """The sliders, and what finds, loads and saves directions."""

    def __init__(self, model: ExplorerModel) -> None:
        super().__init__()
        self._model = model
        self._show_all = False
        self.rows: list[DirectionRow] = []
        self.empty = hint("No directions yet for this model.")
        self.job = JobBar()
        self._rows_layout = QVBoxLayout()
        self._rows_layout.setContentsMargins(0, 0, 0, 0)
        self._rows_layout.setSpacing(2)
        self.more = text_button("Show all", "more_directions")
        self.search_button = text_button("Find", "find_directions")
        self.keep = text_button("Keep as…", "name_edit")
        self.load = text_button("Load…", "load_directions")
        self.save = text_button("Save…", "save_directions")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.empty)
        layout.addLayout(self._rows_layout)
        layout.addWidget(self.more)
        layout.addWidget(self.job)
        layout.addLayout(row(self.search_button, self.keep, self.load, self.save))
        self.more.clicked.connect(self._toggle_all)
        self.search_button.clicked.connect(self.search)
        self.keep.clicked.connect(self._keep_edit)
        self.load.clicked.connect(self._choose_file_to_load)
        self.save.clicked.connect(self._choose_file_to_save)
        model.model_changed.connect(self._on_model)
        model.directions_changed.connect(self._rebuild)
        model.state_changed.connect(self.refresh)
        self._checkpoint: Checkpoint | None = None
        self._on_model()
        self._rebuild()

    def refresh(self) -> None:
        """Show the model's edits."""
        for direction_row in self.rows:
            direction_row.refresh()
        self.keep.setEnabled(bool(self._model.latent.edits))

    def search(self) -> None:
        """Find directions in the background and show them when they are there."""
        synthesizer = self._model.synthesizer
        if synthesizer is None:
            return

        def work(progress: Progress) -> list[Direction]:
            return default_directions(synthesizer, progress)

        def show(found: list[Direction]) -> None:
            self._model.set_directions(found)
            self._keep()

        self.empty.setText("Searching for directions that change the volume…")
        self.search_button.setEnabled(False)
        job = self.job.run("Direction", work, show, self._on_problem)
        job.finished.connect(self._on_search_over)

    def _on_search_over(self) -> None:
        self.search_button.setEnabled(True)
        self.empty.setText("No directions yet for this model.")

    def open_file(self, path: Path) -> None:
        """Show the directions that are stored in a file."""
        checkpoint = self._model.checkpoint
        if checkpoint is None:
            return
        try:
            loaded = load_directions(path, checkpoint)
        except CowganError as error:
            self._on_problem(error)
            return
        self._model.set_directions(list(loaded.directions))
        if not loaded.belong_to(checkpoint):
            show_problem(
                self,
                CowganError(
                    f"These directions were found in “{loaded.checkpoint_name}”, so they may do "
                    "something else in this model."
                ),
            )

    def save_file(self, path: Path) -> None:
        """Store the shown directions in a file."""
        checkpoint = self._model.checkpoint
        if checkpoint is None:
            return
        try:
            save_directions(path, self._model.directions, checkpoint)
        except CowganError as error:
            self._on_problem(error)

    def _on_problem(self, error: BaseException) -> None:
        show_problem(self, error)

    def _keep(self) -> None:
        """Remember the list for this model."""
        kept = self._kept_path()
        if kept is not None and self._model.directions:
            self.save_file(kept)

    def _kept_path(self) -> Path | None:
        checkpoint = self._model.checkpoint
        if checkpoint is None or checkpoint.sha256 is None:
            return None
        return data_folder() / "directions" / f"{checkpoint.sha256}.safetensors"

    def _on_model(self) -> None:
        checkpoint = self._model.checkpoint
        self.setEnabled(checkpoint is not None)
        if checkpoint is None or checkpoint is self._checkpoint:
            return
        self._checkpoint = checkpoint
        self.job.stop()
        self.search_button.setEnabled(True)
        known = self._known_directions(checkpoint)
        if known is None:
            self.search()
        else:
            self._model.set_directions(known)

    def _known_directions(self, checkpoint: Checkpoint) -> list[Direction] | None:
        """Return the person's own list, else the model's; a damaged file counts as none."""
        kept = self._kept_path()
        try:
            if kept is not None and kept.exists():
                return list(load_directions(kept, checkpoint).directions)
            return stored_directions(checkpoint)
        except CowganError:
            return None

    def _rebuild(self) -> None:
        for old in self.rows:
            self._rows_layout.removeWidget(old)
            old.deleteLater()
        self.rows = []
        for direction in self._model.directions:
            new = DirectionRow(self._model, direction)
            new.renamed.connect(self._on_renamed)
            new.removed.connect(self._on_removed)
            self._rows_layout.addWidget(new)
            self.rows.append(new)
        self._show_rows()
        self.refresh()

    def _show_rows(self) -> None:
        for i, direction_row in enumerate(self.rows):
            used = self._model.find_edit(direction_row.direction) is not None
            direction_row.setVisible(self._show_all or i < _SHOWN_AT_FIRST or used)
        hidden = len(self.rows) - _SHOWN_AT_FIRST
        self.more.setVisible(hidden > 0)
        self.more.setText("Show fewer" if self._show_all else f"Show {hidden} more")
        self.empty.setVisible(not self.rows)
        self.save.setEnabled(bool(self.rows))

    def _toggle_all(self) -> None:
        self._show_all = not self._show_all
        self._show_rows()

    def _on_renamed(self, direction: Direction, name: str) -> None:
        new = replace(direction, name=name)
        self._replace(direction, [new])

    def _on_removed(self, direction: Direction) -> None:
        edit = self._model.find_edit(direction)
        if edit is not None:
            self._model.set_edit(direction, 0, (edit.first_block, edit.last_block))
        self._replace(direction, [])

    def _replace(self, old: Direction, new: list[Direction]) -> None:
        edits = tuple(
            replace(edit, direction=new[0]) if edit.direction == old and new else edit
            for edit in self._model.latent.edits
        )
        directions = [
            d for known in self._model.directions for d in (new if known == old else [known])
        ]
        self._model.directions = directions
        self._model.edit("rename direction", edits=edits)
        self._model.set_directions(directions)
        self._keep()

    def _keep_edit(self) -> None:
        checkpoint = self._model.checkpoint
        if checkpoint is None:
            return
        name, accepted = QInputDialog.getText(self, "Keep as direction", "Name")
        if not accepted or not name.strip():
            return
        end = self._model.latent
        start: LatentState = replace(end, edits=())
        try:
            kept = direction_between(checkpoint, start, end, name.strip())
        except CowganError as error:
            self._on_problem(error)
            return
        self._model.set_directions([kept, *self._model.directions])
        self._keep()

    def _choose_file_to_load(self) -> None:
        self._with_file(
            lambda: QFileDialog.getOpenFileName(self, "Load directions", last_folder(), _FILTER),
            self.open_file,
        )

    def _choose_file_to_save(self) -> None:
        self._with_file(
            lambda: QFileDialog.getSaveFileName(
                self, "Save directions", f"{last_folder()}/directions.safetensors", _FILTER
            ),
            self.save_file,
        )

    def _with_file(self, ask: Callable[[], tuple[str, str]], use: Callable[[Path], None]) -> None:
        chosen, _ = ask()
        if chosen:
            remember_folder(Path(chosen))
            use(Path(chosen))
