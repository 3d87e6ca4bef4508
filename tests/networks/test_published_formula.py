"""The networks against a plain, independent writing of the published formula."""

import published_formula as published
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.nn import functional

from cowgan.networks import (
    Discriminator,
    MappingNetwork,
    NetworkConfig,
    SynthesisNetwork,
    initialise,
)
from cowgan.networks.layers import Blur3d, ModulatedConv3d, add_noise, resize

TOLERANCE = 1e-4

small_configs = st.integers(3, 5).flatmap(
    lambda power: st.builds(
        NetworkConfig,
        image_size=st.just(2**power),
        depth=st.integers(2, power).map(lambda p: 2**p),
        network_capacity=st.integers(2, 4),
        fmap_max=st.integers(4, 24),
        latent_dim=st.integers(2, 16),
        style_depth=st.integers(1, 4),
        lr_mlp=st.sampled_from([0.01, 0.1, 1]),
    )
)
seeds = st.integers(0, 2**31)
few = settings(max_examples=12, deadline=None)
wide = NetworkConfig(256, 4, network_capacity=2, fmap_max=4, latent_dim=8, style_depth=1)


def close(actual: torch.Tensor, expected: torch.Tensor, tolerance: float = TOLERANCE) -> bool:
    """Compare relative to the largest value, since untrained volumes are not in [0, 1]."""
    assert actual.shape == expected.shape
    scale = max(1.0, float(expected.detach().abs().max()))
    return float((actual - expected).detach().abs().max()) <= tolerance * scale


def filled(network_type, config: NetworkConfig, seed: int):
    """Return a network whose every parameter matters (noise gains start at zero)."""
    network = network_type(config)
    generator = torch.Generator().manual_seed(seed)
    initialise(network, generator)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "to_noise" in name or name.endswith("bias"):
                parameter.normal_(0, 0.3, generator=generator)
    return network


def random_inputs(config: NetworkConfig, seed: int, n: int = 2):
    generator = torch.Generator().manual_seed(seed)
    ws = torch.randn(n, config.n_blocks, config.latent_dim, generator=generator)
    noise = torch.rand(n, *config.volume_shape, generator=generator)
    return ws, noise


@few
@given(small_configs, seeds)
def test_mapping_equals_the_published_formula(config, seed):
    network = filled(MappingNetwork, config, seed)
    z = torch.randn(3, config.latent_dim, generator=torch.Generator().manual_seed(seed))
    expected = published.map_latent(network.state_dict(), z, config.lr_mlp)
    assert close(network(z), expected, 1e-5)


@few
@given(small_configs, seeds)
def test_only_the_direction_of_z_matters(config, seed):
    network = filled(MappingNetwork, config, seed)
    z = torch.randn(2, config.latent_dim, generator=torch.Generator().manual_seed(seed))
    assert close(network(z), network(7 * z), 1e-5)


@few
@given(small_configs, seeds)
def test_synthesis_equals_the_published_formula(config, seed):
    network = filled(SynthesisNetwork, config, seed)
    ws, noise = random_inputs(config, seed)
    expected = published.synthesise(network.state_dict(), ws, noise, config.depth)
    assert close(network(ws, noise), expected)
    assert expected.shape == (2, 1, *config.volume_shape)


def test_the_public_variant_of_four_slices_equals_the_published_formula():
    network = filled(SynthesisNetwork, wide, 1)
    ws, noise = random_inputs(wide, 1, n=1)
    expected = published.synthesise(network.state_dict(), ws, noise, wide.depth)
    assert expected.shape == (1, 1, 4, 256, 256)
    assert close(network(ws, noise), expected)


def test_a_noise_cube_may_be_deeper_than_the_volume():
    config = NetworkConfig(16, 4, 2, 8, 8, 1)
    network = filled(SynthesisNetwork, config, 2)
    ws, _ = random_inputs(config, 2)
    cube = torch.rand(2, 16, 16, 16)
    assert torch.equal(network(ws, cube), network(ws, cube[:, :4]))


@few
@given(small_configs, seeds)
def test_no_noise_means_one_half_everywhere(config, seed):
    network = filled(SynthesisNetwork, config, seed)
    ws, noise = random_inputs(config, seed)
    assert close(network(ws), network(ws, torch.full_like(noise, 0.5)))


