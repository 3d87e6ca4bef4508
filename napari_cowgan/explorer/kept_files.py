"""Where the user's own things of a model are kept."""

from pathlib import Path

from cowgan.checkpoint import Checkpoint
from napari_cowgan.widgets.remembered import data_folder


def kept_path(checkpoint: Checkpoint, folder: str, suffix: str) -> Path | None:
    """Return a path of a model's own in a data folder; None for a model without a file."""
    if checkpoint.sha256 is None:
        return None
    return data_folder() / folder / f"{checkpoint.sha256}{suffix}"
