"""Statistics of real volumes that generated ones are compared with."""

from dataclasses import dataclass

import torch

from cowgan.randomness import stream
from cowgan.training.brightness import Brightness, measure_brightness
from cowgan.training.step_inputs import TrainingVolumes

_MOST_VOLUMES = 256


@dataclass(frozen=True)
class RealStatistics:
    """Statistics of real volumes.

    Parameters
    ----------
    brightness : Brightness
        Their brightness.
    variance : float
        Of all their voxels.
    """

    brightness: Brightness
    variance: float


def measure_real_statistics(
    volumes: TrainingVolumes, seed: int, device: torch.device
) -> RealStatistics:
    """Measure a random sample, which is the same in every process and after resuming."""
    random = stream("real volumes for reference", seed)
    count = len(volumes)
    chosen = random.choice(count, min(count, _MOST_VOLUMES), replace=False)
    sample = torch.from_numpy(volumes.read(chosen.tolist()))
    return RealStatistics(measure_brightness(sample.to(device)), float(sample.var()))
