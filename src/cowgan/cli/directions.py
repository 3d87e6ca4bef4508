"""``cowgan directions``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cowgan.cli.options import (
    CheckpointOption,
    DepthOption,
    DeviceOption,
    JsonOption,
    OverwriteOption,
    open_model,
)
from cowgan.cli.output import say
from cowgan.errors import CowganError


def directions(
    out: Annotated[Path, typer.Option(help="File to write, .safetensors or .json.")],
    method: Annotated[
        Literal["default", "pca", "sefa"],
        typer.Option(help="default: both, for coarse, middle and fine blocks."),
    ] = "default",
    checkpoint: CheckpointOption = None,
    depth: DepthOption = None,
    blocks: Annotated[
        str | None, typer.Option(help="Blocks they act on, such as 0-2; default: all.")
    ] = None,
    count: Annotated[int | None, typer.Option(help="How many to find; default: 10.", min=1)] = None,
    device: DeviceOption = "auto",
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find latent directions, ranked by how much they change the volume."""
    if out.exists() and not overwrite:
        raise CowganError(f"{out} exists already; use --overwrite to replace it.")
    if out.suffix not in (".json", ".safetensors"):
        raise CowganError(f"{out.name} must end in .safetensors or .json.")
    if method == "default" and (blocks is not None or count is not None):
        raise CowganError("--blocks and --count need --method pca or --method sefa.")
    first, last = _parse_blocks(blocks)

    from cowgan.cli.console import print_json, progress_bar
    from cowgan.latent import default_directions, find_directions, save_directions
    from cowgan.synthesis import Synthesizer

    model = open_model(checkpoint, depth)
    synthesizer = Synthesizer(model, device)
    with progress_bar("Directions") as progress:
        if method == "default":
            found = default_directions(synthesizer, progress)
        else:
            found = find_directions(synthesizer, method, first, last, count or 10, progress)
    save_directions(out, found, model)
    if as_json:
        shown = [{k: v for k, v in d.to_dict().items() if k != "vector"} for d in found]
        print_json({"file": str(out), "directions": shown})
        return
    for direction in found:
        span = f"blocks {direction.first_block}-{direction.last_block}"
        say(f"{direction.name:22} {span:12} {direction.effect:.5f} per sigma")
    say(f"Saved {len(found)} directions to {out}")


def _parse_blocks(text: str | None) -> tuple[int, int | None]:
    if text is None:
        return 0, None
    first, _, last = text.partition("-")
    if not first.isdecimal() or not (last or first).isdecimal():
        raise CowganError(f"Blocks are given as 0-2 or 4, not as {text!r}.")
    return int(first), int(last or first)
