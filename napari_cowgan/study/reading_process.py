"""The reading window, started on this computer in a process of its own."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile

from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QApplication

from cowgan.errors import CowganError
from napari_cowgan.widgets.problems import show_problem

_LOOK_EVERY_MS = 500
_TOLD_BY_WINDOW = 2
_TAIL = 4000


def read_package() -> None:
    """Open the reading window, which asks for a package; an entry of the menu."""
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
    """Reads a package; goes on if napari is closed.

    Parameters
    ----------
    package : Path or None
        A reader's folder; None if the window is to ask for it.
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

    def __init__(self, package: Path | None, parent: QObject) -> None:
        super().__init__(parent)
        command = [sys.executable, "-m", "napari_cowgan.reading"]
        if package is not None:
            command.append(str(package))
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
