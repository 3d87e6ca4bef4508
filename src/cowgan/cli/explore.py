"""``cowgan explore``."""

from pathlib import Path
from typing import Annotated

import typer

from cowgan.cli.options import DepthOption
from cowgan.cli.windows import plugin_module
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
    explorer = plugin_module("explorer", "The explorer")
    explorer.launch(checkpoint, depth)
