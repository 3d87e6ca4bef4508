"""Opening files and web pages in other programs."""

from pathlib import Path

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QWidget

from cowgan.errors import CowganError
from napari_cowgan.widgets.problems import show_problem


def show_elsewhere(parent: QWidget | None, what: Path | str) -> None:
    """Open a file, a folder or a web page in the program that the desktop assigns to it.

    Parameters
    ----------
    parent : QWidget or None
        Parent of the error dialog shown if there is no such program.
    what : Path or str
        A path, or the address of a page.
    """
    address = QUrl(what) if isinstance(what, str) else QUrl.fromLocalFile(str(what.absolute()))
    if not QDesktopServices.openUrl(address):
        where = address.toLocalFile() or address.toString()
        show_problem(parent, CowganError(f"No program could be started to open {where}."))
