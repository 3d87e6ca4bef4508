import pytest
from hypothesis import given
from hypothesis import strategies as st

from cowgan.errors import CowganError
from cowgan.networks import (
    PRESETS,
    Discriminator,
    MappingNetwork,
    NetworkConfig,
    SynthesisNetwork,
)


def millions(network_type, config: NetworkConfig) -> float:
    import torch

    with torch.device("meta"):
        network = network_type(config)
    return sum(parameter.numel() for parameter in network.parameters()) / 1e6


@pytest.mark.parametrize(
    ("name", "synthesis", "discriminator"),
    [
        ("Small", 11.9, 22.0),
        ("Medium_v1", 30.1, 66.7),
        ("Medium_v2", 30.1, 181.0),
        ("Large", 116.9, 266.9),
    ],
)
def test_presets_have_the_parameter_counts_of_the_paper(name, synthesis, discriminator):
    config = PRESETS[name]
    assert millions(SynthesisNetwork, config) == pytest.approx(synthesis, abs=0.05)
    assert millions(Discriminator, config) == pytest.approx(discriminator, abs=0.05)
    assert millions(MappingNetwork, config) == pytest.approx(2.1, abs=0.05)


def test_the_presets_are_all_of_the_published_shape():
    assert {config.volume_shape for config in PRESETS.values()} == {(32, 128, 128)}
    assert {config.n_blocks for config in PRESETS.values()} == {6}


def test_blocks_double_in_plane_and_stop_at_the_depth_along_z():
    config = NetworkConfig(image_size=64, depth=8, network_capacity=2, fmap_max=16)
    shapes = [config.block_shape(block) for block in range(config.n_blocks)]
    assert shapes == [(4, 4, 4), (8, 8, 8), (8, 16, 16), (8, 32, 32), (8, 64, 64)]
    assert config.synthesis_channels == (16, 16, 16, 8, 4)
    assert config.discriminator_channels == (8, 16, 16, 16, 16, 16)


@pytest.mark.parametrize(
    "wrong",
    [
        {"image_size": 100},
        {"image_size": 4},
        {"image_size": 2048},
        {"image_size": -128},
        {"image_size": 0},
        {"image_size": 128.0},
        {"image_size": "128"},
        {"image_size": True},
        {"image_size": None},
        {"image_size": 2**70},
        {"depth": 2},
        {"depth": 24},
        {"depth": 256},
        {"depth": -4},
        {"network_capacity": 0},
        {"network_capacity": 257},
        {"fmap_max": 0},
        {"fmap_max": 5000},
        {"latent_dim": 0},
        {"latent_dim": -1},
        {"style_depth": 0},
        {"style_depth": 33},
        {"lr_mlp": 0},
        {"lr_mlp": -0.1},
        {"lr_mlp": float("nan")},
        {"lr_mlp": float("inf")},
        {"lr_mlp": "0.1"},
        {"image_size": "many words\n" * 1000},
    ],
    ids=lambda wrong: f"{wrong!r:.40}",
)
def test_an_impossible_architecture_is_refused(wrong, single_sentence):
    with pytest.raises(CowganError) as refusal:
        NetworkConfig(**wrong)
    single_sentence(refusal)


configs = st.integers(3, 10).flatmap(
    lambda power: st.builds(
        NetworkConfig,
        image_size=st.just(2**power),
        depth=st.integers(2, power).map(lambda p: 2**p),
        network_capacity=st.integers(1, 256),
        fmap_max=st.integers(1, 4096),
        latent_dim=st.integers(1, 4096),
        style_depth=st.integers(1, 32),
        lr_mlp=st.floats(1e-6, 10),
    )
)


@given(configs)
def test_a_config_survives_its_dictionary(config):
    assert NetworkConfig.from_dict(config.to_dict()) == config


@given(configs)
def test_the_last_block_has_the_shape_of_the_volume(config):
    assert config.block_shape(config.n_blocks - 1) == config.volume_shape
    assert len(config.synthesis_channels) == config.n_blocks


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        None,
        "config",
        {**NetworkConfig().to_dict(), "transparent": False},
        {"image_size": 128},
    ],
)
def test_a_dictionary_with_other_fields_is_refused(content, single_sentence):
    with pytest.raises(CowganError) as refusal:
        NetworkConfig.from_dict(content)
    single_sentence(refusal)
