"""Gradients in bfloat16 against float32, layer by layer.

On a CPU, torch (2.13 at least) computes a wrong bfloat16 gradient of conv3d's *weight* when
the input has two slices: nan, inf or garbage. Output and input gradient are right, and so is
everything with four slices or more. Training must run such layers in float32.
"""

import pytest
import torch
from torch.nn import functional

RELATIVE_TOLERANCE = 0.02


def relative_error(actual: torch.Tensor, expected: torch.Tensor) -> float:
    return float((actual.float() - expected).norm() / expected.norm())


def convolution_with_gradients(depth: int, kernel: int, stride: tuple[int, int, int]):
    """Return (output, input gradient, weight gradient) in both formats."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 8, depth, 8, 8, generator=generator).bfloat16()
    weight = (0.1 * torch.randn(16, 8, *[kernel] * 3, generator=generator)).bfloat16()
    results = []
    target = None
    for dtype in (torch.bfloat16, torch.float32):
        inputs = x.detach().to(dtype).contiguous(memory_format=torch.channels_last_3d)
        inputs.requires_grad_()
        weights = weight.detach().to(dtype).requires_grad_()
        y = functional.conv3d(inputs, weights, stride=stride, padding=kernel // 2)
        if target is None:
            target = torch.randn(y.shape, generator=generator).bfloat16()
        gradients = torch.autograd.grad(y, (inputs, weights), target.to(dtype))
        results.append((y.detach(), *gradients))
    return results


LAYERS = [(3, (1, 1, 1)), (3, (2, 2, 2)), (3, (1, 2, 2)), (1, (1, 1, 1)), (1, (2, 2, 2))]


@pytest.mark.parametrize(("kernel", "stride"), LAYERS)
@pytest.mark.parametrize("depth", [4, 8, 16])
def test_every_gradient_is_right_from_four_slices_on(depth, kernel, stride):
    low, full = convolution_with_gradients(depth, kernel, stride)
    for actual, expected in zip(low, full, strict=True):
        assert relative_error(actual, expected) < RELATIVE_TOLERANCE


@pytest.mark.parametrize(("kernel", "stride"), LAYERS)
def test_two_slices_give_a_right_output_and_input_gradient(kernel, stride):
    low, full = convolution_with_gradients(2, kernel, stride)
    for actual, expected in zip(low[:2], full[:2], strict=True):
        assert relative_error(actual, expected) < RELATIVE_TOLERANCE


@pytest.mark.xfail(
    reason="torch computes a wrong bfloat16 weight gradient for two slices on a CPU",
    strict=False,
)
def test_two_slices_give_a_right_weight_gradient():
    for _ in range(5):
        low, full = convolution_with_gradients(2, 3, (1, 1, 1))
        assert relative_error(low[2], full[2]) < RELATIVE_TOLERANCE
