"""Files of trained segmentation networks."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save as serialise

from cowgan.anatomy.label_schemes import LABEL_SCHEMES, LabelScheme, label_scheme
from cowgan.documents import parse_json
from cowgan.errors import CowganError
from cowgan.files import atomic_path, sha256_of
from cowgan.segmentation.classes import Classes
from cowgan.segmentation.unet import SegmentationNetwork, SegmentationNetworkConfig
from cowgan.tensor_files import open_tensors, write_serialised

MODEL_FILE = "model.safetensors"
"""In the folder of a run: the network of its best validation, or of its end without validation."""

_FORMAT = "cowgan-segmenter"
_VERSION = 1


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
    path = Path(path)
    if path.suffix != ".safetensors":
        raise CowganError(f"A network's name must end in .safetensors, unlike {path.name}.")
    scheme = next(name for name, scheme in LABEL_SCHEMES.items() if scheme is model.scheme)
    header = _Header(model.network.config, scheme, model.spacing_mm, model.card)
    tensors = {
        name: tensor.to(torch.float16).contiguous()
        for name, tensor in model.network.weights().items()
    }
    metadata = {
        "format": _FORMAT,
        "version": str(_VERSION),
        "header": json.dumps(asdict(header)),
    }
    with atomic_path(path) as temporary:
        write_serialised(temporary, serialise(tensors, metadata))


def load_segmenter(path: Path) -> SegmenterModel:
    """Read a segmentation network.

    Raises
    ------
    CowganError
        The file is missing, damaged, of another kind or of a newer version, or MONAI is not
        installed.
    """
    path = Path(path)
    sha256 = sha256_of(path)
    try:
        with open_tensors(path, "pt") as file:
            header = _header(file.metadata() or {}, path)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise CowganError(f"{path.name} is damaged or incomplete.", str(error)) from error
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


def _header(metadata: dict[str, str], path: Path) -> _Header:
    if metadata.get("format") != _FORMAT:
        raise CowganError(
            f"{path.name} is a safetensors file, but no segmentation network of this program."
        )
    if metadata.get("version") != str(_VERSION):
        raise CowganError(
            f"{path.name} was written by a newer version of this program; update to read it.",
            f"format version {metadata.get('version')}",
        )
    return parse_json(metadata.get("header", ""), _Header, f"The description in {path.name}")
