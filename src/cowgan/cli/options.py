"""Options that several commands take."""

from pathlib import Path
from typing import Annotated, Literal

import typer

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
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
OverwriteOption = Annotated[bool, typer.Option(help="Replace files that exist.")]
