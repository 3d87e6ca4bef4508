"""Runs in a folder and their exported models; touches no widget."""

from dataclasses import dataclass
from pathlib import Path

from cowgan.errors import CowganError
from cowgan.networks import PRESETS as NETWORKS
from cowgan.networks import NetworkConfig
from cowgan.progress import Progress, advance
from cowgan.training.config import TrainingConfig
from cowgan.training.config_files import CONFIG_FILE
from cowgan.training.remote_control import ACTIVE, STATUS_FILE, RunState, read_status
from cowgan.training.run import export_run
from cowgan.training.run_state import read_description
from cowgan.training.state_files import PREVIOUS_FILE, STATE_FILE

_MODEL = "model-*.safetensors"
_RECIPES = {"published": "Paper", "modern": "Modern", "projected": "Projected"}


@dataclass(frozen=True)
class RunSummary:
    """Summary of one run.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    state : RunState
        Current state.
    step, steps : int
        Steps done, and length of the run.
    saved_step : int
        Step of the saved state that it would resume from.
    config : TrainingConfig
        Settings.
    recipe, network, size : str
        Preset, architecture and volume size in words.
    changed : float
        Time of the last change, in seconds since 1970.
    models : tuple of Path
        Exported checkpoints, oldest first.
    """

    folder: Path
    state: RunState
    step: int
    steps: int
    saved_step: int
    config: TrainingConfig
    recipe: str
    network: str
    size: str
    changed: float
    models: tuple[Path, ...]

    @property
    def active(self) -> bool:
        """Whether a process is training it."""
        return self.state in ACTIVE


def list_runs(folder: Path) -> list[RunSummary]:
    """Return the runs in a folder, newest first; empty if there is no such folder."""
    try:
        inside = [path for path in folder.iterdir() if (path / CONFIG_FILE).is_file()]
    except OSError:
        return []
    found = [summary for summary in map(summarise, inside) if summary is not None]
    return sorted(found, key=lambda run: run.changed, reverse=True)


def summarise(folder: Path) -> RunSummary | None:
    """Return the summary of a run; None if the folder holds no readable run."""
    try:
        header = read_description(folder)
        config = TrainingConfig.from_dict(header.config)
        changed = _changed(folder)
    except (CowganError, OSError):
        return None
    saved = header.counters.step
    status = read_status(folder)
    if status is None:
        ended: RunState = "finished" if saved >= config.steps else "stopped"
    network = config.network
    return RunSummary(
        folder,
        ended if status is None else status.state,
        saved if status is None else status.step,
        config.steps if status is None else status.steps,
        saved,
        config,
        _RECIPES[config.discriminator],
        _name(network),
        f"{network.depth} × {network.image_size} × {network.image_size}",
        changed,
        tuple(sorted(folder.glob(_MODEL))),
    )


def newest_model(folder: Path, progress: Progress) -> Path:
    """Return the averaged generator of a run's newest state, exporting it if necessary.

    Raises
    ------
    CowganError
        As for `cowgan.training.run.export_run`.
    """
    advance(progress, 0, 1)
    step = read_description(folder).counters.step
    path = folder / f"model-{step:07d}.safetensors"
    if not path.exists():
        export_run(folder, path)
    return path


def _name(network: NetworkConfig) -> str:
    """Return the name of a network's preset, or its channels if it has none."""
    own = (network.network_capacity, network.fmap_max)
    for name, preset in NETWORKS.items():
        if own == (preset.network_capacity, preset.fmap_max):
            return name
    return "{} to {} channels".format(*own)


def _changed(folder: Path) -> float:
    files = (folder / name for name in (STATUS_FILE, STATE_FILE, PREVIOUS_FILE, CONFIG_FILE))
    return max(path.stat().st_mtime for path in files if path.exists())
