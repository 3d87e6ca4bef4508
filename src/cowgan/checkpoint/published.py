"""Reader of the ``.pt`` files written by the paper's training code."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from cowgan.checkpoint.model import Checkpoint, ModelCard
from cowgan.checkpoint.weights import load_into, with_prefix
from cowgan.documents import read_json
from cowgan.errors import CowganError
from cowgan.files import sha256_of
from cowgan.networks import Discriminator, MappingNetwork, NetworkConfig, SynthesisNetwork
from cowgan.torch_files import is_weight, read_torch_file

_PREFIXES = ("SE.", "GE.", "D.")
_BLUR = [1.0, 2.0, 1.0]
_UNSUPPORTED = {
    "transparent": "a colour and opacity output",
    "attn_layers": "attention layers",
    "fq_layers": "feature quantisation",
    "no_const": "an input that is not constant",
}


def find_in_folder(folder: Path) -> Path:
    """Return the newest ``model_N.pt`` of a ``models/NAME`` folder."""
    numbered = {
        int(match[1]): path
        for path in folder.iterdir()
        if (match := re.fullmatch(r"model_(\d+)\.pt", path.name))
    }
    if not numbered:
        raise CowganError(f"The folder {folder} holds no checkpoint named model_N.pt.")
    return numbered[max(numbered)]


def load_published(path: Path, depth: int | None) -> Checkpoint:
    """Read a published checkpoint; see `cowgan.checkpoint.load`."""
    tensors = _without_blur(_read_tensors(path))
    settings = _read_settings(path.parent / ".config.json")
    config, notes = _infer_config(tensors, settings, depth, path)
    claimed = sum(tensor.numel() for tensor in tensors.values())
    if claimed > 2 * path.stat().st_size:
        raise CowganError(
            f"{path.name} claims more weights than the file can hold, so it is damaged.",
            f"{claimed} values in {path.stat().st_size} bytes",
        )
    discriminator = None
    if with_prefix(tensors, "D."):
        discriminator = load_into(Discriminator, config, tensors, "D.", "discriminator")
    name = path.parent.name if (path.parent / ".config.json").exists() else path.stem
    return Checkpoint(
        config=config,
        mapping=load_into(MappingNetwork, config, tensors, "SE.", "mapping network"),
        synthesis=load_into(SynthesisNetwork, config, tensors, "GE.", "synthesis network"),
        discriminator=discriminator,
        card=ModelCard(
            name=f"{name} ({path.stem})",
            licence="not stated in this file format",
            training_data="not stated in this file format",
            description="Read from a checkpoint of the published training code (EMA weights).",
        ),
        path=path,
        sha256=sha256_of(path),
        notes=notes,
    )


def _read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the weights of the networks, without running code from the file."""
    content = read_torch_file(path)
    state = content.get("GAN") if isinstance(content, dict) else None
    if not isinstance(state, dict) or not state:
        raise CowganError(
            f"{path.name} is a torch file but not a 3D StyleGAN checkpoint: it has no 'GAN' entry."
        )
    # Other entries are needed for training only, such as the contrastive learner "D_cl".
    tensors = {
        name: value
        for name, value in state.items()
        if isinstance(name, str) and name.startswith(_PREFIXES)
    }
    odd = [name for name, value in tensors.items() if not is_weight(value)]
    if odd:
        raise CowganError(
            f"{path.name} holds {len(odd)} entries that a 3D StyleGAN checkpoint does not have.",
            f"{odd[:20]!r:.1000}",
        )
    return tensors


def _without_blur(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Drop the constant blur kernels after checking that they are the usual ones."""
    for name, tensor in tensors.items():
        if name.endswith(".f") and (tensor.numel() != 3 or tensor.float().tolist() != _BLUR):
            raise CowganError(
                "This checkpoint was trained with another blur kernel than the published one.",
                f"{name} of shape {tuple(tensor.shape)}",
            )
    return {name: tensor for name, tensor in tensors.items() if not name.endswith(".f")}


def _read_settings(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    settings = read_json(path, dict[str, Any])
    for key, meaning in _UNSUPPORTED.items():
        if settings.get(key):
            raise CowganError(
                f"This checkpoint was trained with {meaning}, which the published 3D model does "
                "not have and this program does not support.",
                f"{key} = {settings[key]!r}",
            )
    return settings


def _infer_config(
    tensors: Mapping[str, Tensor], settings: Mapping[str, Any], depth: int | None, path: Path
) -> tuple[NetworkConfig, tuple[str, ...]]:
    """Infer the architecture from tensor shapes; only depth does not affect them."""
    generator = with_prefix(tensors, "GE.")
    mapping = with_prefix(tensors, "SE.")
    outputs = [
        generator[key].shape[0]
        for i in range(len(generator))
        if (key := f"blocks.{i}.conv1.weight") in generator and generator[key].ndim == 5
    ]
    first = mapping.get("net.0.weight")
    if not outputs or first is None or first.ndim != 2:
        raise CowganError(
            f"{path.name} holds no EMA generator (SE and GE weights) of a 3D StyleGAN.",
            f"{len(tensors)} tensors",
        )
    judged = [
        tensor.shape[0]
        for name, tensor in tensors.items()
        if re.fullmatch(r"D\.blocks\.\d+\.conv_res\.weight", name) and tensor.ndim == 5
    ]
    image_size = 2 ** (len(outputs) + 1)
    depth, notes = _depth(depth, path, image_size)
    config = NetworkConfig(
        image_size=image_size,
        depth=depth,
        network_capacity=outputs[-1] // 2,
        fmap_max=max(outputs + judged),
        latent_dim=first.shape[1],
        style_depth=sum(name.endswith(".weight") for name in mapping),
        lr_mlp=settings.get("lr_mlp", 0.1),
    )
    for key in ("image_size", "network_capacity"):
        if settings.get(key, getattr(config, key)) != getattr(config, key):
            raise CowganError(
                f"The .config.json beside {path.name} states {key} {settings[key]!r:.40}, but its "
                f"weights are of a model with {getattr(config, key)}: the two do not belong "
                "together."
            )
    return config, notes


def _depth(depth: int | None, path: Path, image_size: int) -> tuple[int, tuple[str, ...]]:
    if depth is not None:
        return depth, ()
    for folder in path.resolve().parts[:-1][::-1]:
        match = re.search(r"(?<!\d)(\d+)_(\d+)_(\d+)(?!\d)", folder)
        if match and int(match[1]) == int(match[2]) == image_size:
            return int(match[3]), ()
    assumed = min(32, image_size)
    note = (
        f"This file does not store the number of slices; {assumed} was assumed. If volumes look "
        "wrong, open it again with another depth."
    )
    return assumed, (note,)
