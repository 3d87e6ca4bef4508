"""Telling a person that something did not work."""

import logging
import platform
import traceback
from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QMessageBox, QWidget

from cowgan import __version__
from cowgan.errors import CowganError

_log = logging.getLogger(__name__)

_MOST_SENTENCES = 6


def sentence(error: BaseException) -> str:
    """Return one plain sentence for any error."""
    if isinstance(error, CowganError):
        return error.sentence
    return "Something unexpected went wrong; “Copy details” helps whoever looks into it."


def details(error: BaseException) -> str:
    """Return what a developer needs to know, for the clipboard and the log."""
    versions = f"napari-cowgan {__version__}, Python {platform.python_version()}"
    technical = error.detail if isinstance(error, CowganError) else ""
    trace = "".join(traceback.format_exception(error))
    return "\n".join(filter(None, (versions, platform.platform(), technical, trace)))


def show_problem(
    parent: QWidget | None,
    error: BaseException,
    remedy: tuple[str, Callable[[], None]] | None = None,
) -> None:
    """Open a dialog with the error's sentence and a button that copies its details.

    A remedy is a further button and what it does.

    The dialog does not block: work that goes on in the background is not held up. A problem
    that is on screen already, such as one that comes with every move of a slider, is not
    told twice.
    """
    text = details(error)
    _log.error("%s\n%s", error, text)
    told = parent.findChildren(QMessageBox) if parent else []
    shown = _paragraphs(error)
    if any(box.isVisible() and box.text() == shown for box in told):
        return
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle("CoW-GAN")
    box.setText(shown)
    copy = box.addButton("Copy details", QMessageBox.ButtonRole.ActionRole)
    if remedy is not None:
        button = box.addButton(remedy[0], QMessageBox.ButtonRole.AcceptRole)
        button.clicked.connect(remedy[1])
    close = box.addButton(QMessageBox.StandardButton.Close)
    box.setDefaultButton(close)
    box.buttonClicked.connect(
        lambda button: QApplication.clipboard().setText(text) if button is copy else None
    )
    box.open()


def _paragraphs(error: BaseException) -> str:
    if not isinstance(error, CowganError):
        return sentence(error)
    shown = list(error.sentences[:_MOST_SENTENCES])
    if left := len(error.sentences) - len(shown):
        shown.append(f"And {left} more, which “Copy details” names.")
    return "\n\n".join(shown)
