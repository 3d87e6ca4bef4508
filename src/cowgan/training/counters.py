"""The numbers that a run carries from step to step."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cowgan.training.config import TrainingConfig


@dataclass
class Counters:
    """The numbers that a run carries from step to step.

    Parameters
    ----------
    step : int
        Completed steps.
    path_mean : float
        Running mean of path lengths; 0 until the first one.
    augment : float
        Current probability of each augmentation.
    skipped, bad_in_a_row : int
        Steps without an update because a gradient was not finite: all of them, and those since
        the last good step.
    """

    step: int = 0
    path_mean: float = 0.0
    augment: float = 0.0
    skipped: int = 0
    bad_in_a_row: int = 0

    def adapt_to(self, metrics: Mapping[str, float], config: TrainingConfig) -> None:
        """Adapt augmentation and the mean path length to the metrics of all processes."""
        if "judged_real" in metrics and config.augment_target > 0:
            change = config.images_per_step / config.augment_images
            direction = np.sign(metrics["judged_real"] - config.augment_target)
            self.augment = float(np.clip(self.augment + direction * change, 0, 1))
        found = metrics.get("path_length", np.nan)
        if np.isfinite(found):
            before = self.path_mean or found
            self.path_mean = before + (1 - config.path_decay) * (found - before)

    def count_step(self, good: bool) -> None:
        """Count a completed step, and whether its gradients were finite."""
        self.step += 1
        if good:
            self.bad_in_a_row = 0
        else:
            self.skipped += 1
            self.bad_in_a_row += 1
