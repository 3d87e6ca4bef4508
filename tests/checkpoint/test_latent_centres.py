"""Cluster centres of w, towards which styles are truncated."""

import checkpoint_files as files
import torch

from cowgan.checkpoint.latent_centres import CENTRES, find_centres


def kinds_of_style(spread: float):
    """Return three styles, and a mapping network that scatters w around them."""
    kinds = torch.tensor([[9.0, 0, 0, 1], [-9, 0, 0, 1], [0, 7, 7, 1]])
    return kinds, lambda z: kinds[z.argmax(1) % 3] + spread * z


def test_centres_lie_among_the_kinds_of_style_and_not_between_them():
    kinds, mapping = kinds_of_style(0.1)
    found = find_centres(mapping, 4, samples=600).centres
    distances = torch.cdist(found, kinds)
    assert distances.min(1).values.max() < 0.5
    assert set(distances.argmin(1).tolist()) == {0, 1, 2}
    assert (found.mean(0) - found).norm(dim=1).min() > 3


def test_the_nearest_centre_is_measured_in_standard_deviations():
    _, mapping = kinds_of_style(0.1)
    found = find_centres(lambda z: mapping(z) * torch.tensor([1e-3, 1, 1, 1]), 4, samples=600)
    near = found.nearest(torch.tensor([[0.009, 0, 0, 1]]))[0]
    assert near[0] > 0.007
    assert near[1] < 1


def test_centres_are_the_same_every_time_and_kept():
    checkpoint = files.lively()
    first = checkpoint.w_centres
    assert first is checkpoint.w_centres
    assert first.centres.shape == (CENTRES, checkpoint.config.latent_dim)
    assert torch.equal(first.centres, find_centres(checkpoint.mapping, 8).centres)


def test_a_model_with_one_style_has_it_as_its_centres():
    only = torch.tensor([1.0, -2, 0])
    found = find_centres(lambda z: only.expand(len(z), -1), 3, samples=100)
    torch.testing.assert_close(found.nearest(torch.zeros(1, 3))[0], only)
