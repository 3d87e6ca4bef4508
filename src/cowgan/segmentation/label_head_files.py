"""Files of label heads, which lie beside the model that they belong to."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save as serialise

from cowgan.anatomy.label_schemes import LABEL_SCHEMES, LabelScheme, label_scheme
from cowgan.checkpoint import Checkpoint
from cowgan.documents import parse_json
from cowgan.errors import CowganError
from cowgan.files import atomic_path, sha256_of
from cowgan.segmentation.classes import Classes
from cowgan.segmentation.label_head import LabelHead
from cowgan.tensor_files import open_tensors, write_serialised

_FORMAT = "cowgan-label-head"
_VERSION = 1
_SUFFIX = ".labels.safetensors"
_LARGEST_WIDTH = 1024


@dataclass(frozen=True, eq=False)
class LabelHeadModel:
    """A label head and what it belongs to.

    Parameters
    ----------
    head : LabelHead
        In evaluation mode, on the CPU.
    scheme : LabelScheme
        Meaning of the labels it gives.
    generator_sha256 : str
        Hash of the file of the generator whose features it reads.
    provenance : dict
        Names and number of annotated volumes, steps, seed.
    sha256 : str
        Hash of its file; empty if it has none.
    """

    head: LabelHead
    scheme: LabelScheme
    generator_sha256: str
    provenance: dict[str, Any] = field(default_factory=dict)
    sha256: str = ""

    @property
    def classes(self) -> Classes:
        """The labels that the head tells apart."""
        return Classes.of(self.scheme)


@dataclass(frozen=True)
class _Header:
    scheme: str
    generator_sha256: str
    width: int
    provenance: dict[str, Any]

    def __post_init__(self) -> None:
        if not 1 <= self.width <= _LARGEST_WIDTH:
            raise CowganError(f"A label head cannot have {self.width} channels.")
        label_scheme(self.scheme)


def label_head_path(checkpoint: Path) -> Path:
    """Return where the label head of a model lies: beside it, as ``MODEL.labels.safetensors``."""
    return checkpoint.with_name(checkpoint.stem + _SUFFIX)


def save_label_head(model: LabelHeadModel, path: Path) -> None:
    """Write a label head; the same head always gives the same bytes.

    Raises
    ------
    CowganError
        The name does not end in ``.safetensors``, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise CowganError(f"A label head's name must end in .safetensors, unlike {path.name}.")
    scheme = next(name for name, scheme in LABEL_SCHEMES.items() if scheme is model.scheme)
    header = _Header(scheme, model.generator_sha256, model.head.width, model.provenance)
    metadata = {"format": _FORMAT, "version": str(_VERSION), "header": json.dumps(asdict(header))}
    tensors = {name: tensor.contiguous() for name, tensor in model.head.state_dict().items()}
    with atomic_path(path) as temporary:
        write_serialised(temporary, serialise(tensors, metadata))


def load_label_head(path: Path, checkpoint: Checkpoint) -> LabelHeadModel:
    """Read the label head of a generator.

    Parameters
    ----------
    path : Path
        File of the head.
    checkpoint : Checkpoint
        The generator.

    Raises
    ------
    CowganError
        The file is missing, damaged, of another kind or of a newer version, or the head belongs to
        another generator.
    """
    path = Path(path)
    sha256 = sha256_of(path)
    try:
        with open_tensors(path, "pt") as file:
            header = _header(file.metadata() or {}, path)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise CowganError(f"{path.name} is damaged or incomplete.", str(error)) from error
    if header.generator_sha256 != checkpoint.sha256:
        raise CowganError(
            f"The label head {path.name} belongs to another model than {checkpoint.card.name}; fit "
            "one to it with cowgan label-generator.",
            f"{header.generator_sha256} instead of {checkpoint.sha256}",
        )
    scheme = label_scheme(header.scheme)
    head = LabelHead(checkpoint.config, Classes.of(scheme).count, header.width)
    own = {name: tensor.shape for name, tensor in head.state_dict().items()}
    if own != {name: tensor.shape for name, tensor in tensors.items()} or not all(
        tensor.is_floating_point() and tensor.isfinite().all() for tensor in tensors.values()
    ):
        raise CowganError(f"{path.name} is damaged: its weights are not those of a label head.")
    head.load_state_dict(tensors)
    return LabelHeadModel(
        head.requires_grad_(False).eval(),
        scheme,
        header.generator_sha256,
        header.provenance,
        sha256,
    )


def _header(metadata: dict[str, str], path: Path) -> _Header:
    if metadata.get("format") != _FORMAT:
        raise CowganError(f"{path.name} is a safetensors file, but no label head of this program.")
    if metadata.get("version") != str(_VERSION):
        raise CowganError(
            f"{path.name} was written by a newer version of this program; update to read it.",
            f"format version {metadata.get('version')}",
        )
    return parse_json(metadata.get("header", ""), _Header, f"The description in {path.name}")
