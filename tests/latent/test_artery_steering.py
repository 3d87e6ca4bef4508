"""One artery of a generated volume, made wider, narrower, new or absent."""

from dataclasses import replace

import numpy as np
import pytest

from cowgan.checkpoint import load_bundled
from cowgan.errors import CowganError
from cowgan.latent.artery_steering import (
    FoundArtery,
    SteeringOutcome,
    find_communicating,
    steer,
)
from cowgan.measure.communicating_courses import BodySide
from cowgan.measure.vessel_attributes import MeasuredVessels
from cowgan.synthesis import LatentState, NoiseMap, Synthesizer

find = find_communicating(BodySide.LEFT)


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    return Synthesizer(load_bundled(), "cpu")


@pytest.mark.slow
def test_the_left_pcom_becomes_wider_and_little_else_changes(synthesizer):
    state = LatentState(1)
    before = next(synthesizer.render_many([state]))
    artery = find(before)
    asked = artery.diameter_mm + 0.3
    *moving, last = steer(synthesizer, state, find, asked, 0.06, BodySide.LEFT)
    assert last.outcome is SteeringOutcome.REACHED
    assert all(step.outcome is SteeringOutcome.MOVING for step in moving)
    assert [step.done for step in moving] == sorted(step.done for step in moving)
    after = next(synthesizer.render_many([last.latent]))
    assert find(after).diameter_mm == pytest.approx(asked, abs=0.06)
    assert np.abs(after.data - before.data).mean() < 0.01
    assert LatentState.from_dict(last.latent.to_dict()) == last.latent


def test_an_artery_that_is_as_wide_as_wanted_stays(synthesizer):
    """Once measured after its first round."""
    artery = find(next(synthesizer.render_many([LatentState(1)])))
    state = replace(LatentState(1), noise=False)
    *_, last = steer(synthesizer, state, lambda volume: artery, artery.diameter_mm, 0.05)
    assert last.outcome is SteeringOutcome.REACHED
    assert last.latent.w is not None


def test_noise_that_was_found_for_finer_blocks_stays(synthesizer):
    shape = synthesizer.checkpoint.config.volume_shape
    found = NoiseMap(shape, np.random.default_rng(0).random(shape))
    state = replace(LatentState(1), noise_maps=(found,))
    artery = find(next(synthesizer.render_many([LatentState(1)])))
    *_, last = steer(synthesizer, state, lambda volume: artery, artery.diameter_mm, 0.05)
    assert last.latent.noise_maps[-1] == found
    assert len(last.latent.noise_maps) > 1


def test_an_artery_without_anything_to_join_is_refused(synthesizer):
    nothing = MeasuredVessels({}, (), {}, np.zeros((32, 128, 128), bool))
    steps = steer(
        synthesizer,
        LatentState(0),
        lambda volume: FoundArtery(nothing, None),
        1.5,
        0.1,
        BodySide.LEFT,
    )
    with pytest.raises(CowganError, match="absent"):
        next(steps)
