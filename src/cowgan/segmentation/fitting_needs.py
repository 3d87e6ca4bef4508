"""Estimates of the memory and time that training a segmentation network needs."""

import time
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.progress import Progress, Silent, advance
from cowgan.segmentation.fitting import Fitting
from cowgan.segmentation.labelled_cases import LabelledCase, LabelledCases
from cowgan.segmentation.segmentation_config import SegmentationConfig
from cowgan.synthesis.precision import choose_device
from cowgan.training.tensor_memory import (
    MemoryEstimate,
    free_bytes,
    make_moments,
    peak_bytes,
    traced_precision,
)
from cowgan.training.timing import run_time_in_words
from cowgan.volume import DEFAULT_SPACING_MM

_MEASURED_STEPS = 5


@dataclass(frozen=True)
class FittingTime:
    """Duration of steps.

    Parameters
    ----------
    step_s : float
        Median time of a step.
    steps : int
        Number of measured steps.
    """

    step_s: float
    steps: int

    def summary(self, config: SegmentationConfig) -> str:
        """Return the time of a run in words, with the number of measured steps."""
        words = run_time_in_words(config.steps * self.step_s, config.steps, self.steps)
        return f"{words}; validation and saving come on top."


def estimate_fitting(
    config: SegmentationConfig, scheme: LabelScheme, device: str = "auto"
) -> MemoryEstimate:
    """Return the memory of tensors that a step needs; that of the cases comes on top.

    Parameters
    ----------
    config : SegmentationConfig
        Settings of the run.
    scheme : LabelScheme
        Labels to learn, each of which has a class.
    device : str
        "auto", "cpu", "cuda", "cuda:1".

    Raises
    ------
    CowganError
        The device does not exist, or the patch does not fit the network.
    """
    chosen = choose_device(device)
    # Two passes need the same memory as hundreds.
    traced = config.with_changes(
        precision=traced_precision(config.precision, chosen), accumulate=min(config.accumulate, 2)
    )

    def work() -> None:
        fitting = Fitting(traced, _made_up_case(traced, scheme), "cpu")
        make_moments(fitting.optimiser.adam)
        fitting.step()

    return MemoryEstimate(peak_bytes(work), free_bytes(chosen))


def measure_fitting(
    config: SegmentationConfig,
    scheme: LabelScheme,
    device: str = "auto",
    progress: Progress | None = None,
) -> FittingTime:
    """Time a few steps on a made-up case, after one that does not count.

    Parameters
    ----------
    config, scheme, device
        As in `estimate_fitting`.
    progress : Progress, optional
        Reports each step.

    Raises
    ------
    CowganError
        The device does not exist, the patch does not fit the network, or memory runs out.
    Cancelled
        The user cancelled.
    """
    progress = progress or Silent()
    fitting = Fitting(config, _made_up_case(config, scheme), device)
    taken: list[float] = []
    for step in range(1 + _MEASURED_STEPS):
        advance(progress, step, 1 + _MEASURED_STEPS)
        start = time.perf_counter()
        fitting.step()
        if fitting.device.type == "cuda":
            torch.cuda.synchronize(fitting.device)
        taken.append(time.perf_counter() - start)
    return FittingTime(median(taken[1:]), _MEASURED_STEPS)


def _made_up_case(config: SegmentationConfig, scheme: LabelScheme) -> LabelledCases:
    """Return a case as large as a patch; what a step costs does not depend on its content."""
    random = np.random.default_rng(0)
    image = random.random(config.patch, np.float32).astype(np.float16)
    labels = random.choice([0, *scheme.labels], config.patch).astype(np.uint8)
    return LabelledCases([LabelledCase("1", "1", image, labels)], scheme, DEFAULT_SPACING_MM)
