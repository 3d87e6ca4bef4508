"""Memory and time that the training of a segmentation network needs."""

from pathlib import Path

import numpy as np
import pytest
from allocated_memory import allocated_peak

from cowgan.anatomy.label_schemes import label_scheme
from cowgan.errors import Cancelled, CowganError
from cowgan.segmentation.fitting import Fitting
from cowgan.segmentation.fitting_needs import FittingTime, estimate_fitting, measure_fitting
from cowgan.segmentation.labelled_cases import LabelledCase, LabelledCases
from cowgan.segmentation.segmentation_config import SegmentationConfig
from cowgan.segmentation.unet import SegmentationNetworkConfig
from cowgan.volume import DEFAULT_SPACING_MM

pytest.importorskip("monai")

SCHEME = label_scheme("topcow2024")
MOST_BELOW, MOST_ABOVE = 0.95, 1.3


def config(**changes: object) -> SegmentationConfig:
    usual = {"patch_z": 16, "patch_xy": 48, "precision": "fp32", "batch": 2, "accumulate": 2}
    network = SegmentationNetworkConfig((8, 16, 24), deep_supervision=1)
    return SegmentationConfig(network=network).with_changes(**{**usual, **changes})


class Stopping:
    """Progress that is cancelled after a step."""

    cancelled = False

    def report(self, done: int, total: int, message: str = "") -> None:
        self.cancelled = done >= 1


def test_the_estimate_is_close_to_the_memory_used(tmp_path: Path, single_threaded) -> None:
    wanted = config()
    image = np.zeros((40, 60, 60), np.float16)
    case = LabelledCase("1", "1", image, np.ones(image.shape, np.uint8))

    def work() -> None:
        fitting = Fitting(wanted, LabelledCases([case], SCHEME, DEFAULT_SPACING_MM), "cpu")
        for _ in range(2):
            fitting.step()

    measured = allocated_peak(work, tmp_path)
    estimated = estimate_fitting(wanted, SCHEME, "cpu")
    assert MOST_BELOW * measured <= estimated.bytes <= MOST_ABOVE * measured
    assert estimated.available_bytes > 0


def test_memory_grows_with_the_batch_and_not_with_the_passes() -> None:
    once = estimate_fitting(config(), SCHEME, "cpu").bytes
    assert 1.5 < estimate_fitting(config(batch=4), SCHEME, "cpu").bytes / once < 2
    assert estimate_fitting(config(accumulate=8), SCHEME, "cpu").bytes == once


def test_steps_are_timed_and_told(single_threaded) -> None:
    found = measure_fitting(config(), SCHEME, "cpu")
    assert found.step_s > 0
    summary = FittingTime(0.5, 5).summary(config(steps=1200))
    assert summary.startswith("A step takes about 0.5 s (5 were measured on this computer), so")
    assert "1,200 steps take about 10 min" in summary


def test_measuring_can_be_cancelled() -> None:
    with pytest.raises(Cancelled):
        measure_fitting(config(), SCHEME, "cpu", Stopping())


def test_a_patch_that_does_not_fit_is_told() -> None:
    with pytest.raises(CowganError, match="patch_z"):
        estimate_fitting(config(patch_z=13), SCHEME, "cpu")
