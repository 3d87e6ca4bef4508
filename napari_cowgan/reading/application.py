"""Application that shows one package to a reader."""

import logging
import sys
from pathlib import Path
from types import TracebackType

from napari.settings import get_settings
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QApplication

from cowgan.errors import CowganError
from cowgan.turing.reading.package import Package, find_package, key_beside
from napari_cowgan.reading import texts
from napari_cowgan.reading.context import programs_and_computer, screen
from napari_cowgan.reading.controller import ReadingController
from napari_cowgan.reading.window import ReadingWindow
from napari_cowgan.widgets.jobs import Job
from napari_cowgan.widgets.problems import details, sentence

_log = logging.getLogger(__name__)

PROBLEM = 2
"""Exit status if the reading could not start or continue."""


def launch(folder: Path | None, copy: Path | None = None) -> int:
    """Open a package, and return when the reader closes the window.

    Parameters
    ----------
    folder : Path or None
        The package; None to let the reader choose one.
    copy : Path, optional
        A second file that receives every answer.

    Returns
    -------
    int
        0, or 2 after a problem that the window has shown.
    """
    # Settings of napari must not affect readings, nor the other way round.
    get_settings(path=None)
    application = QApplication.instance() or QApplication([texts.WINDOW_TITLE])
    application.setApplicationName(texts.WINDOW_TITLE)
    window = ReadingWindow()
    _show_all_errors_in(window)
    window.showMaximized()
    if folder is None:
        window.ask_for_package(lambda chosen: _open(window, find_package(chosen), copy))
    else:
        _open(window, folder, copy)
    application.exec()
    return PROBLEM if window.failure is not None else 0


def _open(window: ReadingWindow, folder: Path, copy: Path | None) -> None:
    Opening(window, folder, copy).start()


class Opening(QObject):
    """Checks a package in a thread, then starts or resumes its reading.

    Parameters
    ----------
    window : ReadingWindow
        Window that shows the reading and problems.
    folder : Path
        Folder of the package.
    copy : Path, optional
        As for `launch`.
    """

    def __init__(self, window: ReadingWindow, folder: Path, copy: Path | None = None) -> None:
        super().__init__(window)
        self._window = window
        self._copy = copy
        self._job = Job(lambda progress: Package.open(folder, progress))
        self._job.progressed.connect(window.show_checked)
        self._job.succeeded.connect(self._begin)
        self._job.failed.connect(window.fail)

    def start(self) -> None:
        """Start the thread."""
        self._window.refresh()
        self._job.start()

    def _begin(self, package: Package) -> None:
        window = self._window
        if not window.isVisible():
            return
        try:
            image = window.add_image(package.manifest)
            context = programs_and_computer() | {
                "screen": screen(window.screen()),
                "key_beside": key_beside(package.folder),
            }
            window.begin(ReadingController(package, image, context, self._copy))
        except CowganError as error:
            window.fail(error)


def _show_all_errors_in(window: ReadingWindow) -> None:
    """Show unexpected errors in the window; Qt would end the process."""

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        _log.error("%s\n%s", sentence(error), details(error))
        window.fail(error)

    sys.excepthook = show
