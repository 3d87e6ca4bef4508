"""``cowgan phantom``."""

from pathlib import Path
from typing import Annotated

import typer

from cowgan.cli.options import JsonOption, OverwriteOption
from cowgan.cli.output import say
from cowgan.cli.seeds import parse_seeds


def phantom(
    seeds: Annotated[str, typer.Option(help="Seeds, such as 0-9 or 3,5,9-12.")],
    out: Annotated[Path, typer.Option(help="Folder for the files.")],
    variant: Annotated[
        str | None,
        typer.Option(
            help='Anatomical variants of all, such as "complete" or "fetal L-PCA, absent ACom"; '
            "by default each seed has its own."
        ),
    ] = None,
    disease: Annotated[
        str,
        typer.Option(
            help='Lesions of all, such as "aneurysm ACom 6 mm, stenosis L-M1 70 %, occlusion '
            'R-M1"; sizes may be left out.'
        ),
    ] = "",
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make Circle of Willis phantoms: a TOF volume, a label map and the truth of each."""
    numbers = parse_seeds(seeds)

    from cowgan.cli.console import print_json, progress_bar
    from cowgan.simulate.phantom_export import export_phantoms

    with progress_bar("Phantoms") as progress:
        written = export_phantoms(numbers, out, variant, overwrite, progress, disease)
    if as_json:
        print_json([{name: _plain(value) for name, value in vars(one).items()} for one in written])
        return
    for one in written:
        say(f"{one.volume.name}  {one.variant}")
    say(f"Saved {len(written)} phantoms with label maps and truth to {out}")


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value
