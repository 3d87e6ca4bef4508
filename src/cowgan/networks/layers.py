"""Building blocks shared by the networks."""

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAK = 0.2
"""Negative slope of every leaky ReLU in the published networks."""


class Conv3d(nn.Conv3d):
    """3D convolution with correct gradients under autocast on a CPU.

    There torch computes a wrong bfloat16 gradient of the weight for inputs of two slices
    (torch 2.13), so such inputs are convolved in float32.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (N, in_channels, d, h, w)."""
        if x.device.type == "cpu" and x.shape[2] == 2 and torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):
                return super().forward(x.float())
        return super().forward(x)


class ScaledLinear(nn.Linear):
    """Fully connected layer whose weight and bias are multiplied by a constant.

    Parameters
    ----------
    in_features, out_features : int
        Sizes of the layer.
    multiplier : float
        Factor on weight and bias, which slows their learning.
    """

    def __init__(self, in_features: int, out_features: int, multiplier: float) -> None:
        super().__init__(in_features, out_features)
        self.multiplier = multiplier

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_features) to (N, out_features)."""
        return functional.linear(x, self.weight * self.multiplier, self.bias * self.multiplier)


class ModulatedConv3d(nn.Module):
    """3D convolution without bias whose input channels are scaled by a style.

    The published network scales the weights of every sample and then runs one grouped
    convolution. The same function is computed here with one ordinary convolution: either
    the activations are scaled before and after it, or, for a single sample with more
    activations than weights, the weights are. Both equal the published formula up to
    rounding (Karras et al. 2020, equations 1 and 3). Where gradients go to styles but not to
    weights, activations are scaled, which spares the slow gradient of the weights.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels before and after.
    kernel_size : int
        Edge of the cubic kernel, odd; the output keeps the input's size.
    demodulate : bool
        Whether output channels are rescaled to unit expected variance.
    """

    EPSILON = 1e-8

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, demodulate: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, *[kernel_size] * 3))
        self.demodulate = demodulate
        self.power: Tensor | None = None

    def freeze(self, dtype: torch.dtype) -> None:
        """Prepare for inference: fix the weights in `dtype` and sum their squares once."""
        self.power = self._power()
        frozen = self.weight.detach().to(dtype, memory_format=torch.channels_last_3d)
        self.weight = nn.Parameter(frozen, requires_grad=False)

    def _power(self) -> Tensor:
        return self.weight.detach().float().square().sum((2, 3, 4))

    def _demodulation(self, scale: Tensor) -> Tensor:
        power = self.weight.square().sum((2, 3, 4)) if self.power is None else self.power
        return torch.rsqrt(scale.square() @ power.T + self.EPSILON)

    def forward(self, x: Tensor, style: Tensor, bias: Tensor | None = None) -> Tensor:
        """Convolve.

        Parameters
        ----------
        x : Tensor
            Activations, shape (N, in_channels, d, h, w).
        style : Tensor
            Style per input channel, shape (N, in_channels); a channel is scaled by
            ``style + 1``.
        bias : Tensor, optional
            Added to the output channels, shape (out_channels,).

        Returns
        -------
        Tensor
            Shape (N, out_channels, d, h, w).
        """
        scale = style + 1
        padding = self.weight.shape[-1] // 2
        for_style = style.requires_grad and not self.weight.requires_grad
        if len(x) == 1 and self.weight.numel() <= x.numel() and not for_style:
            factor = scale
            if self.demodulate:
                factor = self._demodulation(scale).T * scale
            weight = self.weight * _spatial(factor).to(self.weight.dtype)
            bias = None if bias is None else bias.to(x.dtype)
            return functional.conv3d(x, weight, bias, padding=padding)
        y = functional.conv3d(x * _spatial(scale).to(x.dtype), self.weight, padding=padding)
        added = None if bias is None else _spatial(bias[None]).to(y.dtype)
        if not self.demodulate:
            return y if added is None else y + added
        demodulation = _spatial(self._demodulation(scale)).to(y.dtype)
        return y * demodulation if added is None else torch.addcmul(added, y, demodulation)


class Blur3d(nn.Module):
    """Separable [1, 2, 1] / 4 smoothing of a (N, C, d, h, w) tensor, edges replicated.

    Parameters
    ----------
    stride : tuple of int
        Stride of the output along each axis.
    """

    def __init__(self, stride: tuple[int, int, int] = (1, 1, 1)) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Smooth along the three spatial axes."""
        x = functional.pad(x, [1] * 6, mode="replicate")
        for axis, step in zip((2, 3, 4), self.stride, strict=True):
            n = x.shape[axis] - 2
            left, middle, right = (_every(x, axis, start, start + n, step) for start in range(3))
            x = left + 2 * middle + right
        return x / 4**3


def _every(x: Tensor, axis: int, start: int, end: int, step: int) -> Tensor:
    """Return each `step`-th slice of a range along an axis."""
    if step == 1:
        return x.narrow(axis, start, end - start)
    return x[(slice(None),) * axis + (slice(start, end, step),)]


def _spatial(per_channel: Tensor) -> Tensor:
    """Give (N, C) trailing axes of length one, so it broadcasts over a volume."""
    return per_channel[..., None, None, None]


def add_noise(x: Tensor, noise: Tensor, gain: Tensor) -> Tensor:
    """Add noise (N, d, h, w), times a gain per channel (C,), to x (N, C, d, h, w).

    A matrix product of rank one: broadcasting over channels that lie innermost in memory
    takes sixteen times as long.
    """
    last = x.movedim(1, -1)
    flat = torch.addmm(
        last.reshape(-1, last.shape[-1]),
        noise.reshape(-1, 1).to(x.dtype),
        gain[None].to(x.dtype),
    )
    return flat.view(last.shape).movedim(-1, 1)


def resize(x: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Resize (N, C, d, h, w) trilinearly to `shape`, voxel corners not aligned."""
    factors = [new / old for new, old in zip(shape, x.shape[2:], strict=True)]
    if all(factor == 1 for factor in factors):
        return x
    # On a CPU, torch interpolates bfloat16 eight times more slowly than `_double`; on
    # Apple's GPU, it has no trilinear interpolation in many versions.
    special = x.dtype == torch.bfloat16 or x.device.type == "mps"
    if special and not x.requires_grad and set(factors) <= {1, 2}:
        last = x.movedim(1, -1)
        for axis, factor in enumerate(factors, start=1):
            if factor == 2:
                last = _double(last, axis)
        return last.movedim(-1, 1)
    return functional.interpolate(x, size=shape, mode="trilinear", align_corners=False)


def _double(x: Tensor, axis: int) -> Tensor:
    """Interpolate linearly to twice the length of `axis`, voxel corners not aligned."""
    n = x.shape[axis]
    doubled = x.new_empty(*x.shape[:axis], 2 * n, *x.shape[axis + 1 :])
    lower, upper = x.narrow(axis, 0, n - 1), x.narrow(axis, 1, n - 1)
    inner = doubled.narrow(axis, 1, 2 * n - 2).unflatten(axis, (n - 1, 2))
    torch.lerp(lower, upper, 0.25, out=inner.select(axis + 1, 0))
    torch.lerp(upper, lower, 0.25, out=inner.select(axis + 1, 1))
    doubled.select(axis, 0).copy_(x.select(axis, 0))
    doubled.select(axis, 2 * n - 1).copy_(x.select(axis, n - 1))
    return doubled
