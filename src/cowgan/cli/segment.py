"""``cowgan segment``: segmentations of arteries."""

from dataclasses import asdict, fields
from pathlib import Path
from statistics import mean
from typing import Annotated

import typer

from cowgan.cli.options import OverwriteOption
from cowgan.cli.output import say
from cowgan.errors import CowganError
from cowgan.progress import advance

app = typer.Typer(help="Compare segmentations of arteries with the truth.", no_args_is_help=True)


@app.command()
def score(
    predicted: Annotated[Path, typer.Option(help="Predicted label map, or a folder of them.")],
    truth: Annotated[
        Path, typer.Option(help="True label map, or a folder of them with the same names.")
    ],
    scheme: Annotated[
        str,
        typer.Option(
            help="Meaning of the labels: topcow2024, topcow2023, seven-arteries or territories."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Table to write, CSV.")],
    overwrite: OverwriteOption = False,
) -> None:
    """Score label maps against the true ones: one row per artery and case.

    Definitions are those of TopCoW's evaluation. Nothing is written if a pair cannot be compared.
    """
    if out.exists() and not overwrite:
        raise CowganError(f"{out} exists already; use --overwrite to replace it.")

    from cowgan.anatomy.label_schemes import label_scheme
    from cowgan.cli.console import progress_bar
    from cowgan.cli.remarks import print_remarks
    from cowgan.segmentation.label_pairs import find_pairs, score_pair
    from cowgan.segmentation.metrics import ArteryScore, mean_over_arteries
    from cowgan.tables import write_table

    labels = label_scheme(scheme)
    pairs = find_pairs(predicted, truth)
    scored = []
    with progress_bar("Scoring") as progress:
        for done, pair in enumerate(pairs):
            advance(progress, done, len(pairs), pair.case)
            scored.append(score_pair(pair, labels))
        advance(progress, len(pairs), len(pairs))
    rows = [
        {"case": pair.case, **asdict(row)}
        for pair, one in zip(pairs, scored, strict=True)
        for row in one.rows
    ]
    write_table(out, ["case", *(field.name for field in fields(ArteryScore))], rows)
    print_remarks(remark for one in scored for remark in one.remarks)
    dice, hd95_mm = (
        mean(mean_over_arteries(one.rows, metric) for one in scored)
        for metric in ("dice", "hd95_mm")
    )
    say(f"Cases: {len(pairs)}. Mean of arteries: Dice {dice:.3f}, HD95 {hd95_mm:.2f} mm.")
    say(f"Table: {out}")
