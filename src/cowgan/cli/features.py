"""``cowgan features``: what features of volumes can be computed, and the weights they need."""

from pathlib import Path
from typing import Annotated

import typer

from cowgan.cli.output import say

app = typer.Typer(
    help="List the feature extractors, or fetch the weights that one needs.",
    invoke_without_command=True,
)


@app.callback()
def features(context: typer.Context) -> None:
    """List the feature extractors, what each sees and which weights it needs."""
    if context.invoked_subcommand is not None:
        return
    from cowgan.cli.extractor_choice import DISCRIMINATOR
    from cowgan.features.extractors import EXTRACTORS
    from cowgan.features.weights_files import default_folder

    for name, known in (*EXTRACTORS.items(), ("discriminator", DISCRIMINATOR)):
        say(f"{name:14} {known.sees}")
        if isinstance(known.weights, str):
            say(f"{'':14} weights {known.weights}")
            continue
        here = (default_folder() / known.weights.name).is_file()
        say(f"{'':14} weights {'fetched' if here else 'to fetch'}: {known.weights.name}")
        say(f"{'':14} from {known.weights.url} ({known.weights.licence})")


@app.command()
def fetch(
    extractor: Annotated[str, typer.Argument(help="Such as medicalnet.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the weights; default: one of the user.")
    ] = None,
) -> None:
    """Download the weights of a feature extractor, checked by SHA-256."""
    from cowgan.cli.console import progress_bar
    from cowgan.features.extractors import weights_file
    from cowgan.features.weights_files import default_folder
    from cowgan.features.weights_files import fetch as fetch_weights

    weights = weights_file(extractor)
    with progress_bar(f"Fetching {weights.name}") as progress:
        path = fetch_weights(weights, out or default_folder(), progress)
    say(f"Weights: {path}")
