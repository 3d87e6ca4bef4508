"""``cowgan evaluate``."""

from pathlib import Path
from typing import Annotated

import typer

from cowgan.cli.options import JobsOption, JsonOption, OverwriteOption
from cowgan.cli.output import say


def evaluate(
    real: Annotated[
        Path, typer.Option(help="Bank that the model was trained on, or a folder of volumes.")
    ],
    generated: Annotated[
        Path, typer.Option(help="Folder of generated volumes, or a model to generate them.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the report.")],
    count: Annotated[
        int | None, typer.Option("--n", min=1, help="Volumes that a model generates; default: 200.")
    ] = None,
    psi: Annotated[float, typer.Option(help="Truncation of a model; 1 is none.")] = 1.0,
    against: Annotated[
        Path | None,
        typer.Option(help="A second model or folder, to compare with the first."),
    ] = None,
    psi_sweep: Annotated[
        bool, typer.Option("--psi-sweep", help="Measure the model at several truncations.")
    ] = False,
    run: Annotated[
        Path | None, typer.Option(help="Training run, whose curves are added to the report.")
    ] = None,
    extractor: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=PATH]",
            help="What to compare volumes by: efficientnet (default), coarse-vessels, medicalnet, "
            "dinov2=FOLDER of weights, or discriminator=RUN; may be repeated, and the first "
            "decides.",
        ),
    ] = None,
    medicalnet: Annotated[
        bool, typer.Option("--medicalnet", help="Add MedicalNet distance and AUC-PRD of the paper.")
    ] = False,
    inception: Annotated[
        bool, typer.Option("--inception", help="Add the FID of the paper; takes hours.")
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the weights of MedicalNet and Inception; default: that of cowgan "
            "features fetch."
        ),
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(help="Folder where features are kept; default: the user's cache."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of random subsets.")] = 0,
    jobs: JobsOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Evaluate generated volumes: distances, variety, anatomy, replicas, and what they mean."""
    from cowgan.cli.console import print_json, progress_bar
    from cowgan.cli.extractor_choice import open_chosen, open_fetched
    from cowgan.evaluation.evaluation_files import (
        evaluation_record,
        refuse_existing_report,
        write_evaluation,
    )
    from cowgan.evaluation.evaluation_report import verdict
    from cowgan.evaluation.evaluation_request import EvaluationRequest
    from cowgan.features.store import default_cache

    refuse_existing_report(out, overwrite)
    extractors = open_chosen(extractor or (), weights)
    of_paper = [
        open_fetched(name, weights)
        for name, wanted in (("medicalnet", medicalnet), ("inception", inception))
        if wanted
    ]
    request = EvaluationRequest(real, generated, count, psi, against, psi_sweep, run, seed)
    found, additions = request.carry_out(
        progress_bar, features or default_cache(), jobs, of_paper, extractors
    )
    page = write_evaluation(found, out, additions, request)
    if as_json:
        print_json(evaluation_record(found, additions, request))
        return
    box = verdict(found)
    for sentence in (box.title, *box.sentences, *box.cautions):
        say(sentence)
    say(f"Report: {page}")
