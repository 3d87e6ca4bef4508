from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from cowgan.checkpoint import Checkpoint
from cowgan.errors import CowganError
from cowgan.networks import NetworkConfig
from cowgan.training.config import preset
from cowgan.training.run_state import save_state
from cowgan.training.trainer import Trainer
from cowgan.training.warm_start import InitialWeights, grow_from

SMALL = NetworkConfig(16, 16, 4, 16, latent_dim=32, style_depth=2)
LARGE = NetworkConfig(32, 32, 2, 16, latent_dim=32, style_depth=2)


class Noise:
    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._volume = np.random.default_rng(0).random(shape, np.float32)

    def __len__(self) -> int:
        return 1

    def read(self, indices):
        return np.stack([self._volume[None]] * len(indices))


def trainer(network: NetworkConfig = LARGE, name: str = "paper") -> Trainer:
    return Trainer(
        preset(name, network).with_changes(batch=2, accumulate=1),
        Noise(network.volume_shape),
        "cpu",
    )


def test_a_grown_network_shows_the_small_one_enlarged() -> None:
    small = Checkpoint.random(SMALL, seed=4)
    grown = trainer()
    assert grow_from(grown, InitialWeights.of_checkpoint(small)) == []
    w = small.mapping(torch.randn(2, 32, generator=torch.Generator().manual_seed(0)))
    noise = torch.full((2, 32, 32, 32), 0.5)
    first = grown.ema.synthesis(w, noise)
    last = grown.ema.synthesis.blocks[-1].to_grayscale.conv.weight
    last.zero_()
    large = grown.ema.synthesis(w, noise)
    assert float((first - large).std()) < 0.2 * float(large.std())
    expected = small.synthesis(w, noise[:, :16, :16, :16])
    enlarged = functional.interpolate(
        expected, scale_factor=2, mode="trilinear", align_corners=False
    )
    torch.testing.assert_close(large, grown.ema.synthesis.blur(enlarged), atol=1e-5, rtol=0)
    assert torch.equal(grown.ema.mapping.net[0].weight, small.mapping.net[0].weight)
    for name, tensor in grown.generator.mapping.state_dict().items():
        assert torch.equal(tensor, small.mapping.state_dict()[name])


def test_the_discriminator_is_matched_from_its_coarse_end() -> None:
    same_channels = replace(LARGE, network_capacity=4)
    small = Checkpoint.random(SMALL, seed=4)
    grown = trainer(same_channels)
    grow_from(grown, InitialWeights.of_checkpoint(small))
    old, new = small.discriminator.state_dict(), grown.discriminator.state_dict()
    assert torch.equal(new["to_logit.weight"], old["to_logit.weight"])
    assert torch.equal(new["blocks.3.net.2.weight"], old["blocks.2.net.2.weight"])


def test_blocks_of_other_width_start_from_random_weights_and_are_named() -> None:
    wider = replace(SMALL, network_capacity=8, fmap_max=32)
    notes = grow_from(
        trainer(replace(LARGE, fmap_max=32)),
        InitialWeights.of_checkpoint(Checkpoint.random(wider, seed=1)),
    )
    (named,) = [note for note in notes if "start from random weights" in note]
    assert "block 1, block 2" in named
    assert "block 0" not in named


@pytest.mark.parametrize(
    "unfit",
    [
        replace(SMALL, latent_dim=16),
        replace(SMALL, style_depth=3),
        NetworkConfig(64, 16, 2, 16, latent_dim=32, style_depth=2),
        replace(SMALL, network_capacity=1, fmap_max=2),
    ],
)
def test_models_that_cannot_grow_are_refused(unfit: NetworkConfig, single_sentence) -> None:
    with pytest.raises(CowganError) as refusal:
        grow_from(trainer(), InitialWeights.of_checkpoint(Checkpoint.random(unfit)))
    single_sentence(refusal)


def test_training_continues_after_growing() -> None:
    grown = trainer(name="modern")
    notes = grow_from(grown, InitialWeights.of_checkpoint(Checkpoint.random(SMALL, seed=4)))
    assert not any("start from random weights" in note for note in notes)
    assert all(np.isfinite(value) for value in grown.step().values())


@pytest.mark.parametrize("name", ["paper", "modern", "projected"])
def test_a_run_passes_on_its_discriminator(name: str, tmp_path) -> None:
    before = trainer(SMALL, name)
    before.step()
    save_state(before, tmp_path, "bank")
    grown = trainer(name=name)
    assert grow_from(grown, InitialWeights.of_run(tmp_path)) == []
    old, new = before.discriminator.state_dict(), grown.discriminator.state_dict()
    last = {"paper": "to_logit.weight", "modern": "hidden.weight", "projected": "projector.scales"}
    assert torch.equal(new[last[name]], old[last[name]])
    if name == "projected":
        assert all(torch.equal(tensor, new[key]) for key, tensor in old.items())
    for key, tensor in before.ema.mapping.state_dict().items():
        assert torch.equal(tensor, grown.generator.mapping.state_dict()[key])


def test_a_discriminator_of_another_kind_is_not_taken(tmp_path) -> None:
    save_state(trainer(SMALL, "modern"), tmp_path, "bank")
    (note,) = grow_from(trainer(name="paper"), InitialWeights.of_run(tmp_path))
    assert "another kind" in note
