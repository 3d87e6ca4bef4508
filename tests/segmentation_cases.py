"""Small labelled cases for tests of segmentation: bright tubes on a dark ground."""

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.segmentation.labelled_cases import LabelledCase, LabelledCases
from cowgan.segmentation.segmentation_config import SegmentationConfig
from cowgan.segmentation.unet import SegmentationNetworkConfig

SPACING_MM = (0.6, 0.6, 0.6)
TINY = SegmentationNetworkConfig((6, 8, 8))
LEFT, RIGHT = 4, 5


def tubes(seed: int, shape: tuple[int, int, int] = (8, 32, 32)) -> tuple[NDArray, NDArray]:
    """Return an image of a wide bright tube and a thin fainter one, and their labels."""
    random = np.random.default_rng(seed)
    labels = np.zeros(shape, np.uint8)
    left, right = random.integers(4, 10), random.integers(20, 28)
    labels[:, left : left + 5, 6:26] = LEFT
    labels[2:5, right : right + 2, 4:28] = RIGHT
    image = 0.1 + 0.8 * (labels == LEFT) + 0.4 * (labels == RIGHT)
    image = image + 0.03 * random.standard_normal(shape)
    return np.clip(image, 0, 1).astype(np.float16), labels


def tube_cases(count: int) -> LabelledCases:
    """Return cases of as many subjects, in the territory scheme."""
    cases = [LabelledCase(f"case_{seed}", f"subject_{seed}", *tubes(seed)) for seed in range(count)]
    return LabelledCases(cases, TERRITORIES, SPACING_MM)


def tiny_config(**changes: object) -> SegmentationConfig:
    """Return settings that train in seconds."""
    defaults = {
        "patch_z": 8,
        "patch_xy": 24,
        "steps": 6,
        "batch": 2,
        "warm_up": 2,
        "validate_every": 0,
        "save_every": 2,
        "precision": "fp32",
        "mirror": 0.0,
        "distortion": 0.0,
    }
    return SegmentationConfig(network=TINY).with_changes(**{**defaults, **changes})


class StopAt:
    """Cancels a run before a step."""

    def __init__(self, step: int) -> None:
        self._step, self._done = step, 0

    def report(self, done: int, total: int, message: str = "") -> None:
        self._done = done

    @property
    def cancelled(self) -> bool:
        return self._done >= self._step
