"""Access to the windows of the plugin."""

import importlib
import os
import sys
from types import ModuleType

from cowgan.errors import CowganError


def plugin_module(name: str, what: str) -> ModuleType:
    """Import a module of the plugin by name, since the engine must not depend on it.

    Parameters
    ----------
    name : str
        Below ``napari_cowgan``.
    what : str
        Its name in messages, at the beginning of a sentence.

    Raises
    ------
    CowganError
        napari or Qt is missing, or there is no display.
    """
    try:
        importlib.import_module("qtpy.QtWidgets")
        module = importlib.import_module(f"napari_cowgan.{name}")
    except Exception as error:
        raise CowganError(
            f'{what} needs napari with Qt: pip install "napari-cowgan[all]"', repr(error)
        ) from error
    # Qt would end the process with an abort that nothing can catch.
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in screens):
        raise CowganError(f"{what} needs a screen, and this computer or session has none.")
    return module
