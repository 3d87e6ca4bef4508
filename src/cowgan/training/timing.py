"""An estimate of the time of a run on this device, from measured steps of the trainer."""

import time
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, lcm
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray

from cowgan.progress import Progress, Silent, advance
from cowgan.training.config import TrainingConfig
from cowgan.training.counters import Counters
from cowgan.training.trainer import Trainer

_FEW = 10
_VOLUMES = 16
_REPEATS = 3
_ENOUGH_S = 6.0
"""Time after which a kind of step is no longer repeated."""


@dataclass(frozen=True)
class StepTime:
    """Duration of steps.

    Parameters
    ----------
    plain_s : float
        A step without penalty and path-length regularisation.
    penalty_s, path_s : float
        Additional time of a step with the slope penalty, or with path-length regularisation.
    steps : int
        Number of measured steps.
    """

    plain_s: float
    penalty_s: float
    path_s: float
    steps: int

    def run_s(self, config: TrainingConfig) -> float:
        """Return the time of all steps of a run, without pictures, metrics and saving."""
        penalties = ceil(config.steps / config.penalty_every)
        paths = ceil(config.steps / config.path_every) - ceil(config.path_from / config.path_every)
        return (
            config.steps * self.plain_s + penalties * self.penalty_s + max(paths, 0) * self.path_s
        )

    def summary(self, config: TrainingConfig) -> str:
        """Return the time of a run in words, with the number of measured steps."""
        words = run_time_in_words(self.run_s(config), config.steps, self.steps)
        return f"{words}; pictures, metrics and saving come on top."


def run_time_in_words(run_s: float, steps: int, measured: int) -> str:
    """Return the time of all steps of a run, of which some were measured, in words."""
    every = f"{steps:,} steps take" if steps > 1 else "the only one takes"
    return (
        f"A step takes about {duration(run_s / steps)} ({measured} were measured on this "
        f"computer), so {every} about {duration(run_s)}"
    )


def duration(seconds: float) -> str:
    """Return a time in its largest unit, or in two if it has less than ten of that."""
    units = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    if seconds < _FEW:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    for (size, name), (smaller, smaller_name) in pairwise(units):
        if whole >= size:
            more = whole % size // smaller if whole < _FEW * size else 0
            return f"{whole // size} {name}" + (f" {more} {smaller_name}" if more else "")
    return f"{whole} s"


def measure_step_time(
    config: TrainingConfig, device: str = "auto", progress: Progress | None = None
) -> StepTime:
    """Time a few steps of each kind, on random volumes.

    The first of each kind is a warm-up and does not count if there is another. Where passes are
    long, a single one stands for its step.

    Parameters
    ----------
    config : TrainingConfig
        Settings of the run.
    device : str
        "auto", "cpu", "cuda", "cuda:1".
    progress : Progress, optional
        Reports each step.

    Raises
    ------
    CowganError
        The device does not exist, an extra is missing, or memory runs out.
    Cancelled
        The user cancelled.
    """
    stopwatch = _Stopwatch(config, device, progress or Silent())
    plain = stopwatch.time(penalty=False, path=False)
    penalty = stopwatch.time(penalty=True, path=False) - plain if config.penalty_weight else 0.0
    path = stopwatch.time(penalty=False, path=True) - plain if config.path_weight else 0.0
    return StepTime(plain, max(penalty, 0.0), max(path, 0.0), stopwatch.steps)


class _Stopwatch:
    def __init__(self, config: TrainingConfig, device: str, progress: Progress) -> None:
        self.steps = 0
        kinds = 1 + bool(config.penalty_weight) + bool(config.path_weight)
        self._most = kinds * (1 + _REPEATS)
        self._config = config
        self._progress = progress
        volumes = _RandomVolumes(config.network.volume_shape)
        self._trainer = Trainer(config, volumes, device)
        components = self._trainer.components
        if components is not None:
            components.cpu()
            components.fit([torch.from_numpy(volumes.read(list(range(_VOLUMES))))])
            components.to(self._trainer.device)

    def time(self, penalty: bool, path: bool) -> float:
        """Return the seconds of a step with these terms."""
        single = self._config.with_changes(
            accumulate=1,
            penalty_weight=None if penalty else 0.0,
            path_weight=None if path else 0.0,
        )
        whole = single.with_changes(accumulate=self._config.accumulate)
        passes = self._config.accumulate
        # The warm-up.
        first = passes * self._step(single)
        if first > _ENOUGH_S:
            return first
        taken = [self._step(whole)]
        while len(taken) < _REPEATS and sum(taken) < _ENOUGH_S:
            taken.append(self._step(whole))
        return median(taken)

    def _step(self, config: TrainingConfig) -> float:
        advance(self._progress, self.steps, self._most)
        trainer = self._trainer
        trainer.config = config
        # A step with all terms of the config.
        every = lcm(config.penalty_every, config.path_every)
        step = every * (1 + ceil(config.path_from / every))
        trainer.counters = Counters(step, augment=config.augment)
        start = time.perf_counter()
        trainer.step()
        if trainer.device.type == "cuda":
            torch.cuda.synchronize(trainer.device)
        self.steps += 1
        return time.perf_counter() - start


class _RandomVolumes:
    """Random volumes, as the time does not depend on their content."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._shape = shape

    def __len__(self) -> int:
        return _VOLUMES

    def read(self, indices: list[int]) -> NDArray[np.float32]:
        volumes = [np.random.default_rng(i).random(self._shape, np.float32) for i in indices]
        return np.stack(volumes)[:, None]
