"""Segmentation of a phantom of the paper's size by the networks of the package."""

import pytest
import torch

from cowgan.segmentation.bundled_segmenters import BUNDLED_SEGMENTERS
from cowgan.segmentation.segmenter import Segmenter
from cowgan.segmentation.segmenter_files import load_segmenter
from cowgan.simulate import make_phantom
from cowgan.synthesis.precision import choose_dtype


@pytest.mark.parametrize("name", BUNDLED_SEGMENTERS)
def test_segmentation(compare, name):
    volume, _, _ = make_phantom(0)
    model = load_segmenter(BUNDLED_SEGMENTERS[name])
    segmenter = Segmenter([model], "cpu")
    image = torch.from_numpy(volume.data)[None, None]
    dtype = choose_dtype(torch.device("cpu"), "fast")

    def bare() -> None:
        with torch.inference_mode(), torch.autocast("cpu", dtype, dtype != torch.float32):
            model.network(image)

    compare(
        f"Segmentation, {name}",
        {"volume to labels": lambda: segmenter(volume), "network alone": bare},
        limit="network alone",
        repetitions=5,
    )
