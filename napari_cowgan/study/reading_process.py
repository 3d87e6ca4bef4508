"""Reading window in a subprocess on this computer."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile

from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QApplication

from cowgan.errors import CowganError
from napari_cowgan.widgets.problems import show_problem

_POLL_MS = 500
_SHOWN_BY_WINDOW = 2
_TAIL = 4000


def read_package() -> None:
    """Open the reading window, which asks for a package; a menu command."""
    application = QApplication.instance()
    assert application is not None
    try:
        reading = ReadingProcess(None, application)
    except CowganError as error:
        show_problem(QApplication.activeWindow(), error)
    else:
        reading.ended.connect(_on_read)
        reading.ended.connect(reading.deleteLater)


def _on_read(problem: CowganError | None) -> None:
    if problem is not None:
        show_problem(QApplication.activeWindow(), problem)


class ReadingProcess(QObject):
    """Subprocess that shows a package to a reader, and outlives napari.

    Parameters
    ----------
    package : Path or None
        Folder of a package; None to let the reader choose one.
    parent : QObject
        Qt parent.

    Signals
    -------
    ended : object
        The window was closed; a `CowganError` if it ended unexpectedly, or else None.

    Raises
    ------
    CowganError
        The process cannot be started.
    """

    ended = Signal(object)

    def __init__(self, package: Path | None, parent: QObject) -> None:
        super().__init__(parent)
        command = [sys.executable, "-m", "napari_cowgan.reading"]
        if package is not None:
            command.append(str(package))
        self._stderr = TemporaryFile()  # noqa: SIM115 - kept as long as the process may write
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                start_new_session=True,
            )
        except OSError as error:
            raise CowganError("The reading window cannot be started.", repr(error)) from error
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._timer.start()

    def _poll(self) -> None:
        status = self.process.poll()
        if status is None:
            return
        self._timer.stop()
        problem = None
        if status not in (0, _SHOWN_BY_WINDOW):
            self._stderr.seek(0)
            output = self._stderr.read()[-_TAIL:].decode("utf-8", "replace")
            problem = CowganError("The reading window ended unexpectedly.", output)
        self._stderr.close()
        self.ended.emit(problem)
