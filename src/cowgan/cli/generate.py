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
)
from cowgan.cli.seeds import parse_seeds


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

    from cowgan.checkpoint import load, load_bundled
    from cowgan.cli.console import print_json, print_notes, progress_bar
    from cowgan.synthesis import LatentState, Synthesizer, export_volumes

    states = [
        LatentState(seed, psi=psi, cutoff=cutoff, noise=noise, noise_seed=noise_seed)
        for seed in numbers
    ]
    model = load_bundled() if checkpoint is None else load(checkpoint, depth)
    synthesizer = Synthesizer(model, device, precision)
    print_notes(model)
    with progress_bar("Generating") as progress:
        exported = export_volumes(synthesizer, states, out, overwrite, progress)
    if as_json:
        print_json([vars(volume) for volume in exported])
    else:
        typer.echo(f"Saved {len(exported)} volumes and manifest.csv to {out}")
