"""``cowgan replicas``."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cowgan.cli.options import JobsOption, JsonOption, OverwriteOption
from cowgan.cli.output import say
from cowgan.errors import CowganError

_FILES = ("replicas.csv", "replicas.json", "replicas.html")


def replicas(
    generated: Annotated[
        Path, typer.Option(help="Folder of generated volumes, or a model to generate them.")
    ],
    training: Annotated[
        Path, typer.Option(help="Bank that the model was trained on, or a folder.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the table and the report.")],
    count: Annotated[
        int | None, typer.Option("--n", min=1, help="Volumes that a model generates; default: 200.")
    ] = None,
    psi: Annotated[float, typer.Option(help="Truncation of a model; 1 is none.")] = 1.0,
    false_alarms: Annotated[
        float,
        typer.Option(min=0.0001, max=0.5, help="Share of other people that may be flagged."),
    ] = 0.01,
    features: Annotated[
        Path | None,
        typer.Option(help="Folder where vessel masks are kept; default: the user's cache."),
    ] = None,
    jobs: JobsOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Search for training volumes that a model repeats."""
    there = [name for name in _FILES if (out / name).exists()]
    if there and not overwrite:
        raise CowganError(f"{out / there[0]} exists already; use --overwrite to replace it.")

    from cowgan.cli.console import print_json, progress_bar
    from cowgan.evaluation.replica_report import replica_report, rows_of
    from cowgan.evaluation.replicas import find_replicas, infer_membership, vessel_maps_of
    from cowgan.evaluation.volume_sets import open_generated, open_training
    from cowgan.features.store import default_cache
    from cowgan.files import atomic_path, write_json
    from cowgan.pool import available_cores
    from cowgan.report.html import html_of
    from cowgan.tables import write_table

    made = open_generated(generated, count, psi)
    learned, held_out = open_training(training)
    workers = jobs or available_cores()
    maps = []
    for volumes in (made, learned, *([] if held_out is None else [held_out])):
        with progress_bar("Finding vessels") as progress:
            maps.append(vessel_maps_of(volumes, features or default_cache(), workers, progress))
    with progress_bar("Comparing") as progress:
        found = find_replicas(maps[0], maps[1], false_alarms, progress)
    membership = None
    if len(maps) == 3:
        with progress_bar("Membership") as progress:
            membership = infer_membership(maps[0], maps[1], maps[2], progress)
    rows = rows_of(found, made, learned)
    summary = {
        "generated": made.title,
        "training": learned.title,
        "volumes": len(rows),
        "flagged": len(found.flagged),
        "threshold": found.threshold,
        "false_alarms": found.false_alarms,
        "references": found.references,
        "membership": None if membership is None else asdict(membership),
    }
    out.mkdir(parents=True, exist_ok=True)
    page = html_of(replica_report(found, made, learned, membership))
    write_table(out / _FILES[0], list(rows[0]), rows)
    write_json(out / _FILES[1], {**summary, "matches": rows})
    with atomic_path(out / _FILES[2]) as part:
        part.write_text(page, encoding="utf-8")
    if as_json:
        print_json(summary)
        return
    for row in [row for row in rows if row["flagged"]]:
        mirrored = " mirrored" if row["mirrored"] else ""
        say(f"{row['generated']}  {row['training']}{mirrored}  {row['part']}  Dice {row['dice']}")
    say(
        f"{len(found.flagged)} of {len(rows)} volumes may repeat a training volume "
        f"(false alarm rate {found.false_alarms:.1%})."
    )
    say(f"Report: {out / _FILES[2]}")
