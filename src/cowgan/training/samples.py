"""Pictures of what a network in training makes."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from cowgan.files import atomic_path
from cowgan.training import draws
from cowgan.training.trainer import Trainer

_COLUMNS, _ROWS = 4, 4
_EDGE = 128


@torch.no_grad()
def sample_sheet(trainer: Trainer, path: Path) -> None:
    """Write axial MIPs of sixteen volumes, always of the same latents, as a PNG.

    Anterior is up and the patient's right on the left. Made by the averaged generator.
    """
    config = trainer.config
    pictures = []
    for sample in range(_COLUMNS * _ROWS):
        drawn = draws.latents(config.network, 0, 0, "samples", range(sample, sample + 1), 0.0)
        volume = trainer.average(drawn, trainer.device)[0, 0].clamp(0, 1)
        picture = (255 * volume.amax(0).T.flip(0)).byte().cpu().numpy()
        scale = max(1, _EDGE // picture.shape[0])
        pictures.append(np.kron(picture, np.ones((scale, scale), np.uint8)))
    rows = [np.hstack(pictures[i : i + _COLUMNS]) for i in range(0, len(pictures), _COLUMNS)]
    with atomic_path(path) as temporary:
        Image.fromarray(np.vstack(rows)).save(temporary, format="PNG")
