"""``cowgan preprocess``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cowgan.cli.options import JobsOption, JsonOption, OverwriteOption, UnitsOption
from cowgan.cli.output import say
from cowgan.cli.remarks import print_remarks
from cowgan.cli.scans import TakeOption, print_set_aside
from cowgan.errors import CowganError

if TYPE_CHECKING:
    from cowgan.data.preprocess import PreprocessSummary, Roi


def preprocess(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="IN...", help="Scans, or folders of scans.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the volumes.")],
    template: Annotated[
        Path | None, typer.Option(help="Head to register to; see `cowgan template`.")
    ] = None,
    roi: Annotated[
        str | None,
        typer.Option(
            help="Region of interest: auto (found by its arteries), paper (its voxels of its "
            "template), or x,y,z: its middle in mm of the template; default: the template's own."
        ),
    ] = None,
    intensity: Annotated[
        Literal["robust", "minmax"],
        typer.Option(help="What maps to 0 and 1: percentiles 0.1 and 99.9, or the extremes."),
    ] = "robust",
    skull_strip: Annotated[
        Literal["auto", "none", "synthstrip", "hd-bet"],
        typer.Option(help="Program whose brain mask is used for registration."),
    ] = "auto",
    take: TakeOption = None,
    units: UnitsOption = None,
    jobs: JobsOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Turn scans into volumes around the Circle of Willis, with a quality page.

    Unchanged scans of an earlier run are skipped. Scans that cannot be used are listed in
    failed.csv and do not stop the others; if none can be used, the exit status is 2. Use
    `cowgan scans` to list the scans beforehand.
    """
    if template is None and roi is None:
        raise CowganError("Name a --template, or use --roi auto to do without one.")
    region = _parse_roi(roi)

    from dataclasses import asdict

    from cowgan.cli.console import print_json, progress_bar
    from cowgan.data.preprocess import PreprocessConfig
    from cowgan.data.preprocess import preprocess as run

    config = PreprocessConfig(
        template,
        region,
        intensity,
        skull_strip,
        jobs=jobs,
        overwrite=overwrite,
        take=tuple(take or ()),
        units=units,
    )
    with progress_bar("Preprocessing") as progress:
        summary = run(inputs, out, config, progress)
    if as_json:
        print_json(
            {
                "folder": str(summary.folder),
                "quality_page": str(summary.quality_page),
                "kept": summary.kept,
                "cases": [asdict(record) for record in summary.records],
                "set_aside": [asdict(one) for one in summary.set_aside],
            }
        )
    else:
        _print_summary(summary, registered=template is not None)
    if not summary.count("done"):
        raise typer.Exit(2)


def _print_summary(summary: "PreprocessSummary", registered: bool) -> None:
    if registered and summary.skull_strip == "none":
        say("Note: registered without skull stripping.", err=True)
    elif registered:
        say(f"Note: registered with brain masks by {summary.skull_strip}.", err=True)
    print_set_aside(summary.set_aside)
    for record in summary.records:
        if record.status != "done":
            say(f"{record.name} {record.status}: {record.reason}", err=True)
    print_remarks((record.name, text) for record in summary.records for text in record.remarks)
    done = summary.count("done")
    aside = len(summary.records) - done
    kept = f" ({summary.kept} unchanged)" if summary.kept else ""
    set_aside = f", {aside} set aside in failed.csv" if aside else ""
    total = len(summary.records)
    say(f"Saved {done} of {total} volumes to {summary.folder}{kept}{set_aside}")
    say(f"Look at {summary.quality_page}")


def _parse_roi(text: str | None) -> "Roi | tuple[float, float, float]":
    if text is None:
        return "template"
    if text == "auto":
        return "auto"
    if text == "paper":
        return "paper"
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError as error:
        raise CowganError(
            f"--roi is given as auto, paper or x,y,z in mm, not as {text!r}."
        ) from error
    return x, y, z
