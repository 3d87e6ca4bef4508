"""What an explorer leaves behind: for the next in its window, and for the next start of napari."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, WeakKeyDictionary, ref

from cowgan.errors import CowganError
from napari_cowgan.explorer.session import SUFFIX, Session, read_session, write_session
from napari_cowgan.widgets.settings import data_folder

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remains:
    """What a closed explorer has left in a window that is still open.

    Attributes
    ----------
    session : Session
        Where it was.
    layer : weak reference to napari.layers.Image, or None
        The layer that it showed its volume in, if that was there.
    look : dict
        How the layer showed it: attributes of the layer.
    """

    session: Session
    layer: "ReferenceType[Image] | None" = None
    look: dict[str, Any] = field(default_factory=dict)


_remains: WeakKeyDictionary["napari.Viewer", Remains] = WeakKeyDictionary()


def leave_behind(
    viewer: "napari.Viewer", session: Session, layer: "Image | None", look: dict[str, Any]
) -> None:
    """Keep what the next explorer in the window of a viewer begins with."""
    _remains[_itself(viewer)] = Remains(session, None if layer is None else ref(layer), look)


def take_remains(viewer: "napari.Viewer") -> Remains | None:
    """Return what the last explorer in the window of a viewer has left, once."""
    return _remains.pop(_itself(viewer), None)


def _itself(viewer: "napari.Viewer") -> "napari.Viewer":
    """Return the viewer that a proxy, such as napari hands out to plugins, stands for."""
    return getattr(viewer, "__wrapped__", viewer)


class LastSession:
    """The session that is offered when napari is started again.

    One of the whole program: as soon as anybody works in this process, or has decided about the
    offer, what was left by another process is not offered any more.
    """

    _decided = False

    def __init__(self) -> None:
        self._pending: Session | None = None

    @staticmethod
    def path() -> Path:
        """Return where it is kept."""
        return data_folder() / f"last_session{SUFFIX}"

    @classmethod
    def decide(cls) -> None:
        """Offer nothing more in this process."""
        cls._decided = True

    def offer(self) -> Session | None:
        """Return what the process before was doing, None if nothing can be told of it."""
        path = self.path()
        if self._decided or not path.exists():
            return None
        try:
            return read_session(path)
        except CowganError as error:
            # No work of a person, who might never have asked for it: the next change replaces it.
            _log.info("the last session cannot be read: %s %s", error, error.detail)
            return None

    def note(self, session: Session) -> None:
        """Take over where the person is now; `write` keeps it."""
        self._pending = session

    def drop(self) -> None:
        """Forget what has been noted since it was written last."""
        self._pending = None

    def write(self) -> None:
        """Keep what has been noted, for the next start; touches no widget."""
        if self._pending is None:
            return
        self.decide()
        try:
            write_session(self._pending, self.path())
        except CowganError as error:
            _log.warning("the session cannot be remembered: %s %s", error, error.detail)
        self._pending = None
