"""``cowgan explore``."""

import importlib
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cowgan.cli.options import DepthOption
from cowgan.errors import CowganError


def explore(
    checkpoint: Annotated[
        Path | None, typer.Argument(help="Model to open; default: the last one, or the bundled.")
    ] = None,
    depth: DepthOption = None,
) -> None:
    """Open napari with the latent explorer."""
    if checkpoint is not None and not checkpoint.exists():
        raise CowganError(f"There is no file {checkpoint}.")
    try:
        importlib.import_module("qtpy.QtWidgets")
        # By name: the engine must not import the plugin, which this starts as a program.
        explorer = importlib.import_module("napari_cowgan.explorer")
    except Exception as error:
        raise CowganError(
            'The explorer needs napari with Qt: pip install "napari-cowgan[all]"', repr(error)
        ) from error
    # Qt would end the process with an abort that nothing can catch.
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in screens):
        raise CowganError("The explorer needs a screen, and this computer or session has none.")
    explorer.launch(checkpoint, depth)
