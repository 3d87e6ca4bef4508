"""Curves and pictures of a run for TensorBoard, where that is installed."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

BOARD_FOLDER = "tensorboard"
_FLUSH_EVERY_S = 10


def board_available() -> bool:
    """Return whether TensorBoard is installed."""
    return find_spec("tensorboard") is not None


class Board:
    """Writes what the log holds, and sample pictures, as TensorBoard reads them.

    Parameters
    ----------
    folder : Path
        The run.
    step : int
        Steps of the state that the run goes on from: what was written of later ones is no
        longer shown.
    """

    def __init__(self, folder: Path, step: int) -> None:
        # Loading it takes a second, which a run without it need not wait.
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(
            str(folder / BOARD_FOLDER), purge_step=step + 1, flush_secs=_FLUSH_EVERY_S
        )

    def add(self, row: Mapping[str, Any]) -> None:
        """Write the row of a step."""
        for name, value in row.items():
            if name != "step":
                self._writer.add_scalar(name, value, row["step"])

    def show(self, picture: Path, step: int) -> None:
        """Write a sample picture."""
        with Image.open(picture) as opened:
            self._writer.add_image("samples", np.asarray(opened), step, dataformats="HW")

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
