"""Files of trained segmentation networks."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from cowgan.anatomy.label_schemes import LABEL_SCHEMES, LabelScheme, label_scheme
from cowgan.checkpoint.model_files import ModelFiles
from cowgan.errors import CowganError
from cowgan.segmentation.classes import Classes
from cowgan.segmentation.unet import SegmentationNetwork, SegmentationNetworkConfig

MODEL_FILE = "model.safetensors"
"""In the folder of a run: the network of its best validation, or of its end without validation."""


@dataclass(frozen=True)
class SegmenterCard:
    """What a segmentation network is, for people and for tables.

    Parameters
    ----------
    name : str
        Short name.
    description : str
        What it was trained on, and what it has never seen.
    provenance : dict
        Settings and hash of the training data.
    """

    name: str = ""
    description: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SegmenterModel:
    """A trained segmentation network.

    Parameters
    ----------
    network : SegmentationNetwork
        In evaluation mode, on the CPU.
    scheme : LabelScheme
        Meaning of the labels it gives.
    spacing_mm : tuple of float
        Voxel size along (z, x, y) that it expects.
    card : SegmenterCard
        What it is.
    sha256 : str
        Hash of its file; empty if it has none.
    """

    network: SegmentationNetwork
    scheme: LabelScheme
    spacing_mm: tuple[float, float, float]
    card: SegmenterCard = field(default_factory=SegmenterCard)
    sha256: str = ""

    @property
    def classes(self) -> Classes:
        """The labels that the network tells apart."""
        return Classes.of(self.scheme)


@dataclass(frozen=True)
class _Header:
    network: SegmentationNetworkConfig
    scheme: str
    spacing_mm: tuple[float, float, float]
    card: SegmenterCard

    def __post_init__(self) -> None:
        if not all(0 < size < 100 for size in self.spacing_mm):
            raise CowganError(f"A voxel cannot have a size of {self.spacing_mm} mm.")
        label_scheme(self.scheme)


_FILES = ModelFiles("cowgan-segmenter", "segmentation network", _Header)


def segmenter_path(path: Path) -> Path:
    """Return the file of a network, given it or the folder of the run that trained it."""
    return path / MODEL_FILE if path.is_dir() else path


def save_segmenter(model: SegmenterModel, path: Path) -> None:
    """Write a segmentation network in half precision; the same model always gives the same bytes.

    Raises
    ------
    CowganError
        The name does not end in ``.safetensors``, or the file cannot be written.
    """
    scheme = next(name for name, scheme in LABEL_SCHEMES.items() if scheme is model.scheme)
    header = _Header(model.network.config, scheme, model.spacing_mm, model.card)
    weights = model.network.weights()
    tensors = {name: weight.to(torch.float16) for name, weight in weights.items()}
    _FILES.write(path, tensors, header)


def load_segmenter(path: Path) -> SegmenterModel:
    """Read a segmentation network.

    Raises
    ------
    CowganError
        The file is missing, damaged, of another kind or of a newer version, or MONAI is not
        installed.
    """
    path = Path(path)
    tensors, header, sha256 = _FILES.read(path)
    scheme = label_scheme(header.scheme)
    # Without memory for its weights until they are known to be in the file.
    with torch.device("meta"):
        network = SegmentationNetwork(header.network, Classes.of(scheme).count)
    try:
        network.require_fitting(tensors)
    except CowganError as error:
        raise CowganError(f"{path.name} is damaged: {error.sentence}", error.detail) from error
    network.to_empty(device="cpu")
    network.load_weights(tensors)
    if not all(torch.isfinite(weight).all() for weight in network.weights().values()):
        raise CowganError(f"{path.name} is damaged: some weights are not finite.")
    return SegmenterModel(network.eval(), scheme, header.spacing_mm, header.card, sha256)
