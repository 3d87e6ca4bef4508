"""Gradients of styles, with and without gradients of weights."""

import checkpoint_files as files
import pytest
import torch

pytestmark = pytest.mark.usefixtures("single_threaded")


def test_styles_get_the_same_gradients_whether_or_not_weights_do():
    network = files.lively().synthesis
    config = network.config
    generator = torch.Generator().manual_seed(0)
    ws = torch.randn(1, config.n_blocks, config.latent_dim, generator=generator)
    gradients = []
    for of_weights in (True, False):
        network.requires_grad_(of_weights)
        own = ws.clone().requires_grad_(True)
        network(own).square().sum().backward()
        gradients.append(own.grad)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-3, atol=1e-4)
    assert gradients[0].abs().max() > 1e-2
