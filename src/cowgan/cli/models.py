"""``cowgan info`` and ``cowgan convert``."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cowgan.cli.options import DepthOption, JsonOption, OverwriteOption
from cowgan.cli.output import say
from cowgan.errors import CowganError
from cowgan.text import dimensions


def info(
    file: Annotated[Path, typer.Argument(help="Model file, or folder of a published model.")],
    depth: DepthOption = None,
    as_json: JsonOption = False,
) -> None:
    """Describe a checkpoint."""
    from cowgan.checkpoint import load
    from cowgan.cli.console import print_json, print_notes

    checkpoint = load(file, depth)
    counts = {
        name: sum(p.numel() for p in network.parameters())
        for name, network in (
            ("mapping", checkpoint.mapping),
            ("synthesis", checkpoint.synthesis),
            ("discriminator", checkpoint.discriminator),
        )
        if network is not None
    }
    if as_json:
        print_json(
            {
                "file": str(checkpoint.path),
                "sha256": checkpoint.sha256,
                "config": checkpoint.config.to_dict(),
                "parameters": counts,
                "spacing_mm": checkpoint.spacing_mm,
                "card": checkpoint.card.to_dict(),
                "notes": checkpoint.notes,
            }
        )
        return
    config, card = checkpoint.config, checkpoint.card
    size = dimensions(config.volume_shape)
    spacing = dimensions(checkpoint.spacing_mm, "g")
    rows = {
        "Name": card.name,
        "About": card.description,
        "Training data": card.training_data,
        "Licence": card.licence,
        "Volume": f"{size} voxels of {spacing} mm (z, x, y)",
        "Network": f"{config.n_blocks} blocks, capacity {config.network_capacity}, at most "
        f"{config.fmap_max} channels, latent size {config.latent_dim}",
        "Weights": ", ".join(f"{name} {count / 1e6:.1f} M" for name, count in counts.items()),
        "SHA-256": checkpoint.sha256,
    }
    for title, text in rows.items():
        if text:
            say(f"{title:14} {text}")
    print_notes(checkpoint)


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Model to read.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write, .safetensors.")],
    depth: DepthOption = None,
    half: Annotated[bool, typer.Option(help="Store 16-bit weights, at half the size.")] = False,
    name: Annotated[str | None, typer.Option(help="Name for the model card.")] = None,
    licence: Annotated[str | None, typer.Option(help="Licence for the model card.")] = None,
    training_data: Annotated[
        str | None, typer.Option(help="Training data for the model card.")
    ] = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Convert a checkpoint to the native format: small, safe and self-describing."""
    from cowgan.checkpoint import load, save
    from cowgan.cli.console import print_notes

    if target.exists() and not overwrite:
        raise CowganError(f"{target} exists already; use --overwrite to replace it.")
    checkpoint = load(source, depth)
    stated = {"name": name, "licence": licence, "training_data": training_data}
    checkpoint.card = replace(
        checkpoint.card,
        provenance={
            **checkpoint.card.provenance,
            "converted_from": {"file": source.name, "sha256": checkpoint.sha256},
        },
        **{field: text for field, text in stated.items() if text is not None},
    )
    save(checkpoint, target, "float16" if half else "float32")
    print_notes(checkpoint)
    say(f"Saved {target} ({target.stat().st_size / 1e6:.1f} MB)")
