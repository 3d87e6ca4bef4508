"""The last session, offered at the next start of napari."""

import logging
from pathlib import Path

from cowgan.errors import CowganError
from napari_cowgan.explorer.saved_session import (
    SUFFIX,
    ExplorerSession,
    read_session,
    write_session,
)
from napari_cowgan.widgets.remembered import data_folder

_log = logging.getLogger(__name__)


class LastSession:
    """The session on disk that the next start of napari offers to continue.

    The decision is process-wide: once the user has edited anything or answered the offer, no
    explorer of this process offers the session of an earlier process again.
    """

    _decided = False

    def __init__(self) -> None:
        self._pending: ExplorerSession | None = None

    @staticmethod
    def path() -> Path:
        """Return the path of the session file."""
        return data_folder() / f"last_session{SUFFIX}"

    @classmethod
    def decide(cls) -> None:
        """Make no further offer in this process."""
        cls._decided = True

    def offer(self) -> ExplorerSession | None:
        """Return the session of an earlier process; None if there is none to offer."""
        path = self.path()
        if self._decided or not path.exists():
            return None
        try:
            return read_session(path)
        except CowganError as error:
            # No dialog: the user did not ask for this file, and the next change replaces it.
            _log.info("the last session cannot be read: %s %s", error, error.detail)
            return None

    def note(self, session: ExplorerSession) -> None:
        """Set the session that `write` will store."""
        self._pending = session

    def drop(self) -> None:
        """Discard the session noted since the last `write`."""
        self._pending = None

    def write(self) -> None:
        """Store the noted session for the next start; touches no widget."""
        if self._pending is None:
            return
        self.decide()
        try:
            write_session(self._pending, self.path())
        except CowganError as error:
            _log.warning("the session cannot be stored: %s %s", error, error.detail)
        self._pending = None
