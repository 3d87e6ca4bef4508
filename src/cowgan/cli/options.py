"""Options shared by several commands."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from cowgan.checkpoint import Checkpoint

CheckpointOption = Annotated[
    Path | None,
    typer.Option("--checkpoint", "-c", help="Model file or folder; default: the bundled model."),
]
DepthOption = Annotated[
    int | None, typer.Option(help="Number of slices, which .pt files do not store.")
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
PrecisionOption = Annotated[
    Literal["fast", "exact"],
    typer.Option(help="fast: the device's quickest number format; exact: float32."),
]
UnitsOption = Annotated[
    Literal["mm", "m", "um"] | None,
    typer.Option(help="Unit of lengths in the files, whatever they state; um: micrometres."),
]
JobsOption = Annotated[
    int | None, typer.Option(help="Processes; default: one for each processor core.", min=1)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
OverwriteOption = Annotated[bool, typer.Option(help="Replace files that exist.")]


def open_model(file: Path | None, depth: int | None) -> "Checkpoint":
    """Read the model of ``--checkpoint`` and ``--depth``, by default the bundled one."""
    from cowgan.checkpoint import BUNDLED, load
    from cowgan.cli.console import print_notes

    checkpoint = load(BUNDLED if file is None else file, depth)
    print_notes(checkpoint)
    return checkpoint
