from dataclasses import replace
from itertools import pairwise

import checkpoint_files as files
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from latent_movies import edited, projected, short_movie
from latent_states import states

from cowgan.errors import CowganError
from cowgan.latent.easing import EASINGS
from cowgan.latent.movies import (
    Contrast,
    Keyframe,
    Movie,
    held,
    interpolation,
    stochastic_variation,
    turntable,
)
from cowgan.synthesis import (
    LatentState,
    NoiseShare,
    Synthesizer,
    between_seeds,
    between_states,
    styles,
)
from cowgan.synthesis.noise import block_noise
from cowgan.synthesis.styles import truncation_centres
from cowgan.volume.orthographic import Camera

CHECKPOINT = files.lively()
N_BLOCKS = CHECKPOINT.config.n_blocks
fitting = states(files.TINY).filter(lambda s: not s.noise_blend)


def test_key_frames_are_shown_exactly():
    movie = short_movie()
    assert movie.n_frames == 6
    for place, keyframe in enumerate(movie.keyframes):
        frame = movie.frame(movie.index_of(place), CHECKPOINT)
        assert (frame.state, frame.camera, frame.contrast) == (
            keyframe.state,
            keyframe.camera,
            keyframe.contrast,
        )


def test_a_loop_leads_back_to_the_first_key_frame_and_an_open_end_stays():
    ends = (Keyframe(LatentState(0), frames=2), Keyframe(LatentState(1), frames=4))
    loop, still = Movie(ends, loop=True), Movie(ends)
    assert still.frame(5, CHECKPOINT).state == LatentState(1)
    near_end = styles(CHECKPOINT, loop.frame(5, CHECKPOINT).state)
    first = styles(CHECKPOINT, LatentState(0))
    last = styles(CHECKPOINT, LatentState(1))
    assert (near_end - first).norm() < (near_end - last).norm()


@settings(deadline=None, max_examples=60)
@given(fitting, fitting, st.sampled_from(["z", "w"]))
def test_ways_between_any_states_are_continuous_at_both_ends(start, end, space):
    tiny = 1e-4
    for t, there in ((tiny, start), (1 - tiny, end)):
        near = between_states(CHECKPOINT, start, end, t, space)
        expected = styles(CHECKPOINT, there)
        step = (styles(CHECKPOINT, near) - expected).abs().max()
        assert step <= 0.01 * (1 + expected.abs().max())
        for block in range(N_BLOCKS):
            noises = [block_noise(state, block, CHECKPOINT.config) for state in (near, there)]
            cubes = [torch.tensor(0.5) if noise is None else noise for noise in noises]
            assert (cubes[0] - cubes[1]).abs().max() < 0.01


def test_seeds_are_joined_by_the_great_circle_in_z_and_by_a_line_in_w():
    ends = LatentState(0, psi=0.8), LatentState(1, psi=0.8)
    for space in ("z", "w"):
        expected = list(between_seeds(CHECKPOINT, ends[0], 1, 5, space))[2]
        found = between_states(CHECKPOINT, *ends, 0.5, space)
        torch.testing.assert_close(styles(CHECKPOINT, found), styles(CHECKPOINT, expected))


@pytest.mark.parametrize("space", ["z", "w"])
def test_ways_between_nearest_centres_are_even(space):
    ends = [LatentState(seed, psi=0.2, centre="nearest") for seed in (0, 1)]
    first, last = (truncation_centres(CHECKPOINT, end) for end in ends)
    assert (first - last).abs().max() > 0
    walk = [between_states(CHECKPOINT, *ends, t, space) for t in np.linspace(0, 1, 101)]
    steps = [float((b - a).norm()) for a, b in pairwise(styles(CHECKPOINT, s) for s in walk)]
    assert max(steps) < 3 * np.mean(steps)


def test_projected_codes_are_joined_by_a_line_in_w():
    ends = projected(1), projected(2)
    middle = styles(CHECKPOINT, between_states(CHECKPOINT, *ends, 0.5))
    torch.testing.assert_close(middle, sum(styles(CHECKPOINT, end) for end in ends) / 2)


def test_a_blend_of_noises_keeps_their_variance():
    state = between_states(CHECKPOINT, LatentState(0), LatentState(1), 0.5)
    ends = [block_noise(LatentState(seed), 2, CHECKPOINT.config) for seed in (0, 1)]
    blended = block_noise(state, 2, CHECKPOINT.config)
    assert float(blended.std()) == pytest.approx(float(ends[0].std()), rel=0.1)
    halfway = sum(ends) / 2
    assert halfway.std() < 0.8 * blended.std()


def test_noise_between_the_same_seeds_is_that_noise():
    same = replace(LatentState(1), noise_seed=0)
    between = between_states(CHECKPOINT, LatentState(0), same, 0.3)
    assert between.noises == (NoiseShare(0, 1.0),)


