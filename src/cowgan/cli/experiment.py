"""``cowgan experiment``: experiments of the paper."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from cowgan.cli.options import DeviceOption
from cowgan.cli.output import say
from cowgan.errors import CowganError

app = typer.Typer(help="Experiments of the paper.", no_args_is_help=True)


@app.callback()
def _experiments() -> None:
    """Keep the name of a single experiment in the command line."""


@app.command()
def segmentation(
    config: Annotated[Path, typer.Argument(help="TOML file of settings.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the experiment; default: named like CONFIG, beside it."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Networks that are trained at once.", min=1)] = 1,
    launcher: Annotated[
        Literal["local", "slurm"],
        typer.Option(help="Processes on this computer, or jobs on a SLURM cluster."),
    ] = "local",
    slurm: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Parameter of the cluster's jobs, such as slurm_partition=gpu; may be repeated.",
        ),
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Train segmentation networks on real, synthetic and both kinds of volumes, and compare them.

    Repeating the command continues an experiment that was stopped, in the middle of a network.
    """
    from cowgan.cli.console import progress_bar
    from cowgan.segmentation.experiment import ArmTask, plan
    from cowgan.segmentation.experiment_config import read_experiment
    from cowgan.segmentation.experiment_findings import ExperimentFindings
    from cowgan.segmentation.experiment_report import HTML_FILE, write_experiment_report
    from cowgan.segmentation.launching import run_tasks

    settings = read_experiment(config)
    folder = out or config.with_suffix("")
    stages = plan(settings, folder, device)
    with progress_bar("Training networks") as progress:
        for stage in stages:
            left = [task for task in stage if not task.done]

            def stop(tasks: Sequence[ArmTask] = left) -> None:
                for task in tasks:
                    task.stop()

            run_tasks(left, launcher, jobs, folder / "logs", progress, stop, **_parameters(slurm))
    write_experiment_report(ExperimentFindings.of(settings, stages), folder)
    say(f"Report: {folder / HTML_FILE}")


def _parameters(given: list[str] | None) -> dict[str, str | int]:
    found: dict[str, str | int] = {}
    for one in given or []:
        name, sign, value = one.partition("=")
        if not sign:
            raise CowganError(f"--slurm {one} has no value; write --slurm NAME=VALUE.")
        found[name] = int(value) if value.isdecimal() else value
    return found
