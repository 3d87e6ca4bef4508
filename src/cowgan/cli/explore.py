"""``cowgan explore``."""

import importlib
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
    explorer.launch(checkpoint, depth)
