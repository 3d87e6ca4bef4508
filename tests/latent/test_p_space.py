"""P space: undoing the last leaky ReLU, whitening and Mahalanobis distances."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cowgan.checkpoint import BUNDLED, Checkpoint, load
from cowgan.latent import PSpace
from cowgan.networks import NetworkConfig

CONFIG = NetworkConfig(32, 16, 4, 32, latent_dim=24, style_depth=3)


@pytest.fixture(scope="module", params=["random", "bundled"])
def checkpoint(request) -> Checkpoint:
    if request.param == "bundled":
        return load(BUNDLED)
    return Checkpoint.random(CONFIG, seed=3, discriminator=False)


@pytest.fixture(scope="module")
def space(checkpoint: Checkpoint) -> PSpace:
    return PSpace.of(checkpoint)


def made(checkpoint: Checkpoint, count: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return checkpoint.mapping(torch.randn(count, checkpoint.config.latent_dim, generator=generator))


def test_p_is_what_the_last_layer_gives_before_its_activation(checkpoint, space):
    z = torch.randn(50, checkpoint.config.latent_dim, generator=torch.Generator().manual_seed(5))
    *before, _ = checkpoint.mapping.net
    p = torch.nn.Sequential(*before)(torch.nn.functional.normalize(z, dim=1))
    expected = (p - space.mean) @ space.components / space.sd
    torch.testing.assert_close(
        space.whitened(checkpoint.mapping(z)), expected, atol=1e-3, rtol=1e-4
    )


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), scale=st.floats(0, 6))
def test_whitened_coordinates_come_back_from_w(checkpoint, space, seed, scale):
    generator = torch.Generator().manual_seed(seed)
    whitened = scale * torch.randn(3, 6, len(space.sd), generator=generator)
    w = space.w(whitened)
    assert w.shape == (3, 6, checkpoint.config.latent_dim)
    torch.testing.assert_close(space.whitened(w), whitened, atol=1e-3, rtol=1e-3)


def test_a_step_of_p_is_the_same_step_of_whitened_coordinates(space):
    start, step = (
        torch.randn(len(space.sd), generator=torch.Generator().manual_seed(i)) for i in (0, 1)
    )
    moved = torch.where((p := space.mean + space.p_step(start + step)) < 0, 0.2 * p, p)
    torch.testing.assert_close(space.w(start + step), moved)


def test_latents_of_the_model_are_white(checkpoint, space):
    whitened = space.whitened(made(checkpoint, 20_000, 11))
    # The mapping network of the bundled model is stored in half precision, which moves the mean;
    # and as its directions vary alike, 100,000 samples give variances that differ by a tenth.
    bounds = (0.05, 0.1) if checkpoint.path is None else (0.1, 0.15)
    assert whitened.mean(0).abs().max() < bounds[0]
    covariance = whitened.T.cov()
    assert (covariance - torch.eye(len(space.sd))).abs().max() < bounds[1]


def test_the_squared_distance_of_latents_is_the_number_of_components(checkpoint, space):
    squared = space.mahalanobis(made(checkpoint, 2000, 12)).square()
    assert squared.mean() == pytest.approx(len(space.sd), rel=0.1)
    assert space.mahalanobis(space.w(torch.zeros(len(space.sd)))) < 0.01


def test_latents_off_the_model_are_far_and_a_gradient_leads_back(checkpoint, space):
    w = made(checkpoint, 1, 13)[0]
    typical = space.mahalanobis(w)
    noise = torch.randn(w.shape, generator=torch.Generator().manual_seed(14))
    far = (w + 4 * noise).requires_grad_()
    distance = space.mahalanobis(far)
    assert distance > 3 * typical
    (gradient,) = torch.autograd.grad(distance, far)
    step = 0.05 * gradient / gradient.norm()
    assert space.mahalanobis(far - step) < distance