@few
@given(small_configs, seeds)
def test_a_single_w_serves_every_block(config, seed):
    network = filled(SynthesisNetwork, config, seed)
    ws, noise = random_inputs(config, seed)
    w = ws[:, 0]
    repeated = w[:, None].repeat(1, config.n_blocks, 1)
    assert close(network(w, noise), network(repeated, noise), 1e-5)


@few
@given(small_configs, seeds, st.data())
def test_mixed_styles_change_only_the_blocks_they_are_given_to(config, seed, data):
    network = filled(SynthesisNetwork, config, seed)
    ws, noise = random_inputs(config, seed)
    block = data.draw(st.integers(0, config.n_blocks - 1))
    mixed = ws[:1].clone()
    mixed[:, block] = ws[1:, block]
    expected = published.synthesise(network.state_dict(), mixed, noise[:1], config.depth)
    assert close(network(mixed, noise[:1]), expected)


@few
@given(small_configs, seeds)
def test_a_batch_gives_the_same_volumes_as_one_at_a_time(config, seed):
    network = filled(SynthesisNetwork, config, seed)
    ws, noise = random_inputs(config, seed, n=3)
    singly = torch.cat([network(ws[i : i + 1], noise[i : i + 1]) for i in range(3)])
    assert close(network(ws, noise), singly)


@few
@given(small_configs, seeds)
def test_freezing_in_full_precision_changes_nothing(config, seed):
    network = filled(SynthesisNetwork, config, seed)
    ws, noise = random_inputs(config, seed, n=1)
    expected = network(ws, noise)
    assert close(network.freeze(torch.float32)(ws, noise), expected, 1e-5)


@settings(few, max_examples=6)
@given(small_configs, seeds)
@example(NetworkConfig(32, 4, 4, 18, 5, 1, 0.01), 1)
def test_gradients_of_synthesis_equal_the_published_ones(config, seed):
    """In double precision, where rounding does not decide on which side of a leaky ReLU."""
    network = filled(SynthesisNetwork, config, seed).double()
    ws, noise = (tensor.double() for tensor in random_inputs(config, seed))
    ws.requires_grad_()
    weights = dict(network.named_parameters())
    target = torch.randn_like(noise)[:, None]
    wanted = [ws, *weights.values()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "float", lambda grey: grey)
        volume = network(ws, noise)
    found = torch.autograd.grad((volume * target).sum(), wanted)
    volume = published.synthesise(weights, ws, noise, config.depth)
    published_gradients = torch.autograd.grad((volume * target).sum(), wanted)
    for actual, expected in zip(found, published_gradients, strict=True):
        assert close(actual, expected, 1e-9)


@few
@given(small_configs, seeds)
def test_discriminator_equals_the_published_formula(config, seed):
    network = filled(Discriminator, config, seed)
    volumes = random_inputs(config, seed)[1][:, None]
    expected = published.judge(network.state_dict(), volumes, config.depth)
    assert expected.shape == (2,)
    assert close(network(volumes), expected)


@settings(few, max_examples=4)
@given(small_configs, seeds)
def test_gradients_of_the_discriminator_equal_the_published_ones(config, seed):
    network = filled(Discriminator, config, seed).double()
    volumes = random_inputs(config, seed)[1][:, None].double().requires_grad_()
    weights = dict(network.named_parameters())
    wanted = [volumes, *weights.values()]
    found = torch.autograd.grad(network(volumes).sum(), wanted)
    published_gradients = torch.autograd.grad(
        published.judge(weights, volumes, config.depth).sum(), wanted
    )
    for actual, expected in zip(found, published_gradients, strict=True):
        assert close(actual, expected, 1e-9)


def test_gradients_of_gradients_equal_the_published_ones():
    config = NetworkConfig(16, 8, 2, 8, 8, 1)
    network = filled(Discriminator, config, 3).double()
    volumes = random_inputs(config, 3)[1][:, None].double().requires_grad_()
    weights = dict(network.named_parameters())

    def penalty_gradients(logits: torch.Tensor):
        (slope,) = torch.autograd.grad(logits.sum(), volumes, create_graph=True)
        penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
        return torch.autograd.grad(penalty, list(weights.values()), allow_unused=True)

    found = penalty_gradients(network(volumes))
    published_gradients = penalty_gradients(published.judge(weights, volumes, config.depth))
    for name, actual, expected in zip(weights, found, published_gradients, strict=True):
        assert (actual is None) == (expected is None), name
        assert actual is None or close(actual, expected, 1e-9), name


