"""A network that segments the tubes of `segmentation_cases`, and scans of them."""

from pathlib import Path

import numpy as np
from segmentation_cases import SPACING_MM, tiny_config, tube_cases, tubes

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.segmentation.fitting import Fitting
from cowgan.segmentation.segmenter_files import SegmenterCard, SegmenterModel, save_segmenter
from cowgan.volume import Volume, default_affine


def tube_network() -> SegmenterModel:
    """Return a network that was trained for a few seconds."""
    config = tiny_config(steps=150, rate=2e-2, intensity=0.0)
    fitting = Fitting(config, tube_cases(12), "cpu")
    for _ in range(config.steps):
        fitting.step()
    return SegmenterModel(fitting.network.eval(), TERRITORIES, SPACING_MM, SegmenterCard("tubes"))


def write_tube_network(path: Path) -> Path:
    """Write that network to a file."""
    save_segmenter(tube_network(), path)
    return path


def tube_scan(seed: int = 100) -> Volume:
    """Return a scan that the network has not seen."""
    image, _ = tubes(seed)
    return Volume(image.astype(np.float32), default_affine(image.shape, SPACING_MM))
