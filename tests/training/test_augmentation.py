import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cowgan.training.augmentation import augment, cutout, draw_parameters, flip, translate

SHAPE = (8, 16, 12)


def volumes(n: int = 3) -> torch.Tensor:
    return torch.rand(n, 1, *SHAPE, generator=torch.Generator().manual_seed(0)) + 0.5


shifts = st.tuples(st.integers(-7, 7), st.integers(-15, 15), st.integers(-11, 11))


@given(st.lists(shifts, min_size=3, max_size=3))
@settings(max_examples=40)
def test_a_shift_moves_every_voxel_and_wraps_none(wanted: list[tuple[int, int, int]]) -> None:
    moved = translate(volumes(), torch.tensor(wanted))
    for before, after, (dz, dx, dy) in zip(volumes(), moved, wanted, strict=True):
        expected = torch.zeros(1, *SHAPE)
        for z in range(SHAPE[0]):
            for x in range(SHAPE[1]):
                if 0 <= z - dz < SHAPE[0] and 0 <= x - dx < SHAPE[1]:
                    low, high = max(dy, 0), SHAPE[2] + min(dy, 0)
                    expected[0, z, x, low:high] = before[0, z - dz, x - dx, low - dy : high - dy]
        assert torch.equal(after, expected)


def test_no_shift_changes_nothing() -> None:
    assert torch.equal(translate(volumes(), torch.zeros(3, 3, dtype=torch.long)), volumes())


def test_shifts_are_even_in_both_directions() -> None:
    drawn = draw_parameters(20_000, SHAPE, 1.0, torch.Generator().manual_seed(0)).shift
    for axis, reach in enumerate((1, 2, 2)):
        values, counts = drawn[:, axis].unique(return_counts=True)
        assert values.tolist() == list(range(-reach, reach + 1))
        assert counts.float().std() / counts.float().mean() < 0.05


def test_cutout_blanks_one_box_and_every_voxel_equally_often() -> None:
    n = 20_000
    drawn = draw_parameters(n, SHAPE, 1.0, torch.Generator().manual_seed(1))
    blanked = torch.zeros(SHAPE)
    for part in range(0, n, 500):
        chosen = slice(part, part + 500)
        ones = torch.ones(500, 1, *SHAPE)
        kept = cutout(ones, drawn.corner[chosen], drawn.cut[chosen])
        blanked += (kept == 0).sum((0, 1))
    share = blanked / n
    assert share.std() / share.mean() < 0.05
    inner = cutout(volumes(1), torch.tensor([[2, 4, 3]]), torch.tensor([True]))
    assert (inner[0, 0, 2:6, 4:12, 3:9] == 0).all()
    assert (inner == 0).sum() == 4 * 8 * 6


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_each_change_happens_as_often_as_asked(probability: float) -> None:
    drawn = draw_parameters(10_000, SHAPE, probability, torch.Generator().manual_seed(2))
    assert drawn.moved.float().mean().item() == pytest.approx(probability, abs=0.015)
    assert drawn.cut.float().mean().item() == pytest.approx(probability, abs=0.015)


def test_probability_zero_changes_nothing() -> None:
    drawn = draw_parameters(3, SHAPE, 0.0, torch.Generator().manual_seed(3))
    assert torch.equal(augment(volumes(), drawn), volumes())


def test_augmentation_lets_gradients_through() -> None:
    inputs = volumes().double().requires_grad_()
    drawn = draw_parameters(3, SHAPE, 1.0, torch.Generator().manual_seed(4))
    assert torch.autograd.gradcheck(lambda v: augment(v, drawn).square().sum(), (inputs,))


def test_flipping_swaps_left_and_right_of_the_chosen_only() -> None:
    flipped = flip(volumes(), torch.tensor([True, False, True]))
    assert torch.equal(flipped[1], volumes()[1])
    assert torch.equal(flipped[0, 0, :, 0], volumes()[0, 0, :, -1])
