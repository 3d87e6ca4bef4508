"""Saving, restoring and remembering the explorer's session."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer, Signal

from cowgan.checkpoint import BUNDLED
from cowgan.errors import CowganError
from napari_cowgan.explorer.checkpoint_group import CheckpointGroup
from napari_cowgan.explorer.compare_group import CompareGroup
from napari_cowgan.explorer.drag_group import DragGroup
from napari_cowgan.explorer.explorer_model import ExplorerModel, ExplorerState
from napari_cowgan.explorer.favourites_group import FavouritesGroup
from napari_cowgan.explorer.handover import hand_over, take_over
from napari_cowgan.explorer.last_session import LastSession
from napari_cowgan.explorer.last_session_group import LastSessionGroup
from napari_cowgan.explorer.layer import VolumeLayer
from napari_cowgan.explorer.movie_group import MovieGroup
from napari_cowgan.explorer.saved_session import ExplorerSession, read_session, write_session
from napari_cowgan.widgets.remembered import is_there

if TYPE_CHECKING:
    import napari

_WRITE_AFTER_MS = 1000


class SessionKeeper(QObject):
    """Saves and restores sessions, and remembers the current one.

    Every undoable change is written a second later, for the next start of napari to offer. A
    closed explorer hands its session over to the next explorer in its window.

    Signals
    -------
    failed : CowganError
        A session could not be saved or restored, or not exactly.

    Attributes
    ----------
    last : LastSession
        The session on disk that is offered at the next start.
    """

    failed = Signal(object)

    def __init__(
        self,
        viewer: "napari.Viewer",
        shown: VolumeLayer,
        model: ExplorerModel,
        checkpoint: CheckpointGroup,
        favourites: FavouritesGroup,
        compare: CompareGroup,
        movie: MovieGroup,
        drag: DragGroup,
        offer: LastSessionGroup,
    ) -> None:
        super().__init__(checkpoint)
        self._viewer = viewer
        self._shown = shown
        self._model = model
        self._checkpoint = checkpoint
        self._favourites = favourites
        self._compare = compare
        self._movie = movie
        self._drag = drag
        self._offer = offer
        self._handed_over: ExplorerSession | None = None
        self.last = LastSession()
        self._write_soon = QTimer(self)
        self._write_soon.setSingleShot(True)
        self._write_soon.setInterval(_WRITE_AFTER_MS)
        self._write_soon.timeout.connect(self.last.write)
        model.undo_stack.indexChanged.connect(self._note)
        offer.chosen.connect(self._open)
        offer.decided.connect(LastSession.decide)

    def start(self) -> None:
        """Continue the session of the last explorer in this window, or else open a model.

        Offers the session of an earlier process, if there is one.
        """
        last = self.last.offer()
        if last is not None:
            self._offer.offer(last)
        handover = take_over(self._viewer)
        if handover is None:
            self._checkpoint.open_last()
            return
        self._shown.adopt(handover.layer and handover.layer(), handover.look)
        self._handed_over = handover.session
        model_path = _model_path(handover.session)
        if is_there(model_path):
            self._checkpoint.open_checkpoint(model_path, handover.session.depth, self._continue)
        else:
            self._checkpoint.open_last()

    def hand_over(self) -> None:
        """Leave the session to the next explorer in this window."""
        session = self._passing_session() or self._handed_over
        if session is not None:
            hand_over(self._viewer, session, self._shown.layer, self._shown.look())

    def open_file(self, path: Path) -> None:
        """Open a session file and the model it was made with."""
        try:
            session = read_session(path)
        except CowganError as error:
            self.failed.emit(error)
        else:
            self._open(session)

    def save_file(self, path: Path) -> None:
        """Save the current session to a file; do nothing before a model is open."""
        session = self.session()
        if session is None:
            return
        try:
            write_session(session, path)
        except CowganError as error:
            self.failed.emit(error)

    def session(self) -> ExplorerSession | None:
        """Return the current session; None before a model is open."""
        session = self._passing_session()
        if session is None:
            return None
        favourites = tuple(self._favourites.favourites())
        return replace(session, favourites=favourites, movie=self._movie.movie())

    def _passing_session(self) -> ExplorerSession | None:
        """Return the session without favourites and key frames, which the model keeps."""
        checkpoint = self._model.checkpoint
        if checkpoint is None:
            return None
        bundled = checkpoint.path is None or checkpoint.path == BUNDLED
        return ExplorerSession(
            checkpoint_path=None if bundled else str(checkpoint.path),
            checkpoint_sha256=checkpoint.sha256,
            checkpoint_name=checkpoint.card.name,
            depth=checkpoint.config.depth,
            latent=self._model.latent,
            mix_seed=self._model.state.mix_seed,
            mix_amount=self._model.state.mix_amount,
            slots=self._compare.slots,
            plan=self._drag.plan(),
        )

    def _continue(self) -> None:
        if self._handed_over is not None:
            self._restore(self._handed_over)
            self._handed_over = None
            # Taking over is no change of the user's: nothing to undo and nothing to remember.
            self._model.undo_stack.clear()
            self.last.drop()

    def _note(self) -> None:
        session = self._passing_session()
        if session is not None:
            self.last.note(session)
            self._write_soon.start()

    def _open(self, session: ExplorerSession) -> None:
        checkpoint = self._model.checkpoint
        if checkpoint is not None and (checkpoint.sha256, checkpoint.config.depth) == (
            session.checkpoint_sha256,
            session.depth,
        ):
            self._restore(session)
            return
        model_path = _model_path(session)
        if not is_there(model_path):
            self.failed.emit(
                CowganError(
                    f"The model “{session.checkpoint_name}” of this session is no longer at "
                    f"{model_path}; open the model first, then the session."
                )
            )
            return
        self._checkpoint.open_checkpoint(model_path, session.depth, lambda: self._restore(session))

    def _restore(self, session: ExplorerSession) -> None:
        checkpoint = self._model.checkpoint
        if checkpoint is not None and checkpoint.sha256 != session.checkpoint_sha256:
            self.failed.emit(
                CowganError(
                    f"The model “{session.checkpoint_name}” has changed since this session was "
                    "saved, so its volumes may look different."
                )
            )
        state = ExplorerState(session.latent, session.mix_seed, session.mix_amount)
        known = {(f.name, f.state) for f in session.favourites}
        others = [f for f in self._favourites.favourites() if (f.name, f.state) not in known]
        text = "open session"
        with self._model.step(text):
            self._model.change(state, text)
            self._favourites.edit_favourites([*session.favourites, *others], text)
            self._compare.edit_slots({"A": None, "B": None, **session.slots}, text)
            self._drag.edit_plan(session.plan, text)
            if session.movie is not None:
                self._movie.take(session.movie, text)


def _model_path(session: ExplorerSession) -> Path:
    return BUNDLED if session.checkpoint_path is None else Path(session.checkpoint_path)
