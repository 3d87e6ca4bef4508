"""Controls for directions of the latent space."""

from dataclasses import replace
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
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
from cowgan.latent.direction_effects import (
    DirectionEffects,
    has_technical_name,
    measured_effects,
)
from cowgan.latent.effect_files import BUNDLED_EFFECTS, load_effects, save_effects
from cowgan.progress import Progress
from cowgan.synthesis import Direction, Synthesizer
from napari_cowgan.explorer.direction_row import DirectionRow
from napari_cowgan.explorer.explorer_model import ExplorerModel, same_direction
from napari_cowgan.explorer.kept_files import kept_path
from napari_cowgan.explorer.thumbnails import Thumbnails
from napari_cowgan.widgets.controls import hint, row, text_button
from napari_cowgan.widgets.dialogs import ask_for_file, ask_for_name
from napari_cowgan.widgets.jobs import Job, JobBar
from napari_cowgan.widgets.problems import show_problem

_SHOWN_AT_FIRST = 6
_FILTER = "Directions (*.safetensors *.json)"
_NONE = "No directions yet for this model."
_SEARCHING = "Searching for directions that change the volume…"


class DirectionGroup(QWidget):
    """A slider for each direction, and buttons that find, load and save directions.

    Signals
    -------
    browse_requested
        The user wants to see thumbnails along the directions.
    """

    browse_requested = Signal()

    def __init__(self, model: ExplorerModel, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._model = model
        self._thumbnails = thumbnails
        self._show_all = False
        self.rows: list[DirectionRow] = []
        self.empty = hint(_NONE)
        self.job = JobBar()
        self._rows_layout = QVBoxLayout()
        self._rows_layout.setContentsMargins(0, 0, 0, 0)
        self._rows_layout.setSpacing(2)
        self.more = text_button("Show all", "Also show the directions with a smaller effect")
        self.browse = text_button(
            "Browse…", "Browse thumbnails along each direction, from -3 to 3 sigma"
        )
        self.search_button = text_button(
            "Find", "Find the directions that change the volume most and add them"
        )
        self.name_button = text_button(
            "Name", "Measure what each direction changes most, and call it by that"
        )
        self.keep = text_button(
            "Keep as…", "Keep the current combination of sliders as a new direction"
        )
        self.load = text_button("Load…", "Add the directions in a file")
        self.save = text_button("Save…", "Save these directions with their names")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.empty)
        layout.addLayout(self._rows_layout)
        layout.addLayout(row(self.more, self.browse))
        layout.addWidget(self.job)
        layout.addLayout(row(self.search_button, self.name_button, self.keep))
        layout.addLayout(row(self.load, self.save))
        self.browse.clicked.connect(self.browse_requested)
        self.more.clicked.connect(self._toggle_all)
        self.search_button.clicked.connect(self.search)
        self.name_button.clicked.connect(self.measure_effects)
        self.keep.clicked.connect(self._keep_edit)
        self.load.clicked.connect(self._choose_file_to_load)
        self.save.clicked.connect(self._choose_file_to_save)
        model.model_changed.connect(self._on_model)
        model.directions_changed.connect(self._rebuild)
        model.directions_edited.connect(self._keep)
        model.state_changed.connect(self.refresh)
        model.effects_changed.connect(self._show_names)
        self.job.running_changed.connect(self._on_running)
        self._checkpoint: Checkpoint | None = None
        self._on_model()
        self._rebuild()

    def refresh(self) -> None:
        """Show the model's edits."""
        for direction_row in self.rows:
            direction_row.refresh()
        self.keep.setEnabled(bool(self._model.latent.edits))

    def search(self) -> None:
        """Find directions in the background and add them."""
        synthesizer = self._model.synthesizer
        if synthesizer is None:
            return

        def work(progress: Progress) -> list[Direction]:
            return default_directions(synthesizer, progress)

        def show(found: list[Direction]) -> None:
            # Directions that the user named or kept come first.
            self._model.set_directions([*self._model.directions, *found])
            self._keep()

        self.job.run("Direction", work, show, self._on_problem)

    def measure_effects(self) -> None:
        """Measure in the background what directions change; those measured are kept at once."""
        checkpoint, shown, unmeasured = (
            self._model.checkpoint,
            self._model.synthesizer,
            self._unmeasured(),
        )
        if checkpoint is None or shown is None or not unmeasured:
            return
        # The model as it is, not as it was tuned to a scan.
        renderer = Synthesizer(checkpoint, str(shown.device), shown.precision)

        def work(job: Job) -> None:
            for effects in measured_effects(renderer, unmeasured, job):
                job.deliver(effects)

        self.job.run(
            "Measuring", work, lambda _: None, self._on_problem, on_part=self._take_effects
        )

    def _unmeasured(self) -> list[Direction]:
        return [
            each
            for each in self._model.directions
            if has_technical_name(each)
            and self._model.effects_of(each, (each.first_block, each.last_block)) is None
        ]

    def _take_effects(self, effects: DirectionEffects) -> None:
        self._model.set_effects((*self._model.effects, effects))
        checkpoint = self._model.checkpoint
        kept = self._kept_path("direction_effects", ".json")
        if checkpoint is None or kept is None:
            return
        try:
            save_effects(kept, self._model.effects, checkpoint)
        except CowganError as error:
            self.job.stop()
            self._on_problem(error)

    def _on_running(self, running: bool) -> None:
        self.search_button.setDisabled(running)
        self.name_button.setDisabled(running)
        self.empty.setText(_SEARCHING if running else _NONE)

    def open_file(self, path: Path) -> None:
        """Add the directions of a file."""
        checkpoint = self._model.checkpoint
        if checkpoint is None:
            return
        try:
            loaded = load_directions(path, checkpoint)
        except CowganError as error:
            self._on_problem(error)
            return
        directions = [*loaded.directions, *self._model.directions]
        if loaded.model.fits(checkpoint):
            self._model.edit_directions(directions, "load directions")
        else:
            self._model.set_directions(directions)
            show_problem(
                self,
                CowganError(
                    f"These directions were found for the model “{loaded.model.name}”; they "
                    "may have another effect in this one."
                ),
            )

    def save_file(self, path: Path) -> None:
        """Save the directions to a file."""
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
        """Store the list for this model."""
        kept = self._kept_path("directions", ".safetensors")
        if kept is not None and self._model.directions:
            self.save_file(kept)

    def _kept_path(self, folder: str, suffix: str) -> Path | None:
        checkpoint = self._model.checkpoint
        return None if checkpoint is None else kept_path(checkpoint, folder, suffix)

    def _on_model(self) -> None:
        checkpoint = self._model.checkpoint
        self.setEnabled(checkpoint is not None)
        if checkpoint is None or checkpoint is self._checkpoint:
            return
        self._checkpoint = checkpoint
        self.job.stop()
        self._model.set_effects(self._known_effects(checkpoint))
        known = self._known_directions(checkpoint)
        if known is None:
            self.search()
        else:
            self._model.set_directions(known)

    def _known_directions(self, checkpoint: Checkpoint) -> list[Direction] | None:
        """Return the user's list for a model, else the model's own; None if damaged or absent."""
        kept = self._kept_path("directions", ".safetensors")
        try:
            if kept is not None and kept.exists():
                return list(load_directions(kept, checkpoint).directions)
            return stored_directions(checkpoint)
        except CowganError:
            return None

    def _known_effects(self, checkpoint: Checkpoint) -> tuple[DirectionEffects, ...]:
        """Return what was measured earlier, else what is bundled; none if damaged or absent."""
        for path in (self._kept_path("direction_effects", ".json"), BUNDLED_EFFECTS):
            if path is not None and path.exists():
                try:
                    return load_effects(path, checkpoint)
                except CowganError:
                    continue
        return ()

    def _rebuild(self) -> None:
        shown = [old.direction for old in self.rows if old.strip is not None]
        for old in self.rows:
            old.strip_button.setChecked(False)
            self._rows_layout.removeWidget(old)
            old.deleteLater()
        self.rows = []
        for direction in self._model.directions:
            new = DirectionRow(self._model, direction, self._thumbnails)
            new.rename_requested.connect(self._ask_for_new_name)
            new.removed.connect(self._model.remove_direction)
            new.strip_opened.connect(self._close_other_strips)
            self._rows_layout.addWidget(new)
            self.rows.append(new)
            if any(same_direction(direction, other) for other in shown):
                new.strip_button.setChecked(True)
        self._show_rows()
        self._show_names()

    def _show_names(self) -> None:
        self.name_button.setVisible(bool(self._unmeasured()))
        self.refresh()

    def _close_other_strips(self) -> None:
        opened = self.sender()
        for each in self.rows:
            if each is not opened:
                each.strip_button.setChecked(False)

    def _show_rows(self) -> None:
        for i, direction_row in enumerate(self.rows):
            used = self._model.find_edit(direction_row.direction) is not None
            direction_row.setVisible(self._show_all or i < _SHOWN_AT_FIRST or used)
        hidden = len(self.rows) - _SHOWN_AT_FIRST
        self.more.setVisible(hidden > 0)
        self.more.setText("Show fewer" if self._show_all else f"Show {hidden} more")
        self.empty.setVisible(not self.rows)
        self.save.setEnabled(bool(self.rows))
        self.browse.setEnabled(bool(self.rows))

    def _toggle_all(self) -> None:
        self._show_all = not self._show_all
        self._show_rows()

    def _ask_for_new_name(self, direction: Direction) -> None:
        ask_for_name(
            self,
            "Rename direction",
            lambda name: self.rename(direction, name),
            direction.name,
        )

    def rename(self, direction: Direction, name: str) -> None:
        """Rename a direction."""
        self._model.rename_direction(direction, name)

    def _keep_edit(self) -> None:
        ask_for_name(self, "Keep as direction", self.keep_edit)

    def keep_edit(self, name: str) -> None:
        """Keep the current combination of sliders as a new direction."""
        checkpoint, end = self._model.checkpoint, self._model.latent
        if checkpoint is None:
            return
        try:
            kept = direction_between(checkpoint, replace(end, edits=()), end, name)
        except CowganError as error:
            self._on_problem(error)
            return
        self._model.edit_directions([kept, *self._model.directions], f"keep “{name}”")

    def _choose_file_to_load(self) -> None:
        ask_for_file(self, "Load directions", self.open_file, _FILTER)

    def _choose_file_to_save(self) -> None:
        ask_for_file(
            self, "Save directions", self.save_file, _FILTER, save_as="directions.safetensors"
        )
