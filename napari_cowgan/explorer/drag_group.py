"""Controls that drag vessels of the volume."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QDoubleSpinBox, QLabel, QListWidget, QVBoxLayout, QWidget
from superqt.utils import signals_blocked

from cowgan.errors import Cancelled, CowganError
from cowgan.latent.drag_plan import DragPlan, VoxelRuns
from cowgan.latent.dragging import DragOutcome, DragStep, Pull, beyond_reach, drag
from cowgan.volume import Volume
from napari_cowgan.explorer.canvas_pulling import CanvasPulling
from napari_cowgan.explorer.explorer_model import ExplorerModel, ExplorerState
from napari_cowgan.explorer.fixed_layer import FixedLayer
from napari_cowgan.explorer.layer import VolumeLayer
from napari_cowgan.explorer.pull_layers import PullLayers
from napari_cowgan.explorer.undo import Change
from napari_cowgan.widgets.controls import hint, row, text_button
from napari_cowgan.widgets.jobs import Job, JobBar
from napari_cowgan.widgets.problems import show_problem
from napari_cowgan.widgets.remembered import recall_number, remember

_EMPTY = (
    "No pulls yet. Press “Pull vessels”, then press the mouse on a vessel in the image and move it "
    "to where the vessel should go."
)
_NO_VESSEL = "There is no vessel under the pointer; press on a bright one."
_NOTHING_SHOWN = "There is no vessel in this volume to put a handle on."
_WAIT = "Wait until the complete volume is shown."
_STRAY = "The selected handle lies on no vessel of this volume; remove it, or put a new one."
_STOPPED = "Stopped."
_ENDS = {
    DragOutcome.ARRIVED: "Arrived: {:.1f} mm from the target.",
    DragOutcome.STUCK: (
        "It gets no nearer than {:.1f} mm. Pull less far, or let more of the volume change."
    ),
}
_REACH_KEY = "drag_reach_mm"
_REACH_MM = 10.0
_WAYS = {"left": 1, "forward": 2, "up": 0}
"""Patient directions, and the axis of a voxel (z, x, y) that increases along each."""
_OPPOSITE = {"left": "right", "forward": "back", "up": "down"}

Pulls = tuple[Pull, ...]

_gestures = count()


class DragGroup(QWidget):
    """Pulls made on the canvas or by numbers, what stays fixed, and the drag.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer that shows the volume.
    shown : VolumeLayer
        Layer of the volume.
    model : ExplorerModel
        The model to change.
    volume : callable
        Returns the complete volume of the current state; None while it is not shown.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        shown: VolumeLayer,
        model: ExplorerModel,
        volume: Callable[[], Volume | None],
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._shown = shown
        self._model = model
        self._volume = volume
        self._checkpoint = model.checkpoint
        self._layers = PullLayers(viewer)
        self._canvas = CanvasPulling(viewer, self)
        self._fixed = FixedLayer(viewer, self._canvas.vessel_under, self._on_painted)
        self._dragged: ExplorerState | None = None
        self.pulls: Pulls = ()

        self.place = text_button(
            "Pull vessels",
            "Then press the mouse on a vessel in the image and move it to where the vessel should "
            "go; beside vessels, the mouse moves the view as always",
        )
        self.place.setCheckable(True)
        self.centre = text_button(
            "At the centre",
            "Put a handle on the vessel nearest to the middle of the view; the numbers below say "
            "where it is pulled",
        )
        self.list = QListWidget()
        self.list.setToolTip("Handles and where they are pulled; Del removes the selected one")
        self.list.setAccessibleName("Pulls")
        self.list.setFixedHeight(72)
        self.list.installEventFilter(self)
        self.remove = text_button("Remove", "Remove the selected pull (Del)")
        self.clear = text_button("Remove all", "Remove all pulls")
        self.ways = {way: _way_box(way) for way in _WAYS}
        self.reach = QDoubleSpinBox()
        self.reach.setRange(0, 100)
        self.reach.setDecimals(0)
        self.reach.setSingleStep(5)
        self.reach.setSuffix(" mm")
        self.reach.setSpecialValueText("any distance")
        self.reach.setValue(recall_number(_REACH_KEY, _REACH_MM))
        self.reach.setToolTip(
            "What is farther from every pull should stay as it is. The model may not be able to "
            "move a vessel without changing others; a wider distance lets it move farther"
        )
        self.reach.setAccessibleName("Change within")
        self.paint = text_button(
            "Paint what stays",
            "Then press and move the mouse over what should stay as it is, in addition; in 3D, on "
            "vessels. Napari's eraser takes parts away again",
        )
        self.paint.setCheckable(True)
        self.unpaint = text_button("Erase", "Erase all that was painted")
        self.painted = hint("")
        self.go = text_button(
            "Drag", "Move the vessels, step by step; Cancel stops and keeps what was reached"
        )
        self.said = hint(_EMPTY)
        self.job = JobBar()
        self._build()
        self._connect()
        self._on_model()

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row(self.place, self.centre))
        layout.addWidget(self.list)
        for way, box in self.ways.items():
            layout.addLayout(row(QLabel(f"{way.capitalize()} by"), 1, box))
        layout.addLayout(row(self.remove, self.clear))
        layout.addLayout(row(QLabel("Change within"), 1, self.reach))
        layout.addLayout(row(self.paint, self.unpaint))
        layout.addWidget(self.painted)
        layout.addWidget(self.go)
        layout.addWidget(self.job)
        layout.addWidget(self.said)

    def _connect(self) -> None:
        self.place.toggled.connect(self._on_place)
        self.centre.clicked.connect(self.pull_at_centre)
        self.list.currentRowChanged.connect(self._show_numbers)
        self.remove.clicked.connect(self.remove_selected)
        self.clear.clicked.connect(lambda: self._edit((), "remove all pulls"))
        for box in self.ways.values():
            box.valueChanged.connect(self._on_numbers)
        self.reach.valueChanged.connect(lambda reach: remember(_REACH_KEY, reach))
        self.paint.toggled.connect(self._on_paint)
        self.unpaint.clicked.connect(lambda: self._edit_fixed(None, "erase what stays"))
        self.go.clicked.connect(self.drag)
        self.job.running_changed.connect(self._refresh_buttons)
        self._model.model_changed.connect(self._on_model)
        self._model.state_changed.connect(self._on_state)

    # Pulls

    def shown(self) -> tuple[Image, Volume] | None:
        """Return the layer and its volume, unless a drag moves it or a preview is shown."""
        layer, volume = self._shown.layer, self._volume()
        if layer is None or volume is None or self.job.running:
            return None
        return layer, volume

    def pulling(self, pull: Pull) -> None:
        """Show a pull that is being made."""
        self._show([*self.pulls, pull])

    def pulled(self, pull: Pull | None) -> None:
        """Add a pull that was made on the canvas."""
        if pull is None:
            self.said.setText(_NO_VESSEL)
        else:
            self._edit((*self.pulls, pull), "pull")

    def pull_at_centre(self) -> None:
        """Add a pull of no length at the vessel nearest to the middle of the view."""
        pull = self._canvas.handle_at_centre()
        if pull is None:
            self.said.setText(_NOTHING_SHOWN)
            return
        self._edit((*self.pulls, pull), "pull")
        next(iter(self.ways.values())).setFocus()

    def remove_selected(self) -> None:
        """Remove the selected pull."""
        chosen = self.list.currentRow()
        if chosen >= 0:
            kept = (*self.pulls[:chosen], *self.pulls[chosen + 1 :])
            self._edit(kept, "remove pull")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Remove the selected pull on Delete."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
        ):
            self.remove_selected()
            return True
        return super().eventFilter(watched, event)

    def _edit(self, pulls: Pulls, text: str, gesture: object = None) -> None:
        """Replace the pulls as one undoable step."""
        self.job.stop()
        if pulls != self.pulls:
            change = Change(text, self.pulls, pulls, self._set_pulls, gesture)
            self._model.undo_stack.push(change)

    def _set_pulls(self, pulls: Pulls) -> None:
        added = len(pulls) > len(self.pulls)
        chosen = len(pulls) - 1 if added else min(self.list.currentRow(), len(pulls) - 1)
        self.pulls = pulls
        with signals_blocked(self.list):
            self.list.clear()
            self.list.addItems([self._described(pull) for pull in pulls])
            self.list.setCurrentRow(max(chosen, 0) if pulls else -1)
        self.said.setText("" if pulls else _EMPTY)
        self._show(pulls)
        self._show_numbers()

    def _show(self, pulls: Sequence[Pull]) -> None:
        layer = self._shown.layer
        if layer is not None:
            self._layers.show(pulls, layer)

    # Numbers

    def _show_numbers(self) -> None:
        chosen = self.list.currentRow()
        for way, box in self.ways.items():
            with signals_blocked(box):
                box.setValue(self._along(self.pulls[chosen], way) if chosen >= 0 else 0)
        self._refresh_buttons()

    def _on_numbers(self) -> None:
        chosen, checkpoint = self.list.currentRow(), self._model.checkpoint
        if chosen < 0 or checkpoint is None:
            return
        target = list(self.pulls[chosen].handle)
        for way, axis in _WAYS.items():
            target[axis] += self.ways[way].value() / checkpoint.spacing_mm[axis]
        z, x, y = np.clip(target, 0, np.array(checkpoint.config.volume_shape) - 1).tolist()
        pulls = list(self.pulls)
        pulls[chosen] = replace(pulls[chosen], target=(z, x, y))
        self._edit(tuple(pulls), "pull", ("pull", chosen))

    def _along(self, pull: Pull, way: str) -> float:
        """Return how far a target lies from its handle along a way, in mm."""
        axis = _WAYS[way]
        spacing_mm = self._model.checkpoint.spacing_mm[axis] if self._model.checkpoint else 0
        return (pull.target[axis] - pull.handle[axis]) * spacing_mm

    def _described(self, pull: Pull) -> str:
        parts = []
        for way in _WAYS:
            mm = self._along(pull, way)
            if abs(mm) >= 0.05:
                parts.append(f"{abs(mm):.1f} mm {way if mm > 0 else _OPPOSITE[way]}")
        return ", ".join(parts) or "not pulled yet"

    # What stays

    def _on_place(self, on: bool) -> None:
        if on:
            self.paint.setChecked(False)
        self._canvas.enable(on)

    def _on_paint(self, on: bool) -> None:
        if on:
            self.place.setChecked(False)
        self._fixed.paint(on, self._model.checkpoint)
        layer = self._shown.layer
        if not on and layer in self._viewer.layers:
            self._viewer.layers.selection.active = layer

    def _on_painted(self, before: VoxelRuns | None, after: VoxelRuns | None) -> None:
        """Make a stroke of the brush undoable like any other change."""
        self.job.stop()
        change = Change("paint what stays", before, after, self._set_fixed)
        self._model.undo_stack.push(change)

    def _edit_fixed(self, voxels: VoxelRuns | None, text: str) -> None:
        before = self._fixed.voxels
        if voxels != before:
            self.job.stop()
            self._model.undo_stack.push(Change(text, before, voxels, self._set_fixed))

    def _set_fixed(self, voxels: VoxelRuns | None) -> None:
        if self._model.checkpoint is not None:
            self._fixed.show(voxels, self._model.checkpoint)
        self._refresh_buttons()

    def _fixed_voxels(self, volume: Volume) -> NDArray[np.bool_]:
        fixed = np.zeros(volume.shape, dtype=bool)
        if self.reach.value():
            reach = self.reach.value() / float(np.mean(volume.spacing_mm))
            fixed |= beyond_reach(self.pulls, reach, volume.shape)
        painted = self._fixed.voxels
        return fixed if painted is None else fixed | painted.mask()

    # Sessions

    def plan(self) -> DragPlan:
        """Return the pulls and what is painted."""
        return DragPlan(self.pulls, self._fixed.voxels)

    def edit_plan(self, plan: DragPlan, text: str) -> None:
        """Take pulls and what should stay, as undoable changes; ignore those of another grid."""
        checkpoint = self._model.checkpoint
        if checkpoint is not None and plan.fits(checkpoint.config.volume_shape):
            self._edit(plan.pulls, text)
            self._edit_fixed(plan.fixed, text)

    def show_pulls(self) -> None:
        """Show the pulls again, over a new layer of the volume."""
        self._show(self.pulls)

    # The drag

    def drag(self) -> None:
        """Drag in the background and show every step; the whole drag is one undoable step."""
        synthesizer, volume = self._model.synthesizer, self._volume()
        if synthesizer is None or not self.pulls:
            return
        if volume is None:
            self.said.setText(_WAIT)
            return
        try:
            fixed = self._fixed_voxels(volume)
        except CowganError as error:
            self._on_problem(error)
            return
        stray = self._canvas.off_vessels(self.pulls, volume)
        if stray is not None:
            self.list.setCurrentRow(stray)
            self.said.setText(_STRAY)
            return
        start, pulls = self._model.state, self.pulls
        mm = float(np.mean(volume.spacing_mm))
        gesture = ("drag", next(_gestures))

        def work(job: Job) -> DragStep:
            for step in drag(synthesizer, start.latent, pulls, fixed):
                if job.cancelled:
                    raise Cancelled
                job.deliver(step)
                job.report(0, 0)  # how many steps it takes is not known
            return step

        def show(step: DragStep) -> None:
            self._take(start, pulls, step, gesture)
            self.said.setText(f"{step.distance * mm:.1f} mm to go")

        def end(step: DragStep) -> None:
            self.said.setText(_ENDS[step.outcome].format(step.distance * mm))

        self.place.setChecked(False)
        self.paint.setChecked(False)
        self._dragged = start
        self.job.run(
            "Dragging", work, end, self._on_problem, lambda: self.said.setText(_STOPPED), show
        )

    def _take(self, start: ExplorerState, pulls: Pulls, step: DragStep, gesture: object) -> None:
        self._dragged = replace(start, latent=step.latent)
        moved = tuple(
            replace(pull, handle=handle) for pull, handle in zip(pulls, step.handles, strict=True)
        )
        before, after = (start, pulls), (self._dragged, moved)
        self._model.undo_stack.push(Change("drag", before, after, self._restore, gesture))

    def _restore(self, restored: tuple[ExplorerState, Pulls]) -> None:
        state, pulls = restored
        self._model.restore(state)
        self._set_pulls(pulls)

    # Following the model

    def put_away(self) -> None:
        """Stop dragging, give the mouse back and remove what is shown on the canvas."""
        self.job.stop()
        self.place.setChecked(False)
        self.paint.setChecked(False)
        self._layers.remove()
        self._fixed.remove()

    def _on_model(self) -> None:
        if self._model.checkpoint is not self._checkpoint:
            self._checkpoint = self._model.checkpoint
            self.put_away()
            self._set_pulls(())
        self._refresh_buttons()

    def _on_state(self) -> None:
        # Undo, or another control: the drag must not undo that with its next step.
        if self.job.running and self._model.state != self._dragged:
            self.job.stop()
            self.said.setText(_STOPPED)

    def _refresh_buttons(self) -> None:
        idle = self._model.checkpoint is not None and not self.job.running
        chosen = idle and self.list.currentRow() >= 0
        for always in (self.place, self.centre, self.paint, self.reach):
            always.setEnabled(idle)
        for of_one in (self.remove, *self.ways.values()):
            of_one.setEnabled(chosen)
        for of_all in (self.clear, self.go):
            of_all.setEnabled(idle and bool(self.pulls))
        painted = self._fixed.voxels
        self.unpaint.setEnabled(idle and painted is not None)
        self.painted.setVisible(painted is not None)
        if painted is not None and self._model.checkpoint is not None:
            ml = painted.count * float(np.prod(self._model.checkpoint.spacing_mm)) / 1000
            self.painted.setText(f"Painted: {ml:.2f} ml should stay.")

    def _on_problem(self, error: BaseException) -> None:
        show_problem(self, error)


def _way_box(way: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(-100, 100)
    box.setDecimals(1)
    box.setSingleStep(0.5)
    box.setSuffix(" mm")
    box.setKeyboardTracking(False)
    box.setToolTip(
        f"How far the selected handle is pulled {way}; negative numbers pull it {_OPPOSITE[way]}"
    )
    box.setAccessibleName(f"Pull {way} by")
    return box
