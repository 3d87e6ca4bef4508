"""From a latent state to the style of every block: order and reach of each step."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cowgan.checkpoint import Checkpoint, to_p, to_w
from cowgan.errors import CowganError
from cowgan.networks import NetworkConfig
from cowgan.randomness import stream
from cowgan.synthesis import (
    BlockMix,
    Direction,
    Edit,
    LatentState,
    between_seeds,
    latent,
    slerp,
    style,
    styles,
)

same = torch.testing.assert_close


def test_the_style_of_a_seed_is_its_mapped_latent(checkpoint):
    z = torch.from_numpy(stream("z", 7).standard_normal(8).astype("float32"))
    assert torch.equal(latent(7, 8), z)
    same(style(checkpoint, 7), checkpoint.mapping(z[None])[0])
    same(styles(checkpoint, LatentState(7)), style(checkpoint, 7).expand(3, -1))


def test_seeds_use_all_their_64_bits(checkpoint):
    assert not torch.equal(style(checkpoint, 1), style(checkpoint, 1 + 2**32))


def test_truncation_pulls_towards_the_mean_below_the_cutoff(checkpoint):
    full = style(checkpoint, 7)
    half = checkpoint.w_mean + 0.5 * (full - checkpoint.w_mean)
    ws = styles(checkpoint, LatentState(7, psi=0.5, cutoff=2))
    same(ws, torch.stack([half, half, full]))
    same(styles(checkpoint, LatentState(7, psi=0.5)), half.expand(3, -1))
    same(styles(checkpoint, LatentState(7, psi=0.5, cutoff=0)), full.expand(3, -1))
    same(styles(checkpoint, LatentState(7, psi=0.5, cutoff=99)), half.expand(3, -1))


def test_no_truncation_gives_the_mean_at_psi_zero_for_every_seed(checkpoint):
    for seed in (1, 2):
        assert torch.equal(
            styles(checkpoint, LatentState(seed, psi=0)), checkpoint.w_mean.expand(3, -1)
        )


def test_truncation_to_the_nearest_centre_keeps_styles_apart(checkpoint):
    centres = checkpoint.w_centres.centres
    found = styles(checkpoint, LatentState(7, psi=0, centre="nearest", mixing=(BlockMix(1, 2),)))
    for block, seed in enumerate((7, 2, 7)):
        distances = ((centres - style(checkpoint, seed)) / checkpoint.w_centres.scale).norm(dim=1)
        same(found[block], centres[distances.argmin()])
    assert not torch.equal(found[0], found[1])
    full = style(checkpoint, 7)
    half = styles(checkpoint, LatentState(7, psi=0.5, centre="nearest", cutoff=2))
    same(half, torch.stack([(full + found[0]) / 2, (full + found[0]) / 2, full]))
    assert styles(checkpoint, LatentState(7, psi=0.5, centre="nearest", cutoff=0)).shape == (3, 8)


def test_mixing_comes_before_truncation_and_directions_after(checkpoint):
    direction = Direction("d", "PCA", "w", np.ones(8), 0, 2)
    state = LatentState(
        1, psi=0.5, mixing=(BlockMix(1, 2, 0.25),), edits=(Edit(direction, 2.0, 1, 2),)
    )
    own, other, mean = style(checkpoint, 1), style(checkpoint, 2), checkpoint.w_mean
    mixed = own + 0.25 * (other - own)
    expected = [mean + 0.5 * (w - mean) for w in (own, mixed, own)]
    expected[1] = expected[1] + 2
    expected[2] = expected[2] + 2
    same(styles(checkpoint, state), torch.stack(expected))


def test_directions_in_p_are_straight_before_the_last_leaky_relu(checkpoint):
    vector = torch.linspace(-1, 1, 8)
    edit = Edit(Direction("d", "PCA", "p", vector.numpy(), 0, 2), -1.5, 0, 0)
    w = style(checkpoint, 1)
    ws = styles(checkpoint, LatentState(1, edits=(edit,)))
    same(ws[0], to_w(to_p(w) - 1.5 * vector))
    same(ws[1], w)


def test_directions_are_applied_in_order(checkpoint):
    a = Edit(Direction("a", "PCA", "p", np.ones(8), 0, 2), 3.0, 0, 2)
    b = Edit(Direction("b", "PCA", "w", -np.ones(8), 0, 2), 3.0, 0, 2)
    w = style(checkpoint, 1)
    same(styles(checkpoint, LatentState(1, edits=(a, b)))[0], to_w(to_p(w) + 3) - 3)
    same(styles(checkpoint, LatentState(1, edits=(b, a)))[0], to_w(to_p(w - 3) + 3))


def test_an_explicit_style_replaces_that_of_the_seed(checkpoint):
    row = tuple(float(i) for i in range(8))
    same(styles(checkpoint, LatentState(1, w=(row,))), torch.tensor(row).expand(3, -1))
    rows = (row, row[::-1], row)
    same(styles(checkpoint, LatentState(1, w=rows)), torch.tensor(rows))


@pytest.mark.parametrize(
    "state",
    [
        LatentState(mixing=(BlockMix(3, 1),)),
        LatentState(mixing=(BlockMix(-1, 1),)),
        LatentState(w=((0.0,) * 9,)),
        LatentState(w=()),
        LatentState(w=((),)),
        LatentState(w=((0.0,) * 8, (0.0,) * 8)),
        LatentState(w=((0.0,) * 8, (0.0,) * 8, (0.0,) * 7)),
        LatentState(edits=(Edit(Direction("d", "PCA", "w", np.ones(9), 0, 1), 1, 0, 1),)),
        LatentState(edits=(Edit(Direction("d", "PCA", "w", np.ones(8), 0, 1), 1, 0, 3),)),
        LatentState(edits=(Edit(Direction("d", "PCA", "w", np.ones(8), 0, 1), 1, -1, 1),)),
    ],
    ids=lambda state: f"{state!r:.60}",
)
def test_a_state_of_another_architecture_is_refused(checkpoint, state, single_sentence):
    with pytest.raises(CowganError) as refusal:
        styles(checkpoint, state)
    single_sentence(refusal)


def test_a_path_in_z_starts_and_ends_at_its_seeds(checkpoint):
    template = LatentState(1, psi=0.7)
    path = list(between_seeds(checkpoint, template, 2, 5))
    assert len(path) == 5
    same(torch.tensor(path[0].w[0]), style(checkpoint, 1))
    same(torch.tensor(path[-1].w[0]), style(checkpoint, 2), atol=1e-5, rtol=1e-4)
    assert {(state.psi, state.effective_noise_seed) for state in path} == {(0.7, 1)}
    middle = slerp(latent(1, 8), latent(2, 8), 0.5)
    same(torch.tensor(path[2].w[0]), checkpoint.mapping(middle[None])[0])


def test_a_path_in_w_is_straight(checkpoint):
    path = list(between_seeds(checkpoint, LatentState(1), 2, 3, "w"))
    same(torch.tensor(path[1].w[0]), (style(checkpoint, 1) + style(checkpoint, 2)) / 2)


def test_a_path_of_one_step_is_its_start(checkpoint):
    (only,) = between_seeds(checkpoint, LatentState(1), 2, 1)
    same(torch.tensor(only.w[0]), style(checkpoint, 1))


def test_spherical_interpolation_keeps_to_the_sphere_and_moves_evenly():
    a, b = torch.tensor([1.0, 0, 0]), torch.tensor([0, 1.0, 0])
    for t in (0.0, 0.25, 0.5, 1.0):
        point = slerp(a, b, t)
        same(point, torch.tensor([np.cos(t * np.pi / 2), np.sin(t * np.pi / 2), 0]).float())


def test_spherical_interpolation_of_parallel_or_opposite_latents_is_finite():
    a = torch.tensor([[1.0, 2.0]])
    same(slerp(a, 3 * a, 0.5), 2 * a)
    assert slerp(a, -a, 0.5).isfinite().all()
    assert slerp(a, torch.zeros(1, 2), 0.5).isfinite().all()


def test_states_of_two_models_are_distinguished(single_sentence):
    other = Checkpoint.random(NetworkConfig(32, 8, 2, 8, 8, 2))
    state = LatentState(mixing=(BlockMix(3, 1),))
    assert styles(other, state).shape == (4, 8)
    with pytest.raises(CowganError):
        styles(other, replace(state, w=((0.0,) * 512,)))
