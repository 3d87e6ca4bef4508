"""The published networks, written down plainly: one formula after another, nothing shared.

Takes the tensors of a state dictionary and follows the description of Aydin et al. 2024
and its training code word by word: weights modulated per sample, one group of the
convolution per sample, torch's own interpolation, one dense blur kernel.
"""

from collections.abc import Mapping
from itertools import count

import torch
from torch import Tensor
from torch.nn import functional

Weights = Mapping[str, Tensor]


def map_latent(weights: Weights, z: Tensor, lr_mlp: float = 0.1) -> Tensor:
    x = z / z.norm(dim=1, keepdim=True)
    for layer in count(step=2):
        if f"net.{layer}.weight" not in weights:
            return x
        weight, bias = weights[f"net.{layer}.weight"], weights[f"net.{layer}.bias"]
        x = functional.leaky_relu(x @ (weight * lr_mlp).T + bias * lr_mlp, 0.2)
    raise AssertionError("unreachable")


def modulated_convolution(x: Tensor, weight: Tensor, style: Tensor, demodulate: bool) -> Tensor:
    n, (out_channels, in_channels, *kernel) = len(x), weight.shape
    weights = weight[None] * (style[:, None, :, None, None, None] + 1)
    if demodulate:
        norm = torch.sqrt((weights**2).sum(dim=(2, 3, 4, 5), keepdim=True) + 1e-8)
        weights = weights / norm
    y = functional.conv3d(
        x.reshape(1, n * in_channels, *x.shape[2:]),
        weights.reshape(n * out_channels, in_channels, *kernel),
        padding=kernel[0] // 2,
        groups=n,
    )
    return y.reshape(n, out_channels, *x.shape[2:])


def blur(x: Tensor) -> Tensor:
    kernel = torch.tensor([1.0, 2.0, 1.0], dtype=x.dtype)
    kernel = torch.einsum("i,j,k->ijk", kernel, kernel, kernel)
    kernel = (kernel / kernel.sum())[None, None].repeat(x.shape[1], 1, 1, 1, 1)
    padded = functional.pad(x, (1, 1, 1, 1, 1, 1), mode="replicate")
    return functional.conv3d(padded, kernel, groups=x.shape[1])


def upsample(x: Tensor, block: int, depth: int) -> Tensor:
    """Enlarge towards block number `block` (at least 1)."""
    in_depth = block <= depth.bit_length() - 3
    factor = (2.0 if in_depth else 1.0, 2.0, 2.0)
    return functional.interpolate(x, scale_factor=factor, mode="trilinear", align_corners=False)


def linear(weights: Weights, name: str, x: Tensor) -> Tensor:
    return functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def synthesise(weights: Weights, ws: Tensor, noise: Tensor, depth: int) -> Tensor:
    """Turn W+ (N, blocks, latent) and noise cubes (N, S, S, S) into unclamped volumes."""
    n_blocks = ws.shape[1]
    x = weights["initial_block"].repeat(len(ws), 1, 1, 1, 1)
    x = functional.conv3d(
        x, weights["initial_conv.weight"], weights["initial_conv.bias"], padding=1
    )
    image: Tensor | None = None
    for block in range(n_blocks):
        name, w = f"blocks.{block}", ws[:, block]
        if block:
            x = upsample(x, block, depth)
        d, h, width = x.shape[2:]
        corner = noise[:, :d, :h, :width, None]
        for half in ("1", "2"):
            added = linear(weights, f"{name}.to_noise{half}", corner).permute(0, 4, 1, 2, 3)
            style = linear(weights, f"{name}.to_style{half}", w)
            x = modulated_convolution(x, weights[f"{name}.conv{half}.weight"], style, True)
            x = functional.leaky_relu(x + added, 0.2)
        style = linear(weights, f"{name}.to_grayscale.to_style", w)
        grey = modulated_convolution(
            x, weights[f"{name}.to_grayscale.conv.weight"], style, demodulate=False
        )
        image = grey if image is None else image + grey
        if block < n_blocks - 1:
            image = blur(upsample(image, block + 1, depth))
    assert image is not None
    return image


def judge(weights: Weights, x: Tensor, depth: int) -> Tensor:
    """Return the discriminator's logits (N,) of volumes (N, 1, depth, S, S)."""
    n_blocks = x.shape[-1].bit_length() - 1
    for block in range(n_blocks):
        name = f"blocks.{block}"
        stride = (2 if block < depth.bit_length() - 2 else 1, 2, 2)

        def conv(y: Tensor, which: str, name: str = name, **options: object) -> Tensor:
            weight, bias = weights[f"{name}.{which}.weight"], weights[f"{name}.{which}.bias"]
            return functional.conv3d(y, weight, bias, **options)

        residual = conv(x, "conv_res", stride=stride)
        x = functional.leaky_relu(conv(x, "net.0", padding=1), 0.2)
        x = functional.leaky_relu(conv(x, "net.2", padding=1), 0.2)
        if block < n_blocks - 1:
            x = conv(blur(x), "downsample.1", stride=stride, padding=1)
        x = (x + residual) * 2**-0.5
    x = functional.conv3d(x, weights["final_conv.weight"], weights["final_conv.bias"], padding=1)
    return linear(weights, "to_logit", x.flatten(1)).squeeze(1)
