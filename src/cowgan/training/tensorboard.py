"""Curves and sample pictures of a run for TensorBoard, if that is installed."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

TENSORBOARD_FOLDER = "tensorboard"
_FLUSH_EVERY_S = 10


def tensorboard_available() -> bool:
    """Return whether TensorBoard is installed."""
    return find_spec("tensorboard") is not None


class TensorBoardWriter:
    """Writes the rows of the log, and sample pictures, for TensorBoard.

    Parameters
    ----------
    folder : Path
        The run.
    step : int
        Step of the state that the run resumes from; events of later steps are hidden.
    """

    def __init__(self, folder: Path, step: int) -> None:
        # Importing it takes a second, which runs without it are spared.
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(
            str(folder / TENSORBOARD_FOLDER), purge_step=step + 1, flush_secs=_FLUSH_EVERY_S
        )

    def add_row(self, row: Mapping[str, Any]) -> None:
        """Write the row of a step."""
        for name, value in row.items():
            if name != "step":
                self._writer.add_scalar(name, value, row["step"])

    def add_picture(self, path: Path, step: int) -> None:
        """Write a sample picture."""
        with Image.open(path) as opened:
            self._writer.add_image("samples", np.asarray(opened), step, dataformats="HW")

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()


def tensorboard_writer(folder: Path, step: int) -> AbstractContextManager[TensorBoardWriter | None]:
    """Return a writer that is closed at the end, or None without TensorBoard.

    Parameters
    ----------
    folder, step
        As for `TensorBoardWriter`.
    """
    return closing(TensorBoardWriter(folder, step)) if tensorboard_available() else nullcontext()
