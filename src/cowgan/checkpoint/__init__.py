"""Checkpoints: the native safetensors format and the published ``.pt`` files.

Nothing is ever unpickled or executed from a checkpoint.
"""

from importlib.resources import files
from pathlib import Path

from cowgan.checkpoint.latent_statistics import LatentStatistics, to_p, to_w
from cowgan.checkpoint.model import Checkpoint, ModelCard
from cowgan.checkpoint.native import load_native, save
from cowgan.checkpoint.published import find_in_folder, load_published
from cowgan.errors import CowganError

__all__ = [
    "BUNDLED",
    "Checkpoint",
    "LatentStatistics",
    "ModelCard",
    "load",
    "load_bundled",
    "save",
    "to_p",
    "to_w",
]

BUNDLED = Path(str(files("cowgan"))) / "bundled" / "model.safetensors"
"""The bundled model, used by default."""


def load(path: str | Path, depth: int | None = None) -> Checkpoint:
    """Read a checkpoint.

    Parameters
    ----------
    path : str or Path
        A native ``.safetensors`` file, a published ``.pt`` file, or a published
        ``models/NAME`` folder, of which the newest ``model_N.pt`` is read.
    depth : int, optional
        Number of slices of a published model, whose files do not store it. By default it is
        taken from a folder name such as ``256_256_4``, or else assumed to be 32, which the
        checkpoint's ``notes`` say.

    Returns
    -------
    Checkpoint
        With the EMA weights.

    Raises
    ------
    CowganError
        The file is missing, damaged, hostile, of another kind or another architecture, or
        `depth` contradicts it.
    """
    path = Path(path)
    try:
        if path.is_dir():
            path = find_in_folder(path)
        if not path.is_file():
            raise CowganError(f"There is no file {path}.")
        if path.suffix == ".safetensors":
            checkpoint = load_native(path)
            if depth not in (None, checkpoint.config.depth):
                raise CowganError(
                    f"{path.name} is a model of {checkpoint.config.depth} slices, not {depth}."
                )
            return checkpoint
        if path.suffix in (".pt", ".pth"):
            return load_published(path, depth)
    except OSError as error:
        raise CowganError(f"{path} could not be read: {error.strerror or error}.") from error
    raise CowganError(
        f"{path.name} is not a checkpoint: choose a .safetensors file, a .pt file or a folder "
        "of .pt files."
    )


def load_bundled() -> Checkpoint:
    """Read the bundled model."""
    return load(BUNDLED)