def test_discriminators_of_one_architecture_accept_any_given_depth():
    for depth in (4, 8, 16):
        config = NetworkConfig(16, depth, 2, 8, 8, 1)
        assert filled(Discriminator, config, 4)(torch.rand(2, 1, depth, 16, 16)).shape == (2,)


@settings(max_examples=30, deadline=None)
@given(
    seeds,
    st.integers(1, 6),
    st.integers(1, 6),
    st.sampled_from([1, 3]),
    st.booleans(),
    st.sampled_from([2, 4, 16]),
)
def test_both_ways_of_modulating_agree(seed, channels_in, channels_out, kernel, demodulate, size):
    """A single sample takes either path by its size, several always scale activations."""
    generator = torch.Generator().manual_seed(seed)
    layer = ModulatedConv3d(channels_in, channels_out, kernel, demodulate)
    torch.nn.init.normal_(layer.weight, generator=generator)
    x = torch.randn(2, channels_in, 2, size, size, generator=generator)
    style = torch.randn(2, channels_in, generator=generator)
    bias = torch.randn(channels_out, generator=generator)
    expected = published.modulated_convolution(x, layer.weight, style, demodulate)
    expected = expected + bias[:, None, None, None]
    assert close(layer(x, style, bias), expected, 1e-5)
    assert close(layer(x[:1], style[:1], bias), expected[:1], 1e-5)
    layer.freeze(torch.float32)
    assert close(layer(x, style, bias), expected, 1e-5)
    assert close(layer(x[:1], style[:1], bias), expected[:1], 1e-5)


def test_a_style_that_silences_every_channel_gives_zero_not_nan():
    layer = ModulatedConv3d(3, 2, 3)
    torch.nn.init.normal_(layer.weight)
    for n in (1, 2):
        assert layer(torch.rand(n, 3, 8, 8, 8), -torch.ones(n, 3)).abs().max() == 0


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 3), st.tuples(*[st.integers(1, 6)] * 3))
def test_blur_equals_a_dense_kernel_with_replicated_edges(seed, channels, shape):
    x = torch.randn(2, channels, *shape, generator=torch.Generator().manual_seed(seed))
    assert close(Blur3d()(x), published.blur(x), 1e-6)


@settings(max_examples=20, deadline=None)
@given(seeds, st.tuples(*[st.integers(1, 5)] * 3), st.tuples(*[st.sampled_from([1, 2])] * 3))
def test_doubling_in_bfloat16_equals_torch_interpolation(seed, shape, factors):
    x = torch.randn(2, 3, *shape, generator=torch.Generator().manual_seed(seed))
    x = x.bfloat16().contiguous(memory_format=torch.channels_last_3d)
    new = tuple(n * factor for n, factor in zip(shape, factors, strict=True))
    expected = functional.interpolate(x.float(), size=new, mode="trilinear", align_corners=False)
    actual = resize(x, new)
    assert actual.dtype == torch.bfloat16
    # Each of the three axes rounds once to 8 significant bits.
    assert close(actual.float(), expected, 3 * 2**-8)


def test_resizing_in_bfloat16_keeps_gradients():
    x = torch.randn(1, 2, 4, 4, 4).bfloat16().requires_grad_()
    resize(x, (8, 8, 8)).float().sum().backward()
    assert x.grad is not None
    assert close(x.grad.float(), torch.full(x.shape, 8.0), 0.02)


@settings(max_examples=20, deadline=None)
@given(seeds, st.sampled_from([torch.contiguous_format, torch.channels_last_3d]))
def test_added_noise_is_one_gain_per_channel(seed, memory_format):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 3, 2, 4, 5, generator=generator).contiguous(memory_format=memory_format)
    noise = torch.rand(2, 9, 9, 9, generator=generator)[:, :2, :4, :5]
    gain = torch.randn(3, generator=generator)
    expected = x + noise[:, None] * gain[:, None, None, None]
    assert close(add_noise(x, noise, gain), expected, 1e-6)


@pytest.mark.parametrize("network_type", [MappingNetwork, SynthesisNetwork, Discriminator])
def test_initial_weights_depend_on_the_generator_alone(network_type):
    config = NetworkConfig(16, 8, 2, 8, 8, 2)
    first, second, other = (network_type(config) for _ in range(3))
    for network, seed in ((first, 5), (second, 5), (other, 6)):
        initialise(network, torch.Generator().manual_seed(seed))
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name
    assert any(
        not torch.equal(tensor, other.state_dict()[name])
        for name, tensor in first.state_dict().items()
    )
