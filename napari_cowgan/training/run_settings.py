"""What a person has decided about a new run; touches no widget."""

import shlex
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from cowgan.networks import PRESETS as NETWORKS
from cowgan.training.config import Precision, Preset, TrainingConfig, preset, with_changes
from napari_cowgan.training.volume_source import Size

Place = Literal["process", "thread"]
"""Where a run is trained: in a process of its own, or in that of napari."""


@dataclass(frozen=True)
class FirstChoices:
    """What a new run begins with where a person has chosen nothing yet.

    Parameters
    ----------
    presets : tuple of str
        Recipes, the best first.
    columns : int
        Largest size of the network along x and y.
    capacity : int or None
        Width of the network; None for its own.
    steps, save_every, sample_every : int
        See `cowgan.training.config.TrainingConfig`.
    """

    presets: tuple[Preset, ...]
    columns: int
    capacity: int | None
    steps: int
    save_every: int
    sample_every: int

    def size_among(self, sizes: list[Size]) -> Size:
        """Return the finest size, of those given finest first, that is not too large."""
        return next((size for size in sizes if size[1] <= self.columns), sizes[-1])


ON_GPU = FirstChoices(("modern", "paper", "projected"), 1024, None, 100_000, 1_000, 500)
ON_CPU = FirstChoices(("projected", "modern", "paper"), 32, 16, 4_000, 100, 50)
"""Small, to be grown: at full size a CPU would take days to where this is within hours."""


@dataclass(frozen=True)
class RunPlan:
    """A new run, as ``cowgan train`` would be told of it.

    Parameters
    ----------
    bank, folder : Path
        What to train on, and the run.
    preset, network : str
        Recipe and architecture that the rest changes.
    size : Size
        Slices, and voxels along x and y.
    capacity, most_channels : int
        Width of the network; see `cowgan.networks.NetworkConfig`.
    batch, accumulate, steps, save_every, sample_every, precision, seed
        See `cowgan.training.config.TrainingConfig`.
    device : str
        "auto", "cpu", "cuda", "cuda:1", "mps".
    init_from : Path or None
        Model, or folder of a run, of smaller volumes to grow from.
    """

    bank: Path
    folder: Path
    preset: Preset
    network: str
    size: Size
    capacity: int
    most_channels: int
    batch: int
    accumulate: int
    steps: int
    save_every: int
    sample_every: int
    precision: Precision
    seed: int
    device: str = "auto"
    init_from: Path | None = None

    def config(self) -> TrainingConfig:
        """Return the settings of the run.

        Raises
        ------
        CowganError
            They do not go together.
        """
        depth, size = self.size
        network = replace(
            NETWORKS[self.network],
            image_size=size,
            depth=depth,
            network_capacity=self.capacity,
            fmap_max=self.most_channels,
        )
        return with_changes(
            preset(self.preset, network),
            batch=self.batch,
            accumulate=self.accumulate,
            steps=self.steps,
            save_every=self.save_every,
            sample_every=self.sample_every,
            precision=self.precision,
            seed=self.seed,
        )

    def arguments(self) -> list[str]:
        """Return the words after ``cowgan`` that start the run."""
        depth, size = self.size
        options = {
            "bank": self.bank,
            "out": self.folder,
            "preset": self.preset,
            "network": self.network,
            "image-size": size,
            "depth": depth,
            "network-capacity": self.capacity,
            "fmap-max": self.most_channels,
            "batch": self.batch,
            "accumulate": self.accumulate,
            "steps": self.steps,
            "save-every": self.save_every,
            "sample-every": self.sample_every,
            "precision": self.precision,
            "seed": self.seed,
            "device": self.device,
            "init-from": self.init_from,
        }
        given = [(f"--{name}", str(v)) for name, v in options.items() if v is not None]
        return ["train", *(word for pair in given for word in pair)]

    def command_line(self) -> str:
        """Return the command that a person types to start the run."""
        words = ["cowgan", *self.arguments()]
        return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


@dataclass(frozen=True)
class Resumption:
    """A run that is to go on.

    Parameters
    ----------
    folder : Path
        The run.
    device : str
        As for `RunPlan`.
    steps : int or None
        A new length of the run.
    """

    folder: Path
    device: str = "auto"
    steps: int | None = None

    def arguments(self) -> list[str]:
        """Return the words after ``cowgan`` that start the run."""
        longer = [] if self.steps is None else ["--steps", str(self.steps)]
        return ["train", "--resume", str(self.folder), "--device", self.device, *longer]
