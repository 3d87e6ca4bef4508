"""The latent explorer panel."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QVBoxLayout,
    QWidget,
)

from cowgan.latent.dragging import feature_block
from cowgan.latent.movie_files import SUFFIX as MOVIE_SUFFIX
from napari_cowgan.explorer.artery_group import ArteryGroup
from napari_cowgan.explorer.attribute_group import AttributeGroup
from napari_cowgan.explorer.browser import Browser
from napari_cowgan.explorer.checkpoint_group import CheckpointGroup
from napari_cowgan.explorer.compare_group import CompareGroup
from napari_cowgan.explorer.direction_group import DirectionGroup
from napari_cowgan.explorer.drag_group import DragGroup
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.explorer.export_group import ExportGroup
from napari_cowgan.explorer.favourites_group import FavouritesGroup
from napari_cowgan.explorer.last_session import LastSession
from napari_cowgan.explorer.last_session_group import LastSessionGroup
from napari_cowgan.explorer.layer import ArteryLayer, VolumeLayer
from napari_cowgan.explorer.live_measurement import LiveMeasurement
from napari_cowgan.explorer.live_volume import LiveVolume
from napari_cowgan.explorer.map_group import MapGroup
from napari_cowgan.explorer.measurement_group import MeasurementGroup
from napari_cowgan.explorer.mixing_group import MixingGroup
from napari_cowgan.explorer.movie_group import MovieGroup
from napari_cowgan.explorer.noise_group import NoiseGroup
from napari_cowgan.explorer.projection_group import ProjectionGroup
from napari_cowgan.explorer.renderer import Renderer
from napari_cowgan.explorer.saved_session import SUFFIX, ExplorerSession
from napari_cowgan.explorer.seed_group import SeedGroup
from napari_cowgan.explorer.session_keeper import SessionKeeper
from napari_cowgan.explorer.thumbnails import Thumbnails
from napari_cowgan.explorer.truncation_group import TruncationGroup
from napari_cowgan.explorer.view_group import ViewGroup
from napari_cowgan.help.button import HelpButton
from napari_cowgan.help.topics import Topic
from napari_cowgan.viewer.camera import (
    look_from,
    show_scale_bar,
)
from napari_cowgan.widgets.controls import Section, hint, icon_button, row, scrolling, text_button
from napari_cowgan.widgets.drops import dropped_path
from napari_cowgan.widgets.guards import WheelGuard
from napari_cowgan.widgets.jobs import JobBar
from napari_cowgan.widgets.latest_job import LatestJob
from napari_cowgan.widgets.problems import show_problem

if TYPE_CHECKING:
    import napari

_DROPPED_SUFFIXES = (".safetensors", ".pt", SUFFIX, MOVIE_SUFFIX)


class LatentExplorer(QWidget):
    """A panel that opens a 3D StyleGAN, moves in its latent space and shows the volume.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that shows the volume.
    """

    def __init__(self, napari_viewer: "napari.Viewer") -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.model = ExplorerModel()
        self.shown = VolumeLayer(napari_viewer)
        self._thumbnails = Thumbnails()

        self.checkpoint = CheckpointGroup(self.model)
        self.view = ViewGroup(napari_viewer, self.shown)
        self.arteries = ArteryGroup(self.model, ArteryLayer(napari_viewer))
        self.seed = SeedGroup(self.model)
        self.truncation = TruncationGroup(self.model)
        self.measurements = MeasurementGroup(self.model)
        self.attributes = AttributeGroup(self.model)
        self.directions = DirectionGroup(self.model, self._thumbnails)
        self.drag = DragGroup(
            napari_viewer, self.shown, self.model, lambda: self.live.complete_volume
        )
        self.map = MapGroup(napari_viewer, self.model)
        self.mixing = MixingGroup(self.model, self._thumbnails)
        self.noise = NoiseGroup(self.model)
        self.favourites = FavouritesGroup(self.model, self._thumbnails)
        self.compare = CompareGroup(napari_viewer, self.shown, self.model, self._thumbnails)
        self.projection = ProjectionGroup(napari_viewer, self.shown, self.model, self.favourites)
        self.browser = Browser(self.model, self)
        self.export = ExportGroup(self.model)
        self.movie = MovieGroup(napari_viewer, self.shown, self.model, self._thumbnails)
        self.last_session = LastSessionGroup()
        self.status = hint("")
        self.live = LiveVolume(self.model, self.shown, self.arteries, self)
        self.sessions = SessionKeeper(
            napari_viewer,
            self.shown,
            self.model,
            self.checkpoint,
            self.favourites,
            self.compare,
            self.movie,
            self.drag,
            self.last_session,
        )
        self._build()
        self._bind_keys()
        self._connect()
        self.setAcceptDrops(True)
        self.sessions.start()

    # Construction

    def _build(self) -> None:
        self.undo = icon_button("undo", "Undo the last change (Ctrl+Alt+Z)")
        self.redo = icon_button("redo", "Redo the last undone change (Ctrl+Alt+Y)")
        self.reset = text_button(
            "Reset",
            "Return to the plain volume of this seed: no truncation, mixing or directions",
        )
        stack = self.model.undo_stack
        self.undo.clicked.connect(stack.undo)
        self.redo.clicked.connect(stack.redo)
        self.reset.clicked.connect(self.model.reset)
        for button, can, action in (
            (self.undo, stack.canUndoChanged, "undo"),
            (self.redo, stack.canRedoChanged, "redo"),
        ):
            button.setEnabled(False)
            button.setObjectName(action)
            can.connect(button.setEnabled)

        groups = QWidget()
        column = QVBoxLayout(groups)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(2)
        for title, group, expanded in (
            ("Seed", self.seed, True),
            ("Measurements", self.measurements, True),
            ("Attributes", self.attributes, True),
            ("Directions", self.directions, True),
            ("Truncation", self.truncation, True),
            ("Drag vessels", self.drag, False),
            ("Favourites", self.favourites, True),
            ("Export and session", self.export, True),
            ("Movie", self.movie, False),
            ("My scan", self.projection, False),
            ("Map", self.map, False),
            ("Style mixing", self.mixing, False),
            ("Compare A and B", self.compare, False),
            ("Noise", self.noise, False),
            ("Advanced", self.checkpoint.advanced, False),
        ):
            column.addWidget(Section(title, group, expanded))
        column.addStretch(1)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(6)
        layout.addWidget(self.last_session)
        layout.addWidget(self.checkpoint)
        layout.addWidget(self.view)
        layout.addWidget(self.arteries)
        layout.addLayout(row(self.undo, self.redo, self.reset, 1))
        layout.addWidget(scrolling(groups), 1)
        layout.addLayout(row(self.status, HelpButton(Topic.EXPLORER, self)))
        for kind in (QComboBox, QAbstractSpinBox):
            for field in self.findChildren(kind):
                WheelGuard(field)

    def _bind_keys(self) -> None:
        stack = self.model.undo_stack
        anywhere = Qt.ShortcutContext.WindowShortcut
        inside = Qt.ShortcutContext.WidgetWithChildrenShortcut
        for keys, context, action in (
            ("Ctrl+Alt+N", anywhere, lambda: self.model.step_seed(1)),
            ("Ctrl+Alt+B", anywhere, lambda: self.model.step_seed(-1)),
            ("Ctrl+Alt+R", anywhere, self.model.roll_seed),
            ("Ctrl+Alt+G", anywhere, lambda: self.browser.browse("seeds")),
            ("Ctrl+Alt+Z", anywhere, stack.undo),
            ("Ctrl+Alt+Y", anywhere, stack.redo),
            ("Ctrl+Z", inside, stack.undo),
            ("Ctrl+Shift+Z", inside, stack.redo),
        ):
            QShortcut(QKeySequence(keys), self, action, context=context)

    def _connect(self) -> None:
        self.model.model_changed.connect(self._thumbnails.clear)
        self.drag.job.running_changed.connect(self._on_dragging)
        self.live.layer_created.connect(self._on_layer_created)
        self.live.status_changed.connect(self.status.setText)
        self.live.drew.connect(self.measurements.follow)
        self.live.drew.connect(self.projection.follow)
        self.projection.comparison.comparing.connect(self.compare.stop_comparing)
        self.compare.side_by_side.clicked.connect(self.projection.comparison.stop)
        self.compare.difference.clicked.connect(self.projection.comparison.stop)
        self.live.drew.connect(self.map.anatomies.follow)
        self.measurements.measured.connect(self.attributes.show_measured)
        self.measurements.measured.connect(self.map.show_measured)
        self.live.failed.connect(self._on_problem)
        self.sessions.failed.connect(self._on_problem)
        self.seed.browse_requested.connect(partial(self.browser.browse, "seeds"))
        self.directions.browse_requested.connect(partial(self.browser.browse, "directions"))
        self.export.save_requested.connect(self.save_session)
        self.export.open_requested.connect(self.open_session)
        # Holds only what has to be stopped; this widget is deleted by then.
        end = partial(
            _shut_down,
            self.live.renderer,
            self._thumbnails,
            self.findChildren(JobBar),
            self.sessions.last,
            [self.measurements.live, self.attributes.searching, self.map.anatomies.searching],
        )
        self.destroyed.connect(end)

    # Opening and saving

    def open_checkpoint(self, path: str | Path, depth: int | None = None) -> None:
        """Open a model in the background; a failure is shown and changes nothing."""
        self.checkpoint.open_checkpoint(Path(path), depth)

    def open_session(self, path: str | Path) -> None:
        """Open a session file and the model it was made with."""
        self.sessions.open_file(Path(path))

    def save_session(self, path: str | Path) -> None:
        """Save model, state, favourites, comparison, key frames and pulls to a session file."""
        self.sessions.save_file(Path(path))

    def open_movie(self, path: str | Path) -> None:
        """Open a file of key frames that were made with the open model."""
        self.movie.open_file(Path(path))

    def session(self) -> ExplorerSession | None:
        """Return what `save_session` saves; None before a model is open."""
        return self.sessions.session()

    def leave(self) -> None:
        """Hand over to the next explorer in this window and stop all work."""
        self.sessions.hand_over()
        self.compare.stop_comparing()
        self.arteries.remove_labels()
        self.drag.put_away()
        for bar in self.findChildren(JobBar):
            # Results that still arrive must not be shown by a panel that is being deleted.
            bar.stop()
        self.measurements.live.stop()
        self.attributes.searching.stop()
        self.map.anatomies.searching.stop()
        self.sessions.last.write()

    # Showing

    @property
    def showing_complete_volume(self) -> bool:
        """Whether the layer shows the current state in full, not an older one or a preview."""
        return self.live.complete

    def _on_layer_created(self) -> None:
        self.view.apply()
        look_from(self._viewer, "axial")
        show_scale_bar(self._viewer)
        self.drag.show_pulls()

    def _on_dragging(self, dragging: bool) -> None:
        # The drag leaves too little time for finer previews, but coarser ones show no vessels.
        model = self.model.checkpoint
        coarsest = feature_block(model.config) if dragging and model is not None else 0
        self.live.renderer.coarsest_preview = coarsest

    def _on_problem(self, error: BaseException) -> None:
        show_problem(self, error)

    # Drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept one checkpoint, session or file of key frames."""
        if _dropped_file(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the dropped file."""
        path = _dropped_file(event)
        if path is None:
            return
        event.acceptProposedAction()
        name = path.name.lower()
        if name.endswith(SUFFIX):
            self.open_session(path)
        elif name.endswith(MOVIE_SUFFIX):
            self.open_movie(path)
        else:
            self.open_checkpoint(path)


def _dropped_file(event: QDropEvent) -> Path | None:
    path = dropped_path(event)
    if path is None:
        return None
    accepted = path.is_dir() or path.name.lower().endswith(_DROPPED_SUFFIXES)
    return path if accepted else None


def _shut_down(
    renderer: Renderer,
    thumbnails: Thumbnails,
    bars: list[JobBar],
    last_session: LastSession,
    latest: list[LiveMeasurement | LatestJob],
    *_: object,
) -> None:
    last_session.write()
    for job in (*bars, *latest):
        job.end()
    renderer.stop()
    thumbnails.stop()
