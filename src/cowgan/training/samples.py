"""Sample volumes of a network in training, and a contact sheet of them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cowgan.files import atomic_path
from cowgan.training import sampling
from cowgan.training.trainer import Trainer
from cowgan.volume.contact_sheet import contact_sheet

_COLUMNS, _ROWS = 4, 4
_EDGE = 128


@torch.no_grad()
def sample_volumes(trainer: Trainer, count: int) -> Iterator[Tensor]:
    """Yield volumes of the EMA generator, always from the same latents.

    Each has shape (1, 1, z, x, y), 0 to 1.
    """
    for sample in range(count):
        latents = sampling.latents(
            trainer.config.network, 0, 0, "samples", range(sample, sample + 1), 0.0
        )
        yield trainer.ema(latents, trainer.device).clamp(0, 1)


def write_sample_sheet(trainer: Trainer, path: Path) -> None:
    """Write axial MIPs of sixteen sample volumes as a PNG.

    Anterior is up and the patient's right on the left.
    """
    pictures = []
    for volume in sample_volumes(trainer, _COLUMNS * _ROWS):
        picture = (255 * volume[0, 0].amax(0).T.flip(0)).byte().cpu().numpy()
        scale = max(1, _EDGE // picture.shape[0])
        pictures.append(np.kron(picture, np.ones((scale, scale), np.uint8)))
    with atomic_path(path) as temporary:
        Image.fromarray(contact_sheet(pictures, _COLUMNS)).save(temporary, format="PNG")
