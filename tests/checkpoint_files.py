"""Small models, and files in the layout of the published training code."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cowgan.checkpoint import Checkpoint
from cowgan.networks import NetworkConfig

TINY = NetworkConfig(
    image_size=16, depth=8, network_capacity=2, fmap_max=8, latent_dim=8, style_depth=2
)
TINY_SETTINGS = {
    "image_size": 16,
    "network_capacity": 2,
    "lr_mlp": 0.1,
    "transparent": False,
    "fq_layers": [],
    "fq_dict_size": 256,
    "attn_layers": [],
    "no_const": False,
}


def lively(config: NetworkConfig = TINY, seed: int = 1) -> Checkpoint:
    """Return random weights whose volumes vary around one half and react to noise."""
    checkpoint = Checkpoint.random(config, seed)
    generator = torch.Generator().manual_seed(seed)
    grey = []
    for name, parameter in checkpoint.synthesis.named_parameters():
        if "to_noise" in name:
            parameter.normal_(0, 0.3, generator=generator)
        if "to_grayscale.conv" in name:
            grey.append(parameter.abs_())
    for name, parameter in checkpoint.mapping.named_parameters():
        if name.endswith("weight"):
            parameter.mul_(4)
    z = torch.randn(4, config.latent_dim, generator=generator)
    brightness = checkpoint.synthesis(checkpoint.mapping(z)).mean()
    for parameter in grey:
        parameter.mul_(0.5 / brightness)
    return checkpoint


def published_state(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Return the tensors as the published training code names them."""
    blur = torch.tensor([1.0, 2.0, 1.0])
    state = {f"S.{name}": tensor for name, tensor in checkpoint.mapping.state_dict().items()}
    state |= {f"G.{name}": tensor for name, tensor in checkpoint.synthesis.state_dict().items()}
    assert checkpoint.discriminator is not None
    judge = checkpoint.discriminator.state_dict()
    state |= {f"{prefix}{name}": judge[name] for prefix in ("D.", "D_aug.D.") for name in judge}
    n_blocks = checkpoint.config.n_blocks
    for i in range(n_blocks - 1):
        state[f"G.blocks.{i}.to_grayscale.upsample.1.f"] = blur.clone()
    for i in range(n_blocks):
        for prefix in ("D.", "D_aug.D."):
            state[f"{prefix}blocks.{i}.downsample.0.f"] = blur.clone()
    averaged = {
        name.replace("S.", "SE.", 1).replace("G.", "GE.", 1): tensor.clone()
        for name, tensor in state.items()
        if name.startswith(("S.", "G."))
    }
    return state | averaged


def write_published(
    folder: Path,
    content: Any,
    settings: Any = TINY_SETTINGS,
    name: str = "model_1.pt",
    legacy: bool = False,
) -> Path:
    """Write `content` as a ``.pt`` file beside a ``.config.json`` (unless that is None)."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    if settings is not None:
        (folder / ".config.json").write_text(json.dumps(settings), encoding="utf-8")
    return path
