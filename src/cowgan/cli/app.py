"""The command line application, its commands and error handling."""

import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Annotated, NoReturn

import typer

from cowgan import __version__
from cowgan.cli.attributes import attributes
from cowgan.cli.bank import build_bank, check_bank, simulate_bank
from cowgan.cli.directions import directions
from cowgan.cli.evaluate import evaluate
from cowgan.cli.experiment import app as experiment
from cowgan.cli.explore import explore
from cowgan.cli.features import app as features
from cowgan.cli.generate import generate
from cowgan.cli.label_generator import label_generator
from cowgan.cli.measure import measure
from cowgan.cli.models import convert, info
from cowgan.cli.movie import keyframes, movie
from cowgan.cli.output import say
from cowgan.cli.phantom import phantom
from cowgan.cli.preprocess import preprocess
from cowgan.cli.project import fit_encoder, project
from cowgan.cli.replicas import replicas
from cowgan.cli.scans import scans
from cowgan.cli.segment import app as segment
from cowgan.cli.template import template
from cowgan.cli.train import export, train
from cowgan.cli.turing import app as turing
from cowgan.errors import Cancelled, CowganError, from_system

_COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    "Models": (
        info,
        convert,
        generate,
        label_generator,
        directions,
        attributes,
        fit_encoder,
        project,
        keyframes,
        movie,
        explore,
    ),
    "Data": (scans, template, preprocess, measure, phantom, simulate_bank, build_bank, check_bank),
    "Training": (train, export),
    "Evaluation": (evaluate, replicas),
}

app = typer.Typer(
    help="Synthetic TOF MR angiography of the Circle of Willis, by a 3D StyleGAN.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for panel, commands in _COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
app.add_typer(features, name="features", rich_help_panel="Evaluation")
app.add_typer(segment, name="segment", rich_help_panel="Evaluation")
app.add_typer(experiment, name="experiment", rich_help_panel="Studies")
app.add_typer(turing, name="turing", rich_help_panel="Studies")


def _show_version(wanted: bool) -> None:
    if wanted:
        say(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and stop.", is_eager=True, callback=_show_version
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line.

    The exit status is 2 with a one-sentence message for invalid input, 130 for an interrupted job,
    and 1 with the path of a log for an internal error.
    """
    try:
        app()
    except Cancelled:
        _end(130, "Stopped; what was finished is kept.")
    except CowganError as error:
        _end(2, *error.sentences)
    except Exception as error:  # noqa: BLE001 - users get the path of a log instead
        if isinstance(error, OSError) and (refused := from_system(error)):
            _end(2, refused.sentence)
        with tempfile.NamedTemporaryFile(
            "w", prefix="cowgan-", suffix=".log", delete=False, encoding="utf-8"
        ) as log:
            traceback.print_exc(file=log)
        _end(1, f"Something unexpected went wrong; please report it with {log.name}.")


def _end(status: int, *sentences: str) -> NoReturn:
    for sentence in sentences:
        say(sentence, err=True)
    sys.exit(status)
