"""Features of DINOv2, a vision transformer pretrained on photographs without labels."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor
from torch.nn import functional

from cowgan.documents import checked, read_json
from cowgan.errors import CowganError
from cowgan.features.extractor import Recipe
from cowgan.features.views import PLANES, SLICES, fixed_views, picture_shape
from cowgan.files import sha256_of
from cowgan.tensor_files import open_tensors
from cowgan.volume import Volume

_COLUMNS = 224
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the colours of ImageNet."""

_CONFIG_FILE, _WEIGHTS_FILE = "config.json", "model.safetensors"
_LARGEST_CONFIG = 2**20
_MOST_LAYERS = 100


@dataclass(frozen=True)
class _Architecture:
    """What a configuration file says of the network, in the words of transformers."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    mlp_ratio: int
    image_size: int
    patch_size: int
    layer_norm_eps: float
    qkv_bias: bool
    use_swiglu_ffn: bool
    hidden_act: Literal["gelu"]
    num_channels: Literal[3]

    def __post_init__(self) -> None:
        if not 1 <= self.num_hidden_layers <= _MOST_LAYERS:
            raise CowganError(f"DINOv2 does not have {self.num_hidden_layers} layers.")


class Dinov2Features:
    """An extractor: DINOv2 (Oquab et al. 2023, arXiv 2304.07193) of projections and slices.

    The class token of the last layer, of each projection among `fixed_views` and, averaged, of
    the slices. Pictures are resized by bicubic interpolation and standardised as DINOv2's own
    processor does, but are not cropped.

    Parameters
    ----------
    folder : Path
        ``config.json`` and ``model.safetensors`` in the format of `transformers`, as published for
        ``facebook/dinov2-base``.

    Raises
    ------
    CowganError
        The extra is not installed, or the folder does not hold weights of DINOv2.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)
        self._architecture = _read_architecture(self._folder / _CONFIG_FILE)
        self._network = _load(self._architecture, self._folder / _WEIGHTS_FILE)
        self.dimensions = (len(PLANES) + 1) * self._architecture.hidden_size
        self.recipe = Recipe(
            "DINOv2 of MIPs and slices",
            version=1,
            settings={
                "columns": _COLUMNS,
                "slices": SLICES,
                "scaling": "robust",
                "resizing": "bicubic, uncropped",
                **asdict(self._architecture),
            },
            weights_sha256=sha256_of(self._folder / _WEIGHTS_FILE),
        )

    def __call__(self, volume: Volume) -> NDArray[np.float32]:
        """Return one row."""
        parts = [self._mean_token(pictures, flat) for pictures, flat in fixed_views(volume)]
        return torch.cat(parts)[None].numpy()

    def __reduce__(self) -> tuple[type["Dinov2Features"], tuple[Path]]:
        # Each process loads the network for itself.
        return Dinov2Features, (self._folder,)

    @torch.inference_mode()
    def _mean_token(self, pictures: Tensor, flat: bool) -> Tensor:
        tokens: Tensor = self._network(_network_input(pictures, flat)).pooler_output
        return tokens.mean(0)


def _network_input(pictures: Tensor, flat: bool) -> Tensor:
    """Return grey pictures (N, 1, h, w), 0 to 1, as the network needs them."""
    grey = functional.interpolate(
        pictures, picture_shape(_COLUMNS, flat), mode="bicubic", antialias=True
    ).clamp(0, 1)
    mean, deviation = (torch.tensor(of)[:, None, None] for of in (_MEAN, _DEVIATION))
    return (grey - mean) / deviation


def _read_architecture(path: Path) -> _Architecture:
    content = read_json(path, dict[str, Any], _LARGEST_CONFIG)
    kind = content.get("model_type")
    if kind != "dinov2":
        raise CowganError(f"{path} describes a network of the type {kind!r:.40}, and not dinov2.")
    return checked(content, _Architecture, str(path), other_versions=True)


def _load(architecture: _Architecture, path: Path) -> Any:
    """Return the network with the weights of a file, which transformers does not open itself."""
    try:
        from transformers import Dinov2Config, Dinov2Model
        from transformers.utils import logging
    except ImportError as error:
        raise CowganError(
            'DINOv2 needs the extra "dinov2": pip install "napari-cowgan[dinov2]"', repr(error)
        ) from error
    weights = _read_weights(path)
    refusal = f"{path} does not hold the weights of DINOv2 that {_CONFIG_FILE} describes."
    logging.disable_progress_bar()
    try:
        config = Dinov2Config(**asdict(architecture))
        with torch.device("meta"):
            needed = sum(one.numel() for one in Dinov2Model(config).parameters())
        # transformers makes up what is missing, in memory that the file need not account for.
        if needed > sum(one.numel() for one in weights.values()):
            raise CowganError(refusal, f"{needed} numbers are needed")
        network, report = Dinov2Model.from_pretrained(
            None, config=config, state_dict=weights, output_loading_info=True
        )
    except CowganError:
        raise
    except Exception as error:
        raise CowganError(refusal, repr(error)) from error
    if report["missing_keys"]:
        raise CowganError(refusal, f"missing: {sorted(report['missing_keys'])[:20]}")
    if not all(one.isfinite().all() for one in network.parameters()):
        raise CowganError(f"{path} holds infinite or undefined weights.")
    return network.requires_grad_(False).eval()


def _read_weights(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise CowganError(f"{path.parent} holds no {path.name}.")
    try:
        with open_tensors(path, "pt") as file:
            return {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise CowganError(f"{path} is damaged or incomplete.", str(error)) from error
