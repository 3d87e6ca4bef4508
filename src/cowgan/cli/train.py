"""``cowgan train`` and ``cowgan export``."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cowgan.cli.options import DeviceOption, OverwriteOption, open_model
from cowgan.cli.output import say
from cowgan.errors import CowganError
from cowgan.networks import PRESETS, NetworkConfig
from cowgan.settings import setting_fields
from cowgan.training.config import Preset, TrainingConfig, TrainingPrecision
from cowgan.training.config import preset as preset_config
from cowgan.training.config_files import read_config

if TYPE_CHECKING:
    from cowgan.training.warm_start import InitialWeights


def _setting(name: str, config: type = TrainingConfig) -> Any:
    """Return the option of a setting, with the text that its field carries."""
    return typer.Option(help=f"{setting_fields(config)[name].setting.text}.")


def train(
    bank: Annotated[Path | None, typer.Option(help="Training bank.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of a new run.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder of a run to continue.")] = None,
    preset: Annotated[
        Preset, typer.Option(help="Recipe, which other options and --config change.")
    ] = "modern",
    network: Annotated[
        Literal["Small", "Medium_v1", "Medium_v2", "Large"],
        typer.Option(help="Architecture, which other options and --config change."),
    ] = "Small",
    image_size: Annotated[int | None, _setting("image_size", NetworkConfig)] = None,
    depth: Annotated[int | None, _setting("depth", NetworkConfig)] = None,
    network_capacity: Annotated[int | None, _setting("network_capacity", NetworkConfig)] = None,
    fmap_max: Annotated[int | None, _setting("fmap_max", NetworkConfig)] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file of settings, such as a run's config.toml.")
    ] = None,
    batch: Annotated[int | None, _setting("batch")] = None,
    accumulate: Annotated[int | None, _setting("accumulate")] = None,
    steps: Annotated[int | None, _setting("steps")] = None,
    save_every: Annotated[int | None, _setting("save_every")] = None,
    sample_every: Annotated[int | None, _setting("sample_every")] = None,
    precision: Annotated[TrainingPrecision | None, _setting("precision")] = None,
    seed: Annotated[int | None, _setting("seed")] = None,
    init_from: Annotated[
        Path | None,
        typer.Option(help="Model of smaller volumes, or folder of a run, to grow from."),
    ] = None,
    device: DeviceOption = "auto",
    devices: Annotated[
        int, typer.Option(min=1, help="Processes on each computer, one for each GPU.")
    ] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Computers that train together.")] = 1,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only print the memory and time of a new run.")
    ] = False,
) -> None:
    """Train a network on a bank, or continue a run."""
    if not estimate and (resume is None) == (out is None):
        raise CowganError("Name either a folder for a new run with --out, or one with --resume.")

    from cowgan.bank.bank import Bank
    from cowgan.cli.console import progress_bar
    from cowgan.progress import Silent
    from cowgan.training.distributed import join_processes
    from cowgan.training.run import resume_run, start_run
    from cowgan.training.tensorboard import tensorboard_available

    opened = None if bank is None else Bank.open(bank)
    architecture = {
        "image_size": image_size,
        "depth": depth,
        "network_capacity": network_capacity,
        "fmap_max": fmap_max,
    }
    changes = {
        "batch": batch,
        "accumulate": accumulate,
        "steps": steps,
        "save_every": save_every,
        "sample_every": sample_every,
        "precision": precision,
        "seed": seed,
    }
    chosen = _config(preset, network, architecture, changes, config)
    if estimate:
        _print_needs(chosen, device)
        return
    initial_weights = None if init_from is None else _initial_weights(init_from)
    notes: list[str] = []
    if not tensorboard_available():
        notes.append("TensorBoard is not installed; the curves are in log.csv only.")
    with (
        join_processes(devices, nodes, device) as processes,
        progress_bar("Training") if processes.is_leader else nullcontext(Silent()) as progress,
    ):
        where = processes.device
        if resume is not None:
            resume_run(resume, opened, where, steps, progress, processes=processes)
        elif opened is None or out is None:
            raise CowganError("A new run needs a training bank: --bank BANK.")
        else:
            notes += start_run(
                out, opened, chosen, where, initial_weights, progress, processes=processes
            )
    for note in notes:
        say(f"Note: {note}", err=True)
    say(f"The run in {out or resume} is complete.")


def _print_needs(config: TrainingConfig, device: str) -> None:
    from cowgan.cli.console import progress_bar
    from cowgan.training.memory import estimate, largest_batch
    from cowgan.training.timing import measure_step_time

    found = estimate(config, device)
    say(f"A pass of {config.batch} volumes needs about {found.bytes / 1e9:.1f} GB.")
    if found.available_bytes:
        say(f"{found.available_bytes / 1e9:.1f} GB are free.")
    if found.fits:
        with progress_bar("Measuring") as progress:
            taken = measure_step_time(config, device, progress)
        say(taken.summary(config))
    else:
        batch = largest_batch(config, found.available_bytes, device)
        smaller = f"--batch {batch} --accumulate {config.images_per_step // max(batch, 1)}"
        say(f"This fits: {smaller}" if batch else "No batch of this network fits.")


def _initial_weights(path: Path) -> "InitialWeights":
    from cowgan.training.warm_start import InitialWeights

    if path.is_dir():
        return InitialWeights.of_run(path)
    return InitialWeights.of_checkpoint(open_model(path, None))


def _config(
    preset_name: str,
    network_name: str,
    architecture: dict[str, Any],
    changes: dict[str, Any],
    file: Path | None,
) -> TrainingConfig:
    wanted = {name: value for name, value in architecture.items() if value is not None}
    chosen = preset_config(preset_name, replace(PRESETS[network_name], **wanted))
    if file is not None:
        chosen = read_config(file, chosen)
        chosen = replace(chosen, network=replace(chosen.network, **wanted))
    return chosen.with_changes(**changes)


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a training run.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write, .safetensors.")],
    overwrite: OverwriteOption = False,
) -> None:
    """Write the averaged generator of a run as a checkpoint."""
    from cowgan.training.run import export_run

    if target.exists() and not overwrite:
        raise CowganError(f"{target} exists already; use --overwrite to replace it.")
    export_run(run, target)
    say(f"Saved {target} ({target.stat().st_size / 1e6:.1f} MB)")
