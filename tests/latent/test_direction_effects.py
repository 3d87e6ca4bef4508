"""What directions change, measured on volumes whose measurements follow the latent."""

from dataclasses import replace

import numpy as np
import pytest

from cowgan.checkpoint import Checkpoint, load, load_bundled, save
from cowgan.errors import Cancelled, CowganError
from cowgan.latent import direction_effects, stored_directions
from cowgan.latent.components import pca_directions
from cowgan.latent.direction_effects import (
    AttributeEffect,
    DirectionEffects,
    has_technical_name,
    measured_effects,
)
from cowgan.latent.effect_files import BUNDLED_EFFECTS, load_effects, save_effects
from cowgan.measure.communicating_courses import BodySide
from cowgan.measure.vessel_attributes import VESSEL_ATTRIBUTES, MeasuredVessels
from cowgan.networks import NetworkConfig
from cowgan.synthesis import Synthesizer

CONFIG = NetworkConfig(16, 8, 4, 16, latent_dim=12, style_depth=2)
BLOCKS = (0, 2)


@pytest.fixture(scope="module")
def synthesizer(tmp_path_factory) -> Synthesizer:
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    save(Checkpoint.random(CONFIG, seed=4, discriminator=False), path)
    return Synthesizer(load(path), "cpu", "exact")


@pytest.fixture
def directions(synthesizer):
    return pca_directions(synthesizer.checkpoint, *BLOCKS, 2)


@pytest.fixture
def measured_by_state(monkeypatch, directions):
    """Measure what volumes would whose vessels grow along the first direction alone."""

    def measure(volume) -> MeasuredVessels:
        state = volume.provenance["state"]
        seed = state["seed"]
        along = sum(
            e["sigmas"] for e in state["edits"] if e["direction"]["name"] == directions[0].name
        )
        values = dict.fromkeys((each.key for each in VESSEL_ATTRIBUTES), 1.0) | {
            "volume_mm3": 1000 + 10 * seed + 120 * along,
            # The sign depends on the volume.
            "length_mm": 500 + seed + 300 * along * (-1) ** seed,
            "loops": 3 + seed % 3 + 0.2 * along,
            "l_pcom_present": float(seed % 2 or along > 0),
            "l_pcom_diameter_mm": 2.0 + 0.1 * seed if seed < 3 else np.nan,
        }
        return MeasuredVessels(values, (), dict.fromkeys(BodySide), volume.data > 1)

    monkeypatch.setattr(direction_effects, "measure_vessels", measure)


def test_a_direction_is_named_by_what_it_changes_in_nearly_all_volumes(
    synthesizer, directions, measured_by_state
):
    grows, idle = measured_effects(synthesizer, directions)
    assert grows.belong_to(directions[0], BLOCKS)
    assert not grows.belong_to(directions[0], (0, 0))
    assert not grows.belong_to(directions[1], BLOCKS)
    by_key = {effect.attribute: effect for effect in grows.effects}
    assert by_key["volume_mm3"].change == pytest.approx(120)
    spread = np.std([1000 + 10 * seed for seed in range(24)], ddof=1)
    assert by_key["volume_mm3"].share == pytest.approx(120 / spread)
    # The length changes more, but not alike; a diameter is there in too few volumes.
    assert by_key["length_mm"].change == pytest.approx(0)
    assert "l_pcom_diameter_mm" not in by_key
    assert grows.found[0].text() == "Vessel volume +120 mm³"
    assert "Loops +0.2" in [effect.text() for effect in grows.found]
    assert idle.found == []


@pytest.mark.parametrize(
    ("key", "change", "text"),
    [
        ("volume_mm3", -35.4, "Vessel volume -35 mm³"),
        ("diameter_mm", 0.123, "Median diameter +0.12 mm"),
        ("pieces", -0.44, "Pieces -0.4"),
        ("l_pcom_present", 0.125, "Left PCom more often (+12 %)"),
        ("r_pcom_present", -0.2, "Right PCom less often (-20 %)"),
    ],
)
def test_effects_are_told_in_words_and_units(key, change, text):
    assert AttributeEffect(key, change, 0.0, 1.0).text() == text


def test_names_that_a_user_gave_are_told_from_those_of_a_search(directions):
    assert all(map(has_technical_name, directions))
    assert not has_technical_name(replace(directions[0], name="Wider basilar artery"))


def test_measuring_is_cancelled_and_keeps_what_was_measured(
    synthesizer, directions, measured_by_state
):
    class Impatient:
        cancelled = False

        def report(self, done: int, total: int, message: str = "") -> None:
            self.cancelled = message == directions[1].name

    effects = measured_effects(synthesizer, directions, Impatient())
    assert next(effects).found
    with pytest.raises(Cancelled):
        next(effects)


@pytest.fixture
def kept(synthesizer, directions, tmp_path):
    effects = [
        DirectionEffects(
            each.digest, each.space, *BLOCKS, (AttributeEffect("pieces", 0.5, 0.1, 0.2),)
        )
        for each in directions
    ]
    path = tmp_path / "effects.json"
    save_effects(path, effects, synthesizer.checkpoint)
    return path, tuple(effects)


def test_effects_come_back_from_their_file(synthesizer, kept):
    path, effects = kept
    assert load_effects(path, synthesizer.checkpoint) == effects


@pytest.mark.parametrize(
    ("sound", "damaged"),
    [("direction-effects/1", "other/1"), ("pieces", "nonsense"), ("0.5", '"much"')],
)
def test_a_damaged_file_is_refused(synthesizer, kept, sound, damaged, single_sentence):
    path, _ = kept
    path.write_text(path.read_text("utf-8").replace(sound, damaged), encoding="utf-8")
    with pytest.raises(CowganError) as refusal:
        load_effects(path, synthesizer.checkpoint)
    single_sentence(refusal)


def test_effects_of_another_model_are_refused(synthesizer, kept, single_sentence):
    with pytest.raises(CowganError) as refusal:
        load_effects(kept[0], replace(synthesizer.checkpoint, sha256="0" * 64))
    single_sentence(refusal)


def test_those_of_all_bundled_directions_are_bundled():
    model = load_bundled()
    effects = load_effects(BUNDLED_EFFECTS, model)
    for direction in stored_directions(model):
        blocks = (direction.first_block, direction.last_block)
        assert sum(each.belong_to(direction, blocks) for each in effects) == 1
