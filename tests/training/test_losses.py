import numpy as np
import pytest
import torch
from torch import nn

from cowgan.checkpoint import load
from cowgan.training import losses


@pytest.fixture
def logits() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    real, fake = 2 * torch.randn(2, 6, generator=generator, dtype=torch.float64)
    return real.requires_grad_(), fake.requires_grad_()


@pytest.mark.parametrize(
    "term", [losses.hinge_discriminator, losses.logistic_discriminator], ids=["hinge", "logistic"]
)
def test_gradients_of_discriminator_losses(term, logits) -> None:
    assert torch.autograd.gradcheck(term, logits)


@pytest.mark.parametrize(
    "term", [losses.hinge_generator, losses.logistic_generator], ids=["hinge", "logistic"]
)
def test_gradients_of_generator_losses(term, logits) -> None:
    assert torch.autograd.gradcheck(term, logits[1:])


@pytest.mark.parametrize(
    ("discriminator", "generator"),
    [
        (losses.hinge_discriminator, losses.hinge_generator),
        (losses.logistic_discriminator, losses.logistic_generator),
    ],
    ids=["hinge", "logistic"],
)
def test_lower_is_more_real(discriminator, generator) -> None:
    low, high = torch.full((4,), -2.0), torch.full((4,), 2.0)
    assert discriminator(real=low, fake=high) < discriminator(real=high, fake=low)
    assert generator(low) < generator(high)


def test_the_logistic_loss_is_the_cross_entropy_of_real_and_fake(logits) -> None:
    real, fake = logits
    probability = [torch.sigmoid(-x) for x in (real, fake)]
    expected = -(probability[0].log() + (1 - probability[1]).log()).mean()
    assert losses.logistic_discriminator(real, fake).item() == pytest.approx(expected.item())


def test_gradients_of_a_linear_discriminator_are_its_weights() -> None:
    weights = torch.randn(24, dtype=torch.float64)
    volumes = torch.randn(3, 1, 2, 3, 4, dtype=torch.float64)
    slope = losses.slopes(lambda v: v.flatten(1) @ weights, volumes)
    assert torch.allclose(slope, weights.norm().expand(3))
    assert losses.one_centred_penalty(slope) == pytest.approx((weights.norm().item() - 1) ** 2)
    assert losses.r1_penalty(slope) == pytest.approx(weights.square().sum().item() / 2)


def test_penalties_can_be_trained_on() -> None:
    """The penalty's gradient by the weights, against finite differences."""
    net = nn.Sequential(nn.Conv3d(1, 2, 3), nn.Softplus(), nn.Flatten(), nn.LazyLinear(1)).double()
    volumes = torch.randn(2, 1, 4, 4, 4, dtype=torch.float64)
    net(volumes)

    def penalty(weight: torch.Tensor, kind) -> torch.Tensor:
        parameters = {**dict(net.named_parameters()), "0.weight": weight}
        return kind(
            losses.slopes(lambda v: torch.func.functional_call(net, parameters, v)[:, 0], volumes)
        )

    weight = net[0].weight.detach().clone().requires_grad_()
    for kind in (losses.one_centred_penalty, losses.r1_penalty):
        assert torch.autograd.gradcheck(lambda w, k=kind: penalty(w, k), (weight,))


@pytest.mark.parametrize(("depth", "size"), [(32, 64), (4, 32)])
def test_verdicts_and_penalty_equal_the_published_ones(shared_dir, depth: int, size: int) -> None:
    folder = shared_dir / "parity" / f"depth{depth}_size{size}"
    with np.load(folder / "expected.npz") as file:
        expected = {name: torch.from_numpy(file[name]) for name in file.files}
    judge = load(folder / "models" / "tiny", depth).discriminator.requires_grad_(True)
    volumes = expected["d_input"]
    assert (judge(volumes) - expected["d_logits"]).abs().max() < 1e-3
    penalty = 10 * losses.one_centred_penalty(losses.slopes(judge, volumes))
    assert penalty.item() == pytest.approx(float(expected["gradient_penalty"]), rel=1e-3)


def test_path_lengths_of_a_linear_generator_follow_from_its_matrix() -> None:
    matrix = torch.randn(2 * 5, 24, dtype=torch.float64)
    styles = torch.randn(3, 2, 5, dtype=torch.float64, requires_grad=True)
    volumes = (styles.flatten(1) @ matrix).view(3, 1, 2, 3, 4)
    probe = torch.randn(3, 1, 2, 3, 4, dtype=torch.float64)
    lengths = losses.path_lengths(volumes, styles, probe)
    back = (probe.flatten(1) @ matrix.T / 24**0.5).view(3, 2, 5)
    assert torch.allclose(lengths, back.square().sum(2).mean(1).sqrt())


def test_path_lengths_can_be_trained_on() -> None:
    first = torch.randn(5, 24, dtype=torch.float64, requires_grad=True)
    styles = torch.randn(2, 1, 5, dtype=torch.float64, requires_grad=True)
    probe = torch.randn(2, 1, 2, 3, 4, dtype=torch.float64)

    def length(matrix: torch.Tensor) -> torch.Tensor:
        volumes = torch.tanh(styles.flatten(1) @ matrix).view(2, 1, 2, 3, 4)
        return losses.path_lengths(volumes, styles, probe).mean()

    assert torch.autograd.gradcheck(length, (first,))
