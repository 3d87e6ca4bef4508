"""Features of volumes of the paper's size, by each extractor, in one process."""

import numpy as np
import torch
from pretrained_files import random_weights
from torch import nn

from cowgan.features.efficientnet import EfficientNetFeatures
from cowgan.features.inception import InceptionFeatures, inception
from cowgan.features.medicalnet import MedicalNet, MedicalNetFeatures
from cowgan.volume import Volume, default_affine

SHAPE = (32, 128, 128)


def test_volumes_per_second(compare, report, tmp_path):
    paths = {}
    for build in (MedicalNet, inception):
        with torch.device("meta"):
            network: nn.Module = build()
        shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
        paths[build] = tmp_path / f"{build.__name__}.pth"
        torch.save(random_weights(shapes), paths[build])
    extractors = {
        "EfficientNet-Lite0": EfficientNetFeatures(),
        "MedicalNet": MedicalNetFeatures(paths[MedicalNet]),
        "Inception-v3, 32 slices": InceptionFeatures(paths[inception]),
    }
    volume = Volume(np.random.default_rng(0).random(SHAPE, np.float32), default_affine(SHAPE))
    topic = "Features, " + " x ".join(map(str, SHAPE))
    actions = {name: lambda one=one: one(volume) for name, one in extractors.items()}
    for name, seconds in compare(topic, actions, repetitions=2).items():
        report(topic, name, [60 / each for each in seconds], "volumes/min")
