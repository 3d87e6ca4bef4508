"""A generator that starts with the anatomies of its bank."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from cowgan.errors import CowganError
from cowgan.networks import MappingNetwork, NetworkConfig
from cowgan.networks.initialisation import ROTATION_MEAN, initialise_as_rotation
from cowgan.training import sampling
from cowgan.training.anatomical_components import AnatomicalComponents
from cowgan.training.config import TrainingConfig, preset
from cowgan.training.linear_start import start_linearly
from cowgan.training.run_state import load_state, save_state
from cowgan.training.trainer import Trainer
from cowgan.training.warm_start import InitialWeights, grow_from

NETWORK = NetworkConfig(16, 16, 4, 32, latent_dim=64)
CONFIG = preset("projected", NETWORK).with_changes(
    batch=2, accumulate=1, precision="fp32", mixing=0.0
)


class Arches:
    """Volumes with a bright arch whose place and width differ; 12 ways to differ."""

    def __init__(self, count: int = 120) -> None:
        random = np.random.default_rng(0)
        z, x, y = np.mgrid[:16, :16, :16].astype(np.float32)
        volumes = []
        for _ in range(count):
            centre = random.normal((8, 8, 7), (1, 1, 1))
            radius = random.normal(4.5, 0.5, 2)
            away = np.hypot((x - centre[1]) / radius[0], (y - centre[2]) / radius[1]) - 1
            tube = np.exp(-((4 * away) ** 2) - ((z - centre[0]) / 2) ** 2)
            volumes.append(0.15 + 0.7 * tube + 0.02 * random.standard_normal(z.shape))
        self.data = np.clip(np.stack(volumes), 0, 1).astype(np.float32)[:, None]

    def __len__(self) -> int:
        return len(self.data)

    def read(self, indices):
        return self.data[indices]


@pytest.fixture(scope="module")
def begun() -> Trainer:
    torch.set_num_threads(1)
    subject = Trainer(CONFIG, Arches(), "cpu")
    start_linearly(subject)
    return subject


def test_a_rotation_loses_no_direction_and_makes_w_of_unit_variance() -> None:
    mapping = MappingNetwork(NetworkConfig(latent_dim=128))
    initialise_as_rotation(mapping, torch.Generator().manual_seed(0))
    z = torch.randn(2000, 128, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        w = mapping(z) - ROTATION_MEAN
    assert float(w.mean().abs()) < 0.02
    assert float(w.std()) == pytest.approx(1, abs=0.02)
    variance = torch.linalg.eigvalsh(torch.cov(w.T))
    directions = variance.sum() ** 2 / variance.square().sum()
    assert float(directions) > 115, "2000 draws of 128 independent numbers have about 120"
    angles = functional.normalize(w, dim=1) @ functional.normalize(w, dim=1).T
    expected = functional.normalize(z, dim=1) @ functional.normalize(z, dim=1).T
    torch.testing.assert_close(angles, expected, atol=0.02, rtol=0)


@pytest.fixture(scope="module")
def fitted() -> AnatomicalComponents:
    components = AnatomicalComponents(8, 2)
    components.fit(torch.from_numpy(Arches().data).split(50))
    return components


def test_components_are_whitened_and_distinguish_left_and_right(
    fitted: AnatomicalComponents,
) -> None:
    volumes = torch.from_numpy(Arches().data)
    described = torch.cat([fitted(volumes), fitted(volumes.flip(3))])
    torch.testing.assert_close(described.mean(0), torch.zeros(10), atol=0.001, rtol=0)
    covariance = described.T.cov()
    torch.testing.assert_close(covariance, torch.eye(10), atol=0.02, rtol=0)
    own, mirrored = described.chunk(2)
    same = (own * mirrored).mean(0)[:8]
    assert bool(((same.abs() - 1).abs() < 0.05).all()), "each is symmetric or antisymmetric"


def test_random_latents_stand_for_maps_as_diverse_as_the_fitted_ones(
    fitted: AnatomicalComponents,
) -> None:
    z = torch.randn(4000, 13, generator=torch.Generator().manual_seed(0))
    wanted = fitted.appearance_of(z)[:, :-2]
    total = fitted.map_variance.sum()
    assert float(wanted.var(0).sum()) == pytest.approx(float(total), rel=0.1)
    assert float(wanted.mean(0).square().sum()) < 0.01 * float(total)
    rare = (fitted.scores.thresholds > 1) & fitted.scores.occupied
    assert int(rare.sum()) > 100
    variance = wanted[:, rare].var(0).sum() / fitted.map_variance[rare].sum()
    assert float(variance) > 0.75, "also where arteries are rare"


def test_latents_of_volumes_stand_for_their_appearance(fitted: AnatomicalComponents) -> None:
    volumes = torch.from_numpy(Arches().data)
    found = fitted(volumes)
    # Three free entries fill each latent up to its length.
    left = (13 - found.square().sum(1, keepdim=True)).clamp(min=0)
    z = torch.cat([found, (left / 3).sqrt().expand(-1, 3)], 1)
    own, wanted = fitted.appearance(volumes), fitted.appearance_of(z)
    error, other = (
        float(fitted.mean_error((own - one).square()).mean()) for one in (wanted, wanted.roll(1, 0))
    )
    assert error < 0.5
    assert other > 1


def test_surplus_components_have_no_effect() -> None:
    components = AnatomicalComponents(48, 4)
    volumes = torch.from_numpy(Arches(6).data)
    components.fit([volumes])
    described = components(volumes)
    assert bool(described.isfinite().all())
    assert int((described.std(0) > 1e-3).sum()) < 20


def test_the_first_volumes_are_the_anatomies_of_their_latents(begun: Trainer) -> None:
    drawn = sampling.latents(NETWORK, 0, 0, "test", range(24), 0.0)
    components = begun.components
    with torch.no_grad():
        found = components.appearance(begun.generator(drawn, begun.device))
    wanted = components.appearance_of(drawn.z[:, 0])
    own, other = (
        float(components.mean_error((found - one).square()).mean())
        for one in (wanted, wanted.roll(1, 0))
    )
    assert own < 0.5 * other


def test_real_volumes_come_back_from_their_components(begun: Trainer) -> None:
    reals = torch.from_numpy(begun.volumes.read(list(range(24))))
    drawn = sampling.latents(NETWORK, 0, 0, "test", range(24), 0.0)
    drawn.z[:, 0, : begun.components.count] = begun.components(reals)
    with torch.no_grad():
        repeated = begun.generator(drawn, begun.device)
    spread = (reals - reals.mean(0)).square().mean()
    assert float((repeated - reals).square().mean()) < 0.5 * float(spread)


def test_finer_blocks_are_given_the_anatomy_to_draw(begun: Trainer) -> None:
    drawn = sampling.latents(NETWORK, 0, 0, "test", range(24), 0.0)
    with torch.no_grad():
        w = begun.generator.styles(drawn, begun.device)[:, 0]
        x, image = begun.generator.synthesis.start(24), None
        for block in range(NETWORK.n_blocks):
            x, image = begun.generator.synthesis.run_block(block, x, image, w, None)
    deviation, level = x.var(0).mean((1, 2, 3)), x.square().mean((0, 2, 3, 4))
    assert float((deviation / level).min()) > 0.01, "each channel shows what sets people apart"
    carried = x[:, 0] - x[:, 1]
    for own, shown in zip(carried, image[:, 0], strict=True):
        assert np.corrcoef(own.flatten(), shown.flatten())[0, 1] > 0.999


def test_the_exported_network_takes_w_as_the_published_one(begun: Trainer) -> None:
    drawn = sampling.latents(NETWORK, 0, 0, "test", range(3), 0.0)
    with torch.no_grad():
        own = begun.ema(drawn, begun.device)
        w = begun.ema.mapping(drawn.z[:, 0])
        published = begun.ema.published_synthesis()(w, drawn.noise)
    torch.testing.assert_close(own, published, atol=1e-4, rtol=0)


def test_half_precision_trains_on_the_volumes_that_are_rendered_later(begun: Trainer) -> None:
    drawn = sampling.latents(NETWORK, 0, 0, "test", range(8), 0.0)
    with torch.no_grad():
        exact = begun.generator(drawn, begun.device)
        with torch.autocast("cpu", torch.bfloat16):
            trained_on = begun.generator(drawn, begun.device)
    assert float((trained_on - exact).std() / exact.std()) < 0.02


def copy_of(begun: Trainer, config: TrainingConfig = CONFIG) -> Trainer:
    copy = Trainer(config, Arches(), "cpu")
    for name in ("generator", "ema", "components"):
        getattr(copy, name).load_state_dict(getattr(begun, name).state_dict())
    return copy


def test_training_keeps_the_meaning_of_latents(begun: Trainer) -> None:
    subject = copy_of(begun, CONFIG.with_changes(batch=4, generator_rate=1e-4))
    mapping = {name: one.clone() for name, one in subject.generator.mapping.state_dict().items()}
    metrics = [subject.step() for _ in range(10)]
    assert metrics[-1]["anchor"] < 1, "volumes of unrelated latents have about 2"
    assert metrics[-1]["paired"] < 1, "the mean volume has more"
    for name, one in subject.generator.mapping.state_dict().items():
        assert torch.equal(one, mapping[name])


def test_a_resumed_run_continues_exactly(begun: Trainer, tmp_path) -> None:
    subject, resumed = copy_of(begun), Trainer(CONFIG, Arches(), "cpu")
    for _ in range(2):
        subject.step()
    save_state(subject, tmp_path, "bank")
    load_state(resumed, tmp_path, "bank")
    for _ in range(2):
        assert resumed.step() == subject.step()
    torch.testing.assert_close(resumed.anchor.state_dict(), subject.anchor.state_dict())


def test_a_run_grows_with_its_components(begun: Trainer, tmp_path) -> None:
    save_state(begun, tmp_path, "bank")
    larger = replace(NETWORK, image_size=32, network_capacity=2)
    grown = Trainer(replace(CONFIG, network=larger), Arches(), "cpu")
    assert grow_from(grown, InitialWeights.of_run(tmp_path)) == []
    for name, one in grown.components.state_dict().items():
        assert torch.equal(one, begun.components.state_dict()[name])
    drawn = sampling.latents(larger, 0, 0, "test", range(2), 0.0)
    coarse = replace(drawn, noise=drawn.noise[:, :16, :16, :16])
    with torch.no_grad():
        large = functional.avg_pool3d(grown.ema(drawn, grown.device), (1, 2, 2))
        small = begun.ema(coarse, begun.device)
    correlation = np.corrcoef(large.flatten(), small.flatten())[0, 1]
    assert correlation > 0.9, "new blocks begin dark"


def test_a_grown_run_is_anchored_as_the_smaller_one_was(begun: Trainer, tmp_path) -> None:
    small = copy_of(begun)
    small.step()
    save_state(small, tmp_path, "bank")
    larger = replace(NETWORK, image_size=32, network_capacity=2)
    grown = Trainer(replace(CONFIG, network=larger), Arches(), "cpu")
    unanchored = grown.anchor.means.values.clone()
    grow_from(grown, InitialWeights.of_run(tmp_path))
    torch.testing.assert_close(grown.anchor.state_dict(), small.anchor.state_dict())
    assert not torch.equal(grown.anchor.means.values, unanchored)


def test_a_checkpoint_grows_with_components_found_again(begun, tmp_path, single_sentence) -> None:
    save_state(begun, tmp_path, "bank")
    model = replace(InitialWeights.of_run(tmp_path), components=None)
    larger = replace(CONFIG, network=replace(NETWORK, image_size=32, network_capacity=2))
    grown = Trainer(larger, Arches(), "cpu")
    assert grow_from(grown, model) == []
    for name, one in grown.components.state_dict().items():
        torch.testing.assert_close(one, begun.components.state_dict()[name])

    latents_swapped = {name: one.clone() for name, one in model.mapping.items()}
    latents_swapped["net.0.weight"] = latents_swapped["net.0.weight"].roll(1, 1)
    with pytest.raises(CowganError) as refusal:
        grow_from(Trainer(larger, Arches(), "cpu"), replace(model, mapping=latents_swapped))
    assert "the bank that it was trained on" in single_sentence(refusal)


def test_volumes_that_are_alike_are_refused(single_sentence) -> None:
    volumes = Arches(1)
    volumes.data = np.concatenate([volumes.data, volumes.data[:, :, :, ::-1]]).mean(
        0, keepdims=True
    )
    with pytest.raises(CowganError) as refusal:
        start_linearly(Trainer(CONFIG, volumes, "cpu"))
    assert "alike" in single_sentence(refusal)


def test_path_lengths_are_not_regularised_after_a_linear_start(single_sentence) -> None:
    with pytest.raises(CowganError) as refusal:
        replace(CONFIG, path_weight=2.0)
    assert "path_weight" in single_sentence(refusal)


def test_the_preset_starts_a_narrow_network_as_published() -> None:
    assert preset("projected", replace(NETWORK, network_capacity=2)).start == "linear"
    narrow = preset("projected", replace(NETWORK, network_capacity=1))
    assert (narrow.start, narrow.anchor_weight, narrow.paired) == ("published", 0, 0)


def test_a_network_too_narrow_to_carry_an_image_is_refused(single_sentence) -> None:
    narrow = replace(CONFIG, network=replace(NETWORK, network_capacity=1))
    with pytest.raises(CowganError) as refusal:
        start_linearly(Trainer(narrow, Arches(20), "cpu"))
    assert "at least 4 channels" in single_sentence(refusal)


def test_anchoring_without_a_linear_start_is_refused(single_sentence) -> None:
    with pytest.raises(CowganError) as refusal:
        TrainingConfig(anchor_weight=1.0)
    assert "linear start" in single_sentence(refusal)
