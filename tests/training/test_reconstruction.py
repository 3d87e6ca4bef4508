"""Reconstruction of real volumes, and the details it leaves free."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cowgan.training.projected_discriminator import ProjectedDiscriminator
from cowgan.training.reconstruction import feature_error, reconstruction_error


def rings() -> Tensor:
    """Return four volumes with a thin bright ring each, shape (4, 1, 32, 32, 32)."""
    z, x, y = np.mgrid[:32, :32, :32].astype(np.float32)
    volumes = [
        np.exp(-((np.hypot(x - 15, y - 14) - radius) ** 2) - (z - place) ** 2 / 4)
        for radius, place in ((6, 12), (8, 16), (10, 14), (7, 20))
    ]
    return torch.from_numpy(np.stack(volumes))[:, None]


def test_details_beyond_the_components_are_not_penalised() -> None:
    reals = rings()
    detail = torch.tensor([1.0, -1.0]).repeat(16)
    detailed = reals + 0.3 * detail * detail[:, None]
    assert float(reconstruction_error(detailed, reals, 1.0)) < 1e-6
    moved = reals.roll(3, 4)
    assert float(reconstruction_error(moved, reals, 1.0)) > 1e-3


def test_features_prefer_a_sharp_artery_in_another_place_to_a_blurred_one(single_threaded) -> None:
    reals = rings()
    moved = reals.roll(1, 3)
    blurred = functional.avg_pool3d(functional.avg_pool3d(reals, 3, 1, 1), 3, 1, 1)
    subject = ProjectedDiscriminator(32, 32, torch.Generator().manual_seed(0))
    with torch.no_grad():
        wanted = subject.features(reals)
        errors = [
            float(feature_error(subject.features(one), wanted, 4))
            for one in (reals, moved, blurred)
        ]
    assert errors[0] == 0
    assert 0 < errors[1] < 0.7 * errors[2]
    assert (moved - reals).square().mean() > (blurred - reals).square().mean()
