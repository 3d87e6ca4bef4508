"""Attribute directions, fitted to a small generator whose volumes are easy to measure."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from cowgan.checkpoint import Checkpoint, load, save
from cowgan.errors import Cancelled, CowganError
from cowgan.latent.attribute_files import (
    load_attributes,
    load_samples,
    save_attributes,
    save_samples,
)
from cowgan.latent.attribute_models import AttributeSamples, fit_models
from cowgan.latent.attributes import fit, pattern_direction
from cowgan.latent.p_space import PSpace
from cowgan.measure.vessel_attributes import Attribute
from cowgan.networks import NetworkConfig
from cowgan.synthesis import Edit, LatentState, Synthesizer, style

CONFIG = NetworkConfig(16, 8, 4, 16, latent_dim=12, style_depth=2)
SAMPLES = 300
BRIGHT = Attribute("bright", "Brightness", digits=3)
LEFT = Attribute("left", "Brightness of the left", digits=3)
THERE = Attribute("there", "Light", presence=True)
NOISE = Attribute("noise", "Noise")
CONSTANT = Attribute("constant", "Constant")
ALL = (BRIGHT, LEFT, THERE, NOISE, CONSTANT)

pytestmark = pytest.mark.usefixtures("single_threaded")


@pytest.fixture(scope="module")
def synthesizer(tmp_path_factory) -> Synthesizer:
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    save(Checkpoint.random(CONFIG, seed=4, discriminator=False), path)
    return Synthesizer(load(path), "cpu", "exact")


class Measured:
    """Measures volumes; what is called noise has nothing to do with them."""

    def __init__(self, typical: float) -> None:
        self._typical = typical
        self._numbers = np.random.default_rng(0)

    def __call__(self, volume) -> dict[str, float]:
        data = volume.data.astype(np.float64)
        bright = float(data.mean())
        return {
            "bright": bright,
            "left": float(data[:, 8:].mean()),
            "there": float(bright > self._typical),
            "noise": self._numbers.standard_normal(),
            "constant": 3.0,
        }


@pytest.fixture(scope="module")
def measure(synthesizer) -> Measured:
    states = [LatentState(seed) for seed in range(50)]
    return Measured(float(np.median([v.data.mean() for v in synthesizer.render_many(states)])))


@pytest.fixture(scope="module")
def samples(synthesizer, measure) -> AttributeSamples:
    states = [LatentState(seed) for seed in range(SAMPLES)]
    found = [measure(volume) for volume in synthesizer.render_many(states)]
    return AttributeSamples(
        tuple(range(SAMPLES)), {key: np.array([one[key] for one in found]) for key in found[0]}
    )


@pytest.fixture(scope="module")
def directions(synthesizer, samples, measure):
    return {each.attribute: each for each in fit(synthesizer, samples, ALL, measure)}


def test_what_latents_decide_is_predicted_and_noise_is_not(synthesizer, samples):
    models = {m.attribute.key: m for m in fit_models(synthesizer.checkpoint, samples, ALL)}
    assert models["bright"].score > 0.5
    assert models["there"].score > 0.8
    assert not models["noise"].useful
    assert "constant" not in models
    assert (models["bright"].n_train, models["bright"].n_test) == (240, 60)


def test_a_score_is_that_of_latents_which_the_fit_has_not_seen(synthesizer, samples):
    """More parameters than volumes fit any noise, but predict none of it."""
    few = AttributeSamples(
        samples.seeds[:100], {key: values[:100] for key, values in samples.values.items()}
    )
    (model,) = fit_models(synthesizer.checkpoint, few, [NOISE])
    assert model.score < 0.1


def test_ridge_agrees_with_a_direct_solution(synthesizer, samples):
    (model,) = fit_models(synthesizer.checkpoint, samples, [BRIGHT])
    train = np.arange(SAMPLES) % 5 > 0
    space = PSpace.of(synthesizer.checkpoint)
    w = torch.stack([style(synthesizer.checkpoint, seed) for seed in samples.seeds])
    sd = space.sd.double().numpy()
    x = space.whitened(w).double().numpy()[train] * sd
    x, y, weights = x - x.mean(0), samples.values["bright"][train], model.weights / sd
    residual = x.T @ (y - y.mean() - x @ weights)
    # A ridge solution leaves a gradient that is its penalty times the weights.
    penalty = residual @ weights / (weights @ weights)
    assert penalty > 0
    np.testing.assert_allclose(residual, penalty * weights, atol=1e-8 * abs(residual).max())


def test_directions_change_their_attribute_upwards_in_fresh_volumes(synthesizer, directions):
    for key in ("bright", "left"):
        direction = directions[key].direction
        positions, changes = (-2.0, -1.0, 0.0, 1.0, 2.0), []
        for seed in range(1000, 1005):
            edits = [
                Edit(direction, s, direction.first_block, direction.last_block) for s in positions
            ]
            states = [LatentState(seed, edits=(edit,)) for edit in edits]
            values = [v.data.mean() for v in synthesizer.render_many(states)]
            changes.append(np.polyfit(positions, values, 1)[0])
            assert spearmanr(positions, values).statistic > 0.7
        assert directions[key].per_sigma == pytest.approx(np.mean(changes), rel=0.5)


def test_an_attribute_that_cannot_be_changed_is_not_offered(directions):
    assert {"bright", "left", "there"} <= set(directions)
    assert not {"noise", "constant"} & set(directions)


def test_the_leakage_says_what_else_changes(directions):
    bright = directions["bright"]
    assert bright.leakage("left") > 0.2
    assert bright.leakage("constant") == 0
    assert bright.leakage("bright") == pytest.approx(bright.per_sigma / bright.sds["bright"])


def test_a_direction_apart_from_another_leaves_its_prediction_alone(synthesizer, samples):
    checkpoint = synthesizer.checkpoint
    bright, left = fit_models(checkpoint, samples, [BRIGHT, LEFT])
    space = PSpace.of(checkpoint)
    mean = space.w(torch.zeros(1, len(space.sd)))
    plain = pattern_direction(checkpoint, left, 0, 2)
    apart = pattern_direction(checkpoint, left, 0, 2, [bright])

    def predicted(model, direction) -> float:
        step = space.whitened(direction.apply(mean, 1.0)) - space.whitened(mean)
        return float(step.double().numpy()[0] @ model.weights)

    assert abs(predicted(bright, apart)) < 1e-3 * abs(predicted(bright, plain))
    assert predicted(left, apart) > 0
    with pytest.raises(CowganError, match="cannot be changed without"):
        pattern_direction(checkpoint, left, 0, 2, [replace(left, attribute=BRIGHT)])


def test_too_few_volumes_are_refused(synthesizer, samples, single_sentence):
    few = AttributeSamples((0, 1), {key: values[:2] for key, values in samples.values.items()})
    with pytest.raises(CowganError) as refusal:
        fit_models(synthesizer.checkpoint, few, ALL)
    assert "100" in single_sentence(refusal)


def test_a_walk_can_be_cancelled(synthesizer, samples, measure):
    class Impatient:
        cancelled = False

        def report(self, done: int, total: int, message: str = "") -> None:
            self.cancelled = done > 0

    with pytest.raises(Cancelled):
        fit(synthesizer, samples, ALL, measure, progress=Impatient())


def test_directions_come_back_from_their_file(synthesizer, directions, tmp_path):
    path = tmp_path / "attributes.json"
    save_attributes(path, list(directions.values()), SAMPLES, synthesizer.checkpoint)
    stored = load_attributes(path, synthesizer.checkpoint)
    assert stored.directions == tuple(directions.values())
    assert stored.samples == SAMPLES
    assert stored.directions[0].effects == directions["bright"].effects


def test_attributes_of_another_model_are_refused(
    synthesizer, directions, tmp_path, single_sentence
):
    path = tmp_path / "attributes.json"
    save_attributes(path, list(directions.values()), SAMPLES, synthesizer.checkpoint)
    other = replace(synthesizer.checkpoint, sha256="0" * 64)
    with pytest.raises(CowganError) as refusal:
        load_attributes(path, other)
    assert "cowgan attributes" in single_sentence(refusal)


@pytest.mark.parametrize("damage", ['"schema": "other"', '"samples": "many"'])
def test_a_damaged_file_is_refused(synthesizer, directions, tmp_path, single_sentence, damage):
    path = tmp_path / "attributes.json"
    save_attributes(path, list(directions.values()), SAMPLES, synthesizer.checkpoint)
    name = damage.split(":")[0]
    lines = path.read_text(encoding="utf-8").splitlines()
    changed = [f"{damage}," if line.strip().startswith(name) else line for line in lines]
    assert changed != lines
    path.write_text("\n".join(changed), encoding="utf-8")
    with pytest.raises(CowganError) as refusal:
        load_attributes(path, synthesizer.checkpoint)
    single_sentence(refusal)


def test_samples_come_back_only_for_the_same_recipe(samples, tmp_path):
    path = tmp_path / "samples.json"
    gaps = dict(samples.values) | {"bright": np.where(np.arange(SAMPLES) == 3, np.nan, 1.5)}
    save_samples(path, AttributeSamples(samples.seeds, gaps), {"checkpoint": "a"})
    again = load_samples(path, {"checkpoint": "a"})
    assert again is not None
    np.testing.assert_array_equal(again.values["bright"], gaps["bright"])
    assert load_samples(path, {"checkpoint": "b"}) is None
    path.write_text("{", encoding="utf-8")
    assert load_samples(path, {"checkpoint": "a"}) is None
