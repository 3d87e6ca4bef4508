"""Background search for the scans in a folder."""

from functools import partial
from pathlib import Path

from qtpy.QtCore import QTimer, Signal

from napari_cowgan.data.tasks import Listing, list_scans
from napari_cowgan.widgets.jobs import JobBar
from napari_cowgan.widgets.remembered import is_there

_TYPING_MS = 400
"""Time without changes of a path after which the folder is read."""


class ScanSearch(JobBar):
    """Searches a folder for scans as soon as its path stops changing, and shows the progress.

    Attributes
    ----------
    listing : Listing or None
        Scans of the present folder, once they are found.

    Signals
    -------
    found
        The search is complete; see `listing`.
    failed : Exception
        The folder cannot be searched, or holds no scans.
    """

    found = Signal()
    failed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.listing: Listing | None = None
        self._folders: tuple[Path | None, Path | None] = None, None
        self._typed = QTimer(self)
        self._typed.setSingleShot(True)
        self._typed.setInterval(_TYPING_MS)
        self._typed.timeout.connect(self._search)

    def restart(self, scans: Path | None, out: Path | None) -> None:
        """Forget what was found, and search another folder after a pause.

        Parameters
        ----------
        scans : Path or None
            The folder; not searched if it does not exist.
        out : Path or None
            Folder of results, whose names of cases are used.
        """
        self.stop()
        self.listing = None
        self._folders = scans, out
        self._typed.start()

    def stop(self) -> None:
        """Cancel the search."""
        self._typed.stop()
        super().stop()

    def _search(self) -> None:
        scans, out = self._folders
        if scans is not None and is_there(scans):
            self.run("Searching", partial(list_scans, scans, out), self._on_found, self.failed.emit)

    def _on_found(self, listing: Listing) -> None:
        self.listing = listing
        self.found.emit()
