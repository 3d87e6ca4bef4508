"""The reading window, started on this computer in a process of its own."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile

from qtpy.QtCore import QObject, QTimer, Signal

from cowgan.errors import CowganError

_LOOK_EVERY_MS = 500
_TOLD_BY_WINDOW = 2
_TAIL = 4000


class ReadingProcess(QObject):
    """Reads a package; goes on if napari is closed.

    Parameters
    ----------
    package : Path
        A reader's folder.
    parent : QObject
        What it is watched by.

    Signals
    -------
    ended : object
        The window is closed; a `CowganError` if it did not end as it should, else None.

    Raises
    ------
    CowganError
        No process can be started.
    """

    ended = Signal(object)

    def __init__(self, package: Path, parent: QObject) -> None:
        super().__init__(parent)
        command = [sys.executable, "-m", "napari_cowgan.turing", str(package)]
        self._said = TemporaryFile()  # noqa: SIM115 - kept as long as the process may write
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                start_new_session=True,
            )
        except OSError as error:
            raise CowganError("The reading window could not be started.", repr(error)) from error
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        status = self.process.poll()
        if status is None:
            return
        self._timer.stop()
        problem = None
        if status not in (0, _TOLD_BY_WINDOW):
            self._said.seek(0)
            said = self._said.read()[-_TAIL:].decode("utf-8", "replace")
            problem = CowganError("The reading window ended unexpectedly.", said)
        self._said.close()
        self.ended.emit(problem)
