"""Runs in a folder and their models; touches no widget."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from cowgan.errors import CowganError
from cowgan.networks import PRESETS as NETWORKS
from cowgan.networks import NetworkConfig
from cowgan.progress import Progress, advance
from cowgan.segmentation.segmentation_config import SegmentationConfig
from cowgan.segmentation.segmentation_run import read_segmentation_state
from cowgan.segmentation.segmenter_files import MODEL_FILE
from cowgan.segmentation.unet import NETWORKS as SEGMENTATION_NETWORKS
from cowgan.training.config import TrainingConfig
from cowgan.training.config_files import CONFIG_FILE
from cowgan.training.remote_control import ACTIVE, STATUS_FILE, RunState, read_status
from cowgan.training.run import export_run
from cowgan.training.run_state import read_description
from cowgan.training.state_files import PREVIOUS_FILE, STATE_FILE
from napari_cowgan.training.volume_source import shape_text

RunKind = Literal["generator", "segmentation"]
"""What a run trains."""

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
    config : TrainingConfig or SegmentationConfig
        Settings.
    facts : sequence of str
        What they are in words: recipe, architecture and size.
    changed : float
        Time of the last change, in seconds since 1970.
    models : sequence of Path
        Exported checkpoints of a generator, oldest first; the network of a segmentation run, once
        it has one.
    """

    folder: Path
    state: RunState
    step: int
    steps: int
    saved_step: int
    config: TrainingConfig | SegmentationConfig
    facts: Sequence[str]
    changed: float
    models: Sequence[Path]

    @property
    def kind(self) -> RunKind:
        """What it trains."""
        return "generator" if isinstance(self.config, TrainingConfig) else "segmentation"

    @property
    def can_open(self) -> bool:
        """Whether it has a model, or one can be made of its state."""
        return self.kind == "generator" or bool(self.models)

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
    found = _generator(folder) or _segmenter(folder)
    if found is None:
        return None
    config, saved, facts, models = found
    status = read_status(folder)
    if status is None:
        ended: RunState = "finished" if saved >= config.steps else "stopped"
    return RunSummary(
        folder,
        ended if status is None else status.state,
        saved if status is None else status.step,
        config.steps if status is None else status.steps,
        saved,
        config,
        facts,
        _changed(folder),
        models,
    )


class _Saved(NamedTuple):
    """What the saved state of a run says."""

    config: TrainingConfig | SegmentationConfig
    step: int
    facts: tuple[str, ...]
    models: tuple[Path, ...]


def _generator(folder: Path) -> _Saved | None:
    try:
        state = read_description(folder)
        config = TrainingConfig.from_dict(state.config)
    except CowganError:
        return None
    network = config.network
    facts = (_RECIPES[config.discriminator], _name(network), shape_text(network.volume_shape))
    return _Saved(config, state.counters.step, facts, tuple(sorted(folder.glob(_MODEL))))


def _segmenter(folder: Path) -> _Saved | None:
    try:
        state = read_segmentation_state(folder)
        config = SegmentationConfig.from_dict(state.config)
    except CowganError:
        return None
    known = {network: name for name, network in SEGMENTATION_NETWORKS.items()}
    levels = " ".join(map(str, config.network.channels))
    name = known.get(config.network, f"{levels} channels")
    facts = ("Segmentation", name.capitalize(), f"patches of {shape_text(config.patch)}")
    model = folder / MODEL_FILE
    return _Saved(config, state.step, facts, (model,) if model.is_file() else ())


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
    return max((path.stat().st_mtime for path in files if path.exists()), default=0.0)
