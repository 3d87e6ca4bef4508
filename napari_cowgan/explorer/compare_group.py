"""Comparison of two volumes, A and B."""

from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QCheckBox, QGridLayout, QVBoxLayout, QWidget

from cowgan.progress import Progress, advance
from cowgan.synthesis import LatentState
from cowgan.volume import Volume
from cowgan.volume.differences import brighter, mean_absolute_difference
from napari_cowgan.explorer.comparison_layers import (
    end_comparison,
    label_layer,
    show_as_difference,
    show_side_by_side,
)
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.explorer.layer import VolumeLayer
from napari_cowgan.explorer.thumbnails import Thumbnails
from napari_cowgan.explorer.undo import Change
from napari_cowgan.widgets.controls import ThumbnailButton, hint, text_button
from napari_cowgan.widgets.jobs import JobBar
from napari_cowgan.widgets.problems import show_problem

if TYPE_CHECKING:
    import napari


_COLOURS = {"A": "bop blue", "B": "bop orange"}
_WORDS = {"A": "blue", "B": "orange"}


class CompareGroup(QWidget):
    """Two slots, A and B: keep, show, see both side by side, or see their difference."""

    def __init__(
        self,
        viewer: "napari.Viewer",
        shown: VolumeLayer,
        model: ExplorerModel,
        thumbnails: Thumbnails,
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._shown = shown
        self._model = model
        self._thumbnails = thumbnails
        self.slots: dict[str, LatentState | None] = {"A": None, "B": None}
        self._layers = {name: VolumeLayer(viewer, name) for name in self.slots}
        self.show_buttons: dict[str, ThumbnailButton] = {}
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        for column, name in enumerate(self.slots):
            show = ThumbnailButton(88, f"Show {name}")
            show.setText(f"{name}: empty")
            show.clicked.connect(lambda _=False, name=name: self.show_slot(name))
            keep = text_button(f"Keep as {name}", f"Keep the current volume as {name}")
            keep.clicked.connect(lambda _=False, name=name: self.keep(name))
            grid.addWidget(show, 0, column)
            grid.addWidget(keep, 1, column)
            self.show_buttons[name] = show
        self.side_by_side = QCheckBox("Side by side in a grid")
        self.side_by_side.setToolTip("Show A and B beside the current volume, each labelled")
        self.difference = QCheckBox("Difference")
        self.difference.setToolTip(
            "Show in blue where A is brighter than B and in orange where B is brighter"
        )
        self.outcome = hint("")
        self.outcome.hide()
        self.job = JobBar()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(grid)
        layout.addWidget(self.side_by_side)
        layout.addWidget(self.difference)
        layout.addWidget(self.job)
        layout.addWidget(self.outcome)
        self.side_by_side.toggled.connect(lambda on: self._on_toggled(on, self.difference))
        self.difference.toggled.connect(lambda on: self._on_toggled(on, self.side_by_side))
        thumbnails.changed.connect(self.refresh)
        model.model_changed.connect(self._on_model)
        self._checkpoint = model.checkpoint
        self.refresh()

    def keep(self, name: str) -> None:
        """Keep the shown volume in slot ``"A"`` or ``"B"``, as an undoable step."""
        self.edit_slots({**self.slots, name: self._model.latent}, f"keep as {name}")

    def show_slot(self, name: str) -> None:
        """Show the volume in a slot."""
        state = self.slots[name]
        if state is not None:
            self._model.take(state, f"show {name}")

    def edit_slots(self, slots: dict[str, LatentState | None], text: str) -> None:
        """Replace both slots as one undoable step."""
        if slots != self.slots:
            self._model.undo_stack.push(Change(text, self.slots, slots, self.set_slots))

    def set_slots(self, slots: dict[str, LatentState | None]) -> None:
        """Replace both slots."""
        self.slots = slots
        self.refresh()
        if self._comparing:
            self._show_layers()

    def refresh(self) -> None:
        """Show the thumbnails of the slots."""
        synthesizer = self._model.synthesizer
        for name, state in self.slots.items():
            button = self.show_buttons[name]
            button.setEnabled(state is not None)
            button.setText(f"{name}: empty" if state is None else f"{name}: seed {state.seed}")
            if state is None:
                button.clear()
            elif synthesizer is not None and self.isVisible():
                button.show_pixmap(self._thumbnails.get(synthesizer, state, button))
        full = all(state is not None for state in self.slots.values())
        self.side_by_side.setEnabled(full or self._comparing)
        self.difference.setEnabled(full or self._comparing)

    def stop_comparing(self) -> None:
        """Show neither A and B side by side nor their difference."""
        self.side_by_side.setChecked(False)
        self.difference.setChecked(False)
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Request thumbnails once they are visible."""
        super().showEvent(event)
        self.refresh()

    @property
    def _comparing(self) -> bool:
        return self.side_by_side.isChecked() or self.difference.isChecked()

    def _on_model(self) -> None:
        if self._model.checkpoint is not self._checkpoint:
            self._checkpoint = self._model.checkpoint
            self.stop_comparing()
            self.set_slots({"A": None, "B": None})

    def _on_toggled(self, checked: bool, other: QCheckBox) -> None:
        if checked:
            # Only one comparison at a time: unchecking the other removes its layers.
            other.setChecked(False)
            self._show_layers()
        else:
            self._hide_layers()

    def _show_layers(self) -> None:
        synthesizer = self._model.synthesizer
        states = {name: state for name, state in self.slots.items() if state is not None}
        if synthesizer is None or len(states) < len(self.slots):
            self.stop_comparing()
            return

        def work(progress: Progress) -> dict[str, Volume]:
            volumes = {}
            for name, volume in zip(states, synthesizer.render_many(states.values()), strict=True):
                volumes[name] = volume
                advance(progress, len(volumes), len(states))
            return volumes

        self.job.run("Comparison", work, self._show_volumes, self._fail, self.stop_comparing)

    def _fail(self, error: BaseException) -> None:
        self.stop_comparing()
        show_problem(self, error)

    def _show_volumes(self, volumes: dict[str, Volume]) -> None:
        a, b = volumes["A"], volumes["B"]
        self.outcome.setText(f"Mean difference {mean_absolute_difference(a, b):.3f}")
        self.outcome.show()
        if self.difference.isChecked():
            self._show_differences({"A": brighter(a, b), "B": brighter(b, a)})
        else:
            self._show_side_by_side(volumes)

    def _show_side_by_side(self, volumes: dict[str, Volume]) -> None:
        for name, volume in volumes.items():
            self._show_labelled(name, volume, f"{name}: {self._seed(name)}")
        layers = [each.layer for each in (self._shown, *self._layers.values()) if each.layer]
        show_side_by_side(self._viewer, layers)

    def _show_differences(self, differences: dict[str, Volume]) -> None:
        for name, difference in differences.items():
            label = f"Brighter in {name} ({self._seed(name)}): {_WORDS[name]}"
            layer = self._show_labelled(name, difference, label)
            show_as_difference(layer, _COLOURS[name])
        if self._shown.layer is not None:
            self._shown.layer.visible = False

    def _show_labelled(self, name: str, volume: Volume, label: str) -> Image:
        """Show a volume with a label on the canvas."""
        self._layers[name].show(volume)
        layer = self._layers[name].layer
        assert layer is not None
        label_layer(layer, label)
        return layer

    def _seed(self, name: str) -> str:
        state = self.slots[name]
        assert state is not None
        return f"seed {state.seed}"

    def _hide_layers(self) -> None:
        self.job.stop()
        self.outcome.hide()
        end_comparison(self._viewer, self._shown, list(self._layers.values()))
