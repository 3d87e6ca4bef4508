"""Settings of a new or resumed run, and the command that starts it; touches no widget."""

import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from cowgan.bank.bank import Bank
from cowgan.networks import PRESETS as NETWORKS
from cowgan.progress import Progress
from cowgan.training.config import Preset, TrainingConfig, preset
from cowgan.training.config_files import CONFIG_FILE, RunConfig, write_config
from cowgan.training.state_files import require_no_state
from napari_cowgan.training.runs import RunKind
from napari_cowgan.training.volume_source import VolumeSize

Place = Literal["process", "thread"]
"""Where a run is trained: in a separate process, or in a thread of napari."""

_COMMANDS: dict[RunKind, list[str]] = {
    "generator": ["train"],
    "segmentation": ["segment", "train"],
}
_NETWORK_OPTIONS = ("image_size", "depth", "network_capacity", "fmap_max")
_OPTIONS = ("batch", "accumulate", "steps", "save_every", "sample_every", "precision", "seed")


@dataclass(frozen=True)
class InitialSettings:
    """Settings of a new run before the user has changed any.

    Parameters
    ----------
    presets : tuple of str
        Presets, the recommended one first.
    columns : int
        Largest size of the network along x and y.
    capacity : int or None
        `NetworkConfig.network_capacity`; None for that of the chosen network.
    steps, save_every, sample_every : int
        See `cowgan.training.config.TrainingConfig`.
    """

    presets: tuple[Preset, ...]
    columns: int
    capacity: int | None
    steps: int
    save_every: int
    sample_every: int

    def size_among(self, sizes: list[VolumeSize]) -> VolumeSize:
        """Return the finest size that is small enough; `sizes` has the finest first."""
        return next((size for size in sizes if size[1] <= self.columns), sizes[-1])


ON_GPU = InitialSettings(("modern", "paper", "projected"), 1024, None, 100_000, 1_000, 500)
ON_CPU = InitialSettings(("projected", "modern", "paper"), 32, 16, 4_000, 100, 50)
"""Small, to be grown later: at full size, a CPU would need days for what this does in hours."""


def run_config(
    recipe: Preset,
    network: str,
    size: VolumeSize,
    capacity: int,
    most_channels: int,
    **changes: Any,
) -> TrainingConfig:
    """Return a preset for a network of another size, with changed settings.

    Raises
    ------
    CowganError
        The settings contradict each other.
    """
    depth, columns = size
    resized = replace(
        NETWORKS[network],
        image_size=columns,
        depth=depth,
        network_capacity=capacity,
        fmap_max=most_channels,
    )
    return preset(recipe, resized).with_changes(**changes)


@dataclass(frozen=True)
class NewRun:
    """A run to be started.

    Parameters
    ----------
    bank, folder : Path
        Training bank, and folder of the run.
    preset, network : str
        Names of the recipe and the architecture that `config` was made from.
    config : TrainingConfig
        Every setting.
    device : str
        "auto", "cpu", "cuda", "cuda:1" or "mps".
    init_from : Path or None
        Model of smaller volumes, or folder of a run, to grow from.
    """

    bank: Path
    folder: Path
    preset: Preset
    network: str
    config: TrainingConfig
    device: str = "auto"
    init_from: Path | None = None

    def prepare(self) -> list[str]:
        """Write ``config.toml`` to the run's folder and return the arguments that start the run.

        Raises
        ------
        CowganError
            The folder holds a run already, or cannot be written.
        """
        return self._arguments({"config": write_new_config(self.config, self.folder)})

    def train(self, progress: Progress) -> None:
        """Train in this process."""
        from cowgan.checkpoint import load
        from cowgan.training.run import start_run
        from cowgan.training.warm_start import InitialWeights

        initial_weights, smaller = None, self.init_from
        if smaller is not None:
            initial_weights = (
                InitialWeights.of_run(smaller)
                if smaller.is_dir()
                else InitialWeights.of_checkpoint(load(smaller))
            )
        bank = Bank.open(self.bank)
        start_run(self.folder, bank, self.config, self.device, initial_weights, progress)

    def command_line(self) -> str:
        """Return a command that starts the run without ``config.toml``, such as on a server."""
        settings = {name: getattr(self.config.network, name) for name in _NETWORK_OPTIONS}
        settings |= {name: getattr(self.config, name) for name in _OPTIONS}
        settings = {"preset": self.preset, "network": self.network, **settings}
        return command_line(self._arguments(settings))

    def _arguments(self, settings: dict[str, Any]) -> list[str]:
        options = {
            "bank": self.bank,
            "out": self.folder,
            **settings,
            "device": self.device,
            "init_from": self.init_from,
        }
        return ["train", *option_words(options)]


@dataclass(frozen=True)
class Resumption:
    """A run to be continued.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    kind : RunKind
        What it trains.
    device : str
        As for `NewRun`.
    steps : int or None
        New length of the run.
    """

    folder: Path
    kind: RunKind
    device: str = "auto"
    steps: int | None = None

    def prepare(self) -> list[str]:
        """Return the arguments that continue the run."""
        options = {"resume": self.folder, "device": self.device, "steps": self.steps}
        return [*_COMMANDS[self.kind], *option_words(options)]

    def train(self, progress: Progress) -> None:
        """Train in this process."""
        from cowgan.segmentation.segmentation_run import resume_segmenter
        from cowgan.training.run import resume_run

        resume = resume_run if self.kind == "generator" else resume_segmenter
        resume(self.folder, None, self.device, self.steps, progress)


def option_words(options: Mapping[str, Any]) -> list[str]:
    """Return options of a command line; those that are None are left out."""
    words = [
        (f"--{name.replace('_', '-')}", str(value))
        for name, value in options.items()
        if value is not None
    ]
    return [word for pair in words for word in pair]


def write_new_config(config: RunConfig, folder: Path) -> Path:
    """Write the settings of a new run to its folder and return their file.

    Raises
    ------
    CowganError
        The folder holds a run already, or cannot be written.
    """
    require_no_state(folder)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / CONFIG_FILE
    write_config(config, file)
    return file


def command_line(arguments: Sequence[str]) -> str:
    """Return a ``cowgan`` command for a terminal."""
    words = ["cowgan", *arguments]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
