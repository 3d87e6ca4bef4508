"""Tests of the segmentation network."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from segmentation_cases import TINY

from cowgan.errors import CowganError
from cowgan.segmentation.unet import (
    NETWORKS,
    SegmentationNetwork,
    SegmentationNetworkConfig,
    fold,
    unfold,
)


@settings(max_examples=30, deadline=None)
@given(
    size=st.tuples(*[st.integers(1, 3)] * 5),
    count=st.integers(1, 4),
)
def test_folding_is_undone_and_keeps_neighbours_together(size, count) -> None:
    n, c, z, x, y = size
    volumes = torch.arange(n * c * z * x * y * count**2).reshape(n, c, z, x * count, y * count)
    folded = fold(volumes, count)
    assert torch.equal(unfold(folded, count), volumes)
    column = folded[0, : count**2, 0, 0, 0]
    assert torch.equal(column.reshape(count, count), volumes[0, 0, 0, :count, :count])


@pytest.mark.parametrize(
    ("config", "levels"),
    [
        (TINY, 1),
        (SegmentationNetworkConfig((4, 4, 6), 1, 1), 2),
        (SegmentationNetworkConfig((4, 4, 6, 6), 2, 2), 3),
    ],
)
def test_logits_have_the_size_of_the_image(config, levels) -> None:
    network = SegmentationNetwork(config, 5)
    image = torch.rand(2, 1, *(2 * m for m in config.multiple))
    found = network(image)
    assert [level.shape for level in found] == [(2, 5, *image.shape[2:])] * levels
    assert len(network.eval()(image)) == 1


def test_weights_of_one_network_give_the_results_of_another() -> None:
    torch.manual_seed(0)
    one, other = SegmentationNetwork(TINY, 3).eval(), SegmentationNetwork(TINY, 3).eval()
    image = torch.rand(1, 1, *(2 * m for m in TINY.multiple))
    assert not torch.equal(one(image)[0], other(image)[0])
    other.load_weights(one.weights())
    assert torch.equal(one(image)[0], other(image)[0])


def test_weights_of_another_network_are_refused(single_sentence) -> None:
    network = SegmentationNetwork(TINY, 3)
    weights = network.weights()
    missing = dict(list(weights.items())[1:])
    for wrong in (
        missing,
        {**weights, "more": torch.ones(1)},
        SegmentationNetwork(TINY, 4).weights(),
    ):
        with pytest.raises(CowganError) as refusal:
            network.load_weights(wrong)
        assert "do not fit" in single_sentence(refusal)


@pytest.mark.parametrize(
    "settings",
    [
        {"channels": (8, 8)},
        {"channels": (8, 0, 8)},
        {"fold": 0},
        {"fold": 9},
        {"deep_supervision": 3},
    ],
)
def test_impossible_architectures_are_refused(settings, single_sentence) -> None:
    with pytest.raises(CowganError) as refusal:
        SegmentationNetworkConfig(**settings)
    assert "network" in single_sentence(refusal)


def test_the_network_for_cpus_has_one_to_three_million_weights() -> None:
    network = SegmentationNetwork(NETWORKS["small"], 5)
    assert 1e6 < sum(weight.numel() for weight in network.weights().values()) < 3e6
