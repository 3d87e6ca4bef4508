"""``cowgan turing``: visual Turing tests."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cowgan.cli.options import DeviceOption, JsonOption
from cowgan.errors import Cancelled, CowganError

app = typer.Typer(
    help="Visual Turing tests: can a reader tell generated volumes from real ones?",
    no_args_is_help=True,
)


@app.command()
def new(
    study: Annotated[Path, typer.Argument(help="Folder of the new study.")],
    real: Annotated[Path, typer.Option(help="Folder of real volumes (NIfTI).")],
    generated: Annotated[
        Path, typer.Option(help="Folder of generated volumes, or a model file or folder.")
    ],
    readers: Annotated[int, typer.Option(help="How many people read.", min=1)] = 5,
    cases: Annotated[int, typer.Option(help="Volumes to read, half of them generated.")] = 100,
    seed: Annotated[int, typer.Option(help="Decides, with a secret, choice and order.")] = 0,
    design: Annotated[
        Literal["rating", "2afc"],
        typer.Option(help="rating: real or generated?; 2afc: which of two is generated?"),
    ] = "rating",
    repeats: Annotated[
        int | None,
        typer.Option(help="Trials shown twice; default: a tenth of all, if there are 40 or more."),
    ] = None,
    practice: Annotated[int, typer.Option(help="Further volumes to practise with.")] = 6,
    impressions: Annotated[
        int, typer.Option(help="Further volumes to be judged before the purpose is told.")
    ] = 0,
    first_seed: Annotated[int, typer.Option(help="First seed that the model renders.")] = 0,
    psi: Annotated[float, typer.Option(help="Truncation that the model renders with.")] = 1.0,
    crop: Annotated[
        str, typer.Option(metavar="Z,X,Y", help="Voxels cut off at both ends of each axis.")
    ] = "0,0,0",
    marks: Annotated[bool, typer.Option(help="Let readers mark what gives a volume away.")] = True,
    mip: Annotated[bool, typer.Option(help="Let readers see projections.")] = True,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Freeze a study: a folder for the coordinator, and in it a package for each reader."""
    from cowgan.cli.console import print_json, progress_bar
    from cowgan.turing.course import Rules
    from cowgan.turing.freezing import new_study
    from cowgan.turing.protocol import Protocol, default_repeats
    from cowgan.turing.sources import FolderSource, generated_source

    rules = Rules(design, marks=marks, mip=mip)
    protocol = Protocol(
        seed,
        readers,
        cases,
        default_repeats(cases, rules) if repeats is None else repeats,
        practice=practice,
        impressions=impressions,
        first_seed=first_seed,
        psi=psi,
        crop=_parse_crop(crop),
        rules=rules,
    )
    try:
        with progress_bar("Freezing") as progress:
            frozen = new_study(
                study,
                FolderSource(real),
                generated_source(generated, first_seed, psi, device),
                protocol,
                progress,
            )
    except Cancelled:
        typer.echo("Stopped; no study was written.", err=True)
        raise typer.Exit(130) from None
    for note in frozen.notes:
        typer.echo(f"Note: {note}", err=True)
    if as_json:
        print_json(
            {
                "study": str(study),
                "key_commitment": frozen.description["key_commitment"],
                "packages": {r: str(frozen.package_folder(r)) for r in frozen.readers},
            }
        )
        return
    n_trials = len(frozen.package(frozen.readers[0]).manifest.trials)
    typer.echo(f"Froze {study}: {cases} cases, {n_trials} trials for each reader")
    for reader in frozen.readers:
        typer.echo(f"{reader}  {frozen.package_folder(reader)}")
    typer.echo("Give each reader one package, and keep all else to yourself.")


def _parse_crop(text: str) -> tuple[int, int, int]:
    try:
        z, x, y = (int(part) for part in text.split(","))
    except ValueError as error:
        raise CowganError(f"--crop is given as three numbers z,x,y, not as {text!r}.") from error
    return z, x, y