def test_a_way_may_start_between_two_noises():
    halfway = between_states(CHECKPOINT, LatentState(0), LatentState(1), 0.5)
    onward = between_states(CHECKPOINT, halfway, LatentState(2), 0.5)
    assert {share.seed for share in onward.noises} == {0, 1, 2}
    assert sum(share.weight**2 for share in onward.noises) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("easing", EASINGS)
def test_easing_starts_at_0_and_ends_at_1_without_going_back(easing):
    shares = [EASINGS[easing](t) for t in np.linspace(0, 1, 50)]
    assert shares[0] == pytest.approx(0)
    assert shares[-1] == pytest.approx(1)
    assert shares == sorted(shares)


def test_volume_and_view_move_together_and_gamma_stays_positive():
    movie = Movie(
        (
            Keyframe(LatentState(0), Camera(zoom=1.0), Contrast(0.0, 0.5, 0.25), 2, "linear"),
            Keyframe(LatentState(0), Camera(zoom=4.0), Contrast(0.2, 1.0, 4.0), 1),
        )
    )
    middle = movie.frame(1, CHECKPOINT)
    assert middle.state == LatentState(0)
    assert middle.camera.zoom == pytest.approx(2)
    assert middle.contrast == Contrast(0.1, 0.75, 1.0)


def test_the_three_modes_of_the_published_script():
    normal = Movie(held([LatentState(0), LatentState(1)]))
    assert [normal.frame(i, CHECKPOINT).state.seed for i in range(2)] == [0, 1]

    walk = Movie(interpolation([LatentState(0), LatentState(1)]))
    assert walk.n_frames == 100
    frames = [walk.frame(i, CHECKPOINT).state for i in range(100)]
    assert {state.noises for state in frames} == {(NoiseShare(0, 1.0),)}
    published = list(between_seeds(CHECKPOINT, LatentState(0), 1, 100))
    for found, expected in zip(frames[::33], published[::33], strict=True):
        torch.testing.assert_close(styles(CHECKPOINT, found), styles(CHECKPOINT, expected))

    draws = Movie(stochastic_variation(LatentState(5, psi=0.9)))
    assert draws.n_frames == 100
    drawn = [draws.frame(i, CHECKPOINT).state for i in range(100)]
    assert {state.effective_noise_seed for state in drawn} == set(range(5, 105))
    assert len({state.seed for state in drawn}) == 1


def test_a_turntable_turns_once_without_a_jump():
    movie = Movie(turntable(edited(), Camera.of_plane("coronal"), 8), loop=True)
    frames = [movie.frame(i, CHECKPOINT) for i in range(8)]
    assert [f.camera.azimuth_deg % 360 for f in frames] == pytest.approx(range(0, 360, 45))
    assert {f.state for f in frames} == {edited()}


def test_redrawn_noise_starts_from_the_key_frame_itself():
    state = replace(edited(), noise_seed=2**64 - 1)
    movie = Movie(stochastic_variation(state, 3))
    seeds = [movie.frame(i, CHECKPOINT).state.effective_noise_seed for i in range(3)]
    assert seeds == [2**64 - 1, 0, 1]


def test_blended_noise_changes_the_volume_smoothly():
    synthesizer = Synthesizer(CHECKPOINT, "cpu", "exact")
    ends = LatentState(0, noise_seed=0), LatentState(0, noise_seed=1)
    walk = [between_states(CHECKPOINT, *ends, t) for t in np.linspace(0, 1, 5)]
    volumes = [volume.data for volume in synthesizer.render_many(walk)]
    steps = [np.abs(b - a).mean() for a, b in pairwise(volumes)]
    whole = np.abs(volumes[-1] - volumes[0]).mean()
    assert 0 < max(steps) < 0.6 * whole


@pytest.mark.parametrize(
    "make",
    [
        lambda: Movie(()),
        lambda: Movie((Keyframe(LatentState(0)),), width=65),
        lambda: Movie((Keyframe(LatentState(0)),), height=10**6),
        lambda: Movie((Keyframe(LatentState(0)),), frames_per_second=0),
        lambda: Movie((Keyframe(LatentState(0)),), colours=("#000000", "white")),
        lambda: Movie((Keyframe(LatentState(0), frames=60_000),) * 2),
        lambda: Keyframe(LatentState(0), frames=0),
        lambda: Keyframe(LatentState(0), easing="bouncy"),
        lambda: Contrast(0.5, 0.5),
        lambda: Contrast(0.0, 1.0, 0.0),
        lambda: interpolation([LatentState(0)]),
        lambda: Movie((Keyframe(LatentState(0), frames=2),)).frame(2, CHECKPOINT),
    ],
)
def test_impossible_movies_are_refused_in_one_sentence(make):
    with pytest.raises(CowganError) as refused:
        make()
    assert refused.value.sentence.endswith(".")
