"""Error dialogs."""

import logging
import platform
import re
import traceback
from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QMessageBox, QWidget

from cowgan import __version__
from cowgan.errors import CowganError, from_system
from cowgan.text import one_line

_log = logging.getLogger(__name__)

_MOST_SENTENCES = 6
_LONGEST_OF_SEVERAL = 260
"""Characters of each of several sentences, which share the height of the screen."""

_LONGEST_NAME = 64
_LONG_NAME = re.compile(rf"[^\s/\\]{{{_LONGEST_NAME + 1},}}")
"""A name that would widen the dialog, as it cannot wrap."""


def sentence(error: BaseException) -> str:
    """Return one sentence for any error."""
    if isinstance(error, CowganError):
        return error.sentence
    if isinstance(error, OSError) and (refused := from_system(error)):
        return refused.sentence
    return "An unexpected error occurred; use “Copy details” to report it."


def details(error: BaseException) -> str:
    """Return technical details for the clipboard and the log."""
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

    The dialog does not block background work. A problem that is already on screen, such as one
    caused by every move of a slider, is not shown twice.

    Parameters
    ----------
    parent : QWidget or None
        Parent of the dialog.
    error : BaseException
        The error to show.
    remedy : tuple of (str, callable), optional
        Text and action of a further button.
    """
    text = details(error)
    _log.error("%s\n%s", error, text)
    boxes = parent.findChildren(QMessageBox) if parent else []
    message = _paragraphs(error)
    if any(box.isVisible() and box.text() == message for box in boxes):
        return
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle("CoW-GAN")
    box.setText(message)
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
    if not isinstance(error, CowganError) or len(error.sentences) == 1:
        return _with_short_names(sentence(error))
    shown = [
        one_line(_with_short_names(text), _LONGEST_OF_SEVERAL)
        for text in error.sentences[:_MOST_SENTENCES]
    ]
    if left := len(error.sentences) - len(shown):
        shown.append(f"“Copy details” lists {left} more.")
    return "\n\n".join(shown)


def _with_short_names(text: str) -> str:
    return _LONG_NAME.sub(lambda name: one_line(name[0], _LONGEST_NAME), text)
