"""``cowgan generate``."""

from pathlib import Path
from typing import Annotated

import typer

from cowgan.cli.options import (
    CheckpointOption,
    DepthOption,
    DeviceOption,
    JsonOption,
    OverwriteOption,
    PrecisionOption,
    open_model,
)
from cowgan.cli.output import say
from cowgan.cli.seeds import parse_seeds
from cowgan.errors import CowganError

_PSI_LIMIT = 3
"""Beyond it, styles lie so far out that networks give noise or overflow."""


def generate(
    seeds: Annotated[str, typer.Option(help="Seeds, such as 0-9 or 3,5,9-12.")],
    out: Annotated[Path, typer.Option(help="Folder for the volumes.")],
    checkpoint: CheckpointOption = None,
    depth: DepthOption = None,
    psi: Annotated[float, typer.Option(help="Truncation; 1 is none, lower is more typical.")] = 1.0,
    cutoff: Annotated[
        int | None, typer.Option(help="Truncate only the blocks below this one.")
    ] = None,
    noise: Annotated[bool, typer.Option(help="Add noise, or give every volume none.")] = True,
    noise_seed: Annotated[
        int | None, typer.Option(help="The same noise for all; default: each seed's own.")
    ] = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "fast",
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write one NIfTI and one JSON file per seed, and a manifest."""
    numbers = parse_seeds(seeds)
    if not -_PSI_LIMIT <= psi <= _PSI_LIMIT:
        raise CowganError(f"--psi must lie between -{_PSI_LIMIT} and {_PSI_LIMIT}.")
    if noise_seed is not None and not noise:
        raise CowganError("--noise-seed and --no-noise contradict each other.")

    from cowgan.cli.console import print_json, progress_bar
    from cowgan.synthesis import LatentState, Synthesizer, export_volumes

    states = [
        LatentState(seed, psi=psi, cutoff=cutoff, noise=noise, noise_seed=noise_seed)
        for seed in numbers
    ]
    model = open_model(checkpoint, depth)
    if cutoff is not None and cutoff > model.config.n_blocks:
        raise CowganError(f"--cutoff must not exceed the model's {model.config.n_blocks} blocks.")
    synthesizer = Synthesizer(model, device, precision)
    with progress_bar("Generating") as progress:
        exported = export_volumes(synthesizer, states, out, overwrite, progress)
    if as_json:
        print_json([vars(volume) for volume in exported])
    else:
        say(f"Saved {len(exported)} volumes and manifest.csv to {out}")
