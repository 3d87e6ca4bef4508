"""Reader of the ``.pt`` files written by the paper's training code."""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from torch import Tensor

from cowgan.archives import open_archive
from cowgan.checkpoint.model import Checkpoint, ModelCard
from cowgan.checkpoint.weights import load_into, with_prefix
from cowgan.documents import read_json
from cowgan.errors import CowganError
from cowgan.file_kinds import BYTES_NEEDED, SAFETENSORS, what_it_is
from cowgan.files import open_regular, sha256_of
from cowgan.networks import Discriminator, MappingNetwork, NetworkConfig, SynthesisNetwork

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
    try:
        with open_regular(path) as file:
            archive = zipfile.is_zipfile(file)
        if archive:
            _refuse_other_archives(path)
        else:
            _refuse_other_kinds(path)
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=archive)
    except (CowganError, OSError):
        raise
    except MemoryError as error:
        raise CowganError(f"{path.name} is too large for this computer's memory.") from error
    except Exception as error:
        if "weights_only" in str(error) or "Unsupported" in str(error):
            raise CowganError(
                f"{path.name} holds more than weights; it was not opened, because such a file "
                "can run programs.",
                str(error),
            ) from error
        raise CowganError(
            f"{path.name} is not a readable checkpoint: it is damaged, incomplete or of "
            "another kind.",
            str(error),
        ) from error
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
    odd = [name for name, value in tensors.items() if not _is_weight(value)]
    if odd:
        raise CowganError(
            f"{path.name} holds {len(odd)} entries that a 3D StyleGAN checkpoint does not have.",
            f"{odd[:20]!r:.1000}",
        )
    return tensors


def _refuse_other_kinds(path: Path) -> None:
    with open_regular(path) as file:
        start = file.read(BYTES_NEEDED)
    kind = what_it_is(start)
    if kind is not None:
        end = "; rename it to end in .safetensors" if kind == SAFETENSORS else ""
        raise CowganError(f"{path.name} is not a checkpoint: it is {kind}{end}.")


def _refuse_other_archives(path: Path) -> None:
    with open_archive(path) as archive:
        entries = archive.infolist()
    names = [PurePosixPath(entry.filename).name for entry in entries]
    if "data.pkl" not in names:
        held = f"such as {entries[0].filename!r:.80}" if entries else "none at all"
        raise CowganError(
            f"{path.name} is not a checkpoint: it is a zip archive of other files, {held}."
        )
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > 1.1 * path.stat().st_size:
        raise CowganError(
            f"{path.name} is a compressed archive that unpacks to "
            f"{unpacked / 1e6:,.0f} MB; checkpoints are not compressed, so it is refused."
        )


def _is_weight(value: Any) -> bool:
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and value.is_floating_point()
    )


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
