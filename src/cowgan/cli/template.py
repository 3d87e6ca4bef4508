"""``cowgan template``."""

from pathlib import Path
from typing import Annotated

import typer

from cowgan.cli.options import JobsOption, JsonOption, OverwriteOption, UnitsOption
from cowgan.cli.output import say
from cowgan.cli.remarks import print_remarks
from cowgan.cli.scans import TakeOption, print_set_aside


def template(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="IN...", help="Scans, or folders of scans.")
    ],
    out: Annotated[Path, typer.Option(help="Template to write, .nii.gz.")],
    rounds: Annotated[int, typer.Option(help="How often to register and average.", min=1)] = 3,
    take: TakeOption = None,
    units: UnitsOption = None,
    jobs: JobsOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Average scans that are registered to their own average, for `cowgan preprocess`."""
    from dataclasses import asdict

    from cowgan.cli.console import print_json, progress_bar
    from cowgan.data.template import build_template

    with progress_bar("Template") as progress:
        summary = build_template(
            inputs,
            out,
            jobs,
            progress,
            rounds=rounds,
            overwrite=overwrite,
            take=take or (),
            units=units,
        )
    if as_json:
        print_json({**asdict(summary), "path": str(summary.path)})
        return
    print_set_aside(summary.set_aside)
    print_remarks((name, text) for name, texts in summary.remarks.items() for text in texts)
    for name, reason in summary.left_out.items():
        say(f"{name} left out: {reason}", err=True)
    x, y, z = summary.centre_mm
    say(f"Saved {summary.path} from {len(summary.scores)} scans")
    say(f"Middle of its region of interest: {x:g}, {y:g}, {z:g} mm")
