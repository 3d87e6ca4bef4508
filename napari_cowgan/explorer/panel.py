"""The latent explorer."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QVBoxLayout,
    QWidget,
)

from cowgan.checkpoint import BUNDLED
from cowgan.errors import CowganError
from napari_cowgan.explorer.browser import Browser
from napari_cowgan.explorer.checkpoint_group import CheckpointGroup
from napari_cowgan.explorer.compare_group import CompareGroup
from napari_cowgan.explorer.direction_group import DirectionGroup
from napari_cowgan.explorer.explorer_model import ExplorerModel, ExplorerState
from napari_cowgan.explorer.export_group import ExportGroup
from napari_cowgan.explorer.favourites_group import FavouritesGroup
from napari_cowgan.explorer.handover import hand_over, take_over
from napari_cowgan.explorer.last_session import LastSession
from napari_cowgan.explorer.last_session_group import LastSessionGroup
from napari_cowgan.explorer.layer import VolumeLayer
from napari_cowgan.explorer.mixing_group import MixingGroup
from napari_cowgan.explorer.noise_group import NoiseGroup
from napari_cowgan.explorer.renderer import Rendered, Renderer
from napari_cowgan.explorer.saved_session import (
    SUFFIX,
    ExplorerSession,
    read_session,
    write_session,
)
from napari_cowgan.explorer.seed_group import SeedGroup
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
from napari_cowgan.widgets.problems import show_problem
from napari_cowgan.widgets.settings import is_there

if TYPE_CHECKING:
    import napari

_REMEMBERED_AFTER_MS = 1000
_CHECKPOINT_SUFFIXES = (".safetensors", ".pt")


class LatentExplorer(QWidget):
    """Opens a 3D StyleGAN, steers its latent space and shows the volume in 3D.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where the volume is shown.
    """

    def __init__(self, napari_viewer: "napari.Viewer") -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.model = ExplorerModel()
        self.shown = VolumeLayer(napari_viewer)
        self._renderer = Renderer()
        self._drawn: Rendered | None = None
        self._thumbnails = Thumbnails()

        self.checkpoint = CheckpointGroup(self.model)
        self.view = ViewGroup(napari_viewer, self.shown)
        self.seed = SeedGroup(self.model)
        self.truncation = TruncationGroup(self.model)
        self.directions = DirectionGroup(self.model)
        self.mixing = MixingGroup(self.model, self._thumbnails)
        self.noise = NoiseGroup(self.model)
        self.favourites = FavouritesGroup(self.model, self._thumbnails)
        self.compare = CompareGroup(napari_viewer, self.shown, self.model, self._thumbnails)
        self.browser = Browser(self.model, self)
        self.export = ExportGroup(self.model)
        self.last_session = LastSessionGroup()
        self.status = hint("")
        self._build()
        self._bind_keys()
        self.setAcceptDrops(True)

        self.model.state_changed.connect(self._request)
        self.model.model_changed.connect(self._on_model)
        self._renderer.ready.connect(self._draw)
        self._renderer.failed.connect(self._on_problem)
        self.seed.browsing_wanted.connect(partial(self.browser.browse, "seeds"))
        self.directions.browsing_wanted.connect(partial(self.browser.browse, "directions"))
        self.export.session_wanted.connect(self.save_session)
        self.export.session_chosen.connect(self.open_session)
        self._last_session = LastSession()
        self._remembering = QTimer(self)
        self._remembering.setSingleShot(True)
        self._remembering.setInterval(_REMEMBERED_AFTER_MS)
        self._remembering.timeout.connect(self._last_session.write)
        self.model.undo_stack.indexChanged.connect(self._note_session)
        self.last_session.chosen.connect(self._open)
        self.last_session.decided.connect(LastSession.decide)
        end = partial(
            _shut_down,
            self._renderer,
            self._thumbnails,
            self.findChildren(JobBar),
            self._last_session,
        )
        self.destroyed.connect(end)
        self._begin()

    # Construction

    def _build(self) -> None:
        self.undo = icon_button("undo", "Undo the last change (Ctrl+Alt+Z)")
        self.redo = icon_button("redo", "Redo what was undone (Ctrl+Alt+Y)")
        self.reset = text_button(
            "Reset", "Back to the plain volume of this seed: no truncation, mixing or directions"
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
            ("Directions", self.directions, True),
            ("Truncation", self.truncation, True),
            ("Favourites", self.favourites, True),
            ("Export and session", self.export, True),
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

    # Opening and saving

    def open_checkpoint(self, path: str | Path, depth: int | None = None) -> None:
        """Open a model in the background; a failure is told and changes nothing."""
        self.checkpoint.open_checkpoint(Path(path), depth)

    def open_session(self, path: str | Path) -> None:
        """Open a session file, and the model it was made with."""
        try:
            session = read_session(Path(path))
        except CowganError as error:
            self._on_problem(error)
        else:
            self._open(session)

    def save_session(self, path: str | Path) -> None:
        """Save model, state, favourites and comparison to a session file."""
        session = self.session()
        if session is None:
            return
        try:
            write_session(session, Path(path))
        except CowganError as error:
            self._on_problem(error)

    def session(self) -> ExplorerSession | None:
        """Return model, state, favourites and comparison; None before a model is open."""
        checkpoint = self.model.checkpoint
        if checkpoint is None:
            return None
        own = checkpoint.path is None or checkpoint.path == BUNDLED
        return ExplorerSession(
            checkpoint_path=None if own else str(checkpoint.path),
            checkpoint_sha256=checkpoint.sha256,
            checkpoint_name=checkpoint.card.name,
            depth=checkpoint.config.depth,
            latent=self.model.latent,
            mix_seed=self.model.state.mix_seed,
            mix_amount=self.model.state.mix_amount,
            favourites=tuple(self.favourites.favourites()),
            slots=self.compare.slots,
        )

    def leave(self) -> None:
        """Leave to the next explorer in this window what it begins with."""
        session = self._remembered() or self._wanted
        if session is not None:
            hand_over(self._viewer, session, self.shown.layer, self.shown.look())
        self.compare.side_by_side.setChecked(False)
        for bar in self.findChildren(JobBar):
            # What still comes must not be shown by a panel that is being taken apart.
            bar.stop()
        self._last_session.write()

    def _begin(self) -> None:
        """Go on where the explorer was that this window had before, or else begin afresh."""
        self._wanted: ExplorerSession | None = None
        last = self._last_session.offer()
        if last is not None:
            self.last_session.offer(last)
        handover = take_over(self._viewer)
        if handover is None:
            self.checkpoint.open_last()
            return
        self.shown.adopt(handover.layer and handover.layer(), handover.look)
        self._wanted = handover.session
        model_path = _model_path(handover.session)
        if is_there(model_path):
            self.checkpoint.open_checkpoint(model_path, handover.session.depth, self._go_on)
        else:
            self.checkpoint.open_last()

    def _go_on(self) -> None:
        if self._wanted is not None:
            self._restore(self._wanted)
            self._wanted = None
            # Coming back is no change: neither one to undo nor one to remember.
            self.model.undo_stack.clear()
            self._last_session.drop()

    def _remembered(self) -> ExplorerSession | None:
        """Return the session without its favourites, which are kept with the model."""
        session = self.session()
        return None if session is None else replace(session, favourites=())

    def _note_session(self) -> None:
        session = self._remembered()
        if session is not None:
            self._last_session.note(session)
            self._remembering.start()

    def _open(self, session: ExplorerSession) -> None:
        checkpoint = self.model.checkpoint
        if checkpoint is not None and (checkpoint.sha256, checkpoint.config.depth) == (
            session.checkpoint_sha256,
            session.depth,
        ):
            self._restore(session)
            return
        model_path = _model_path(session)
        if not is_there(model_path):
            self._on_problem(
                CowganError(
                    f"The model “{session.checkpoint_name}” of this session is not at "
                    f"{model_path} any more; open the model first, then the session."
                )
            )
            return
        self.checkpoint.open_checkpoint(model_path, session.depth, lambda: self._restore(session))

    def _restore(self, session: ExplorerSession) -> None:
        checkpoint = self.model.checkpoint
        if checkpoint is not None and checkpoint.sha256 != session.checkpoint_sha256:
            self._on_problem(
                CowganError(
                    f"The model “{session.checkpoint_name}” has changed since this session was "
                    "saved, so its volumes may look different."
                )
            )
        state = ExplorerState(session.latent, session.mix_seed, session.mix_amount)
        known = {(f.name, f.state) for f in session.favourites}
        others = [f for f in self.favourites.favourites() if (f.name, f.state) not in known]
        text = "open session"
        with self.model.step(text):
            self.model.change(state, text)
            self.favourites.edit_favourites([*session.favourites, *others], text)
            self.compare.edit_slots({"A": None, "B": None, **session.slots}, text)

    # Rendering

    @property
    def showing_complete_volume(self) -> bool:
        """Whether the layer shows the present state in full, not an older one or a preview."""
        drawn = self._drawn
        return (
            drawn is not None and drawn.preview_block is None and drawn.state == self.model.latent
        )

    def _on_model(self) -> None:
        self._thumbnails.clear()
        self._drawn = None
        self._request()

    def _request(self) -> None:
        synthesizer = self.model.synthesizer
        if synthesizer is not None:
            self._renderer.request(synthesizer, self.model.latent)

    def _draw(self) -> None:
        rendered = self._renderer.take()
        if rendered is None or rendered.synthesizer is not self.model.synthesizer:
            return
        if self.shown.show(rendered.volume):
            self.view.apply()
            look_from(self._viewer, "axial")
            show_scale_bar(self._viewer)
        self._drawn = rendered
        milliseconds = f"{1000 * rendered.elapsed_s:.0f} ms"
        if rendered.preview_block is None:
            self.status.setText(f"Complete, {milliseconds}")
        else:
            self.status.setText(f"Preview to block {rendered.preview_block}, {milliseconds}")

    def _on_problem(self, error: BaseException) -> None:
        show_problem(self, error)

    # Drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept one checkpoint or session file."""
        if _dropped_file(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the dropped file."""
        path = _dropped_file(event)
        if path is None:
            return
        event.acceptProposedAction()
        if path.name.lower().endswith(SUFFIX):
            self.open_session(path)
        else:
            self.open_checkpoint(path)


def _dropped_file(event: QDropEvent) -> Path | None:
    path = dropped_path(event)
    if path is None:
        return None
    accepted = path.is_dir() or path.name.lower().endswith((*_CHECKPOINT_SUFFIXES, SUFFIX))
    return path if accepted else None


def _model_path(session: ExplorerSession) -> Path:
    return BUNDLED if session.checkpoint_path is None else Path(session.checkpoint_path)


def _shut_down(
    renderer: Renderer,
    thumbnails: Thumbnails,
    bars: list[JobBar],
    last_session: LastSession,
    *_: object,
) -> None:
    last_session.write()
    for bar in bars:
        bar.end()
    renderer.stop()
    thumbnails.stop()
