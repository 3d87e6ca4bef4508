from copy import deepcopy

import numpy as np
import pytest
import torch

from cowgan.errors import CowganError
from cowgan.networks import NetworkConfig
from cowgan.networks.layers import Blur3d, Conv3d
from cowgan.training.config import TrainingConfig, preset
from cowgan.training.ema import ema_decay
from cowgan.training.sampling import real_volumes
from cowgan.training.stylegan2_discriminator import MinibatchDeviation, StyleGan2Discriminator
from cowgan.training.trainer import Trainer

NETWORK = NetworkConfig(16, 8, 2, 16, latent_dim=16, style_depth=2)


class Tubes:
    def __init__(self, bad: float | None = None) -> None:
        random = np.random.RandomState(0)
        self.data = 0.1 * random.rand(10, 1, *NETWORK.volume_shape).astype(np.float32)
        for volume, (x, y) in zip(self.data, random.randint(2, 13, (10, 2)), strict=True):
            volume[:, :, x : x + 2, y : y + 2] = 0.8
        self.bad = bad

    def __len__(self) -> int:
        return len(self.data)

    def read(self, indices):
        volumes = self.data[indices]
        return volumes if self.bad is None else np.full_like(volumes, self.bad)


def trainer(name: str = "modern", volumes: Tubes | None = None, **changes) -> Trainer:
    base = {"batch": 2, "accumulate": 2, "precision": "fp32", "path_every": 2, "path_from": 1}
    # test_linear_start.py tests the other start.
    base |= {"start": "published", "anchor_weight": 0.0, "paired": 0}
    config = preset(name, NETWORK).with_changes(**{**base, **changes})
    return Trainer(config, volumes or Tubes(), "cpu")


@pytest.fixture(autouse=True)
def one_thread(single_threaded) -> None:
    pass


@pytest.mark.parametrize("name", ["paper", "modern"])
def test_every_weight_learns(name: str) -> None:
    before = trainer(name)
    after = trainer(name)
    for _ in range(3):
        metrics = after.step()
    assert all(np.isfinite(value) for value in metrics.values())
    for network in ("generator", "discriminator"):
        pairs = zip(
            getattr(before, network).named_parameters(),
            getattr(after, network).parameters(),
            strict=True,
        )
        same = [key for (key, old), new in pairs if torch.equal(old, new)]
        # Inside the hinge's margin the last biases push real and fake alike, and cancel.
        assert [key for key in same if name != "paper" or not key.endswith("bias")] == []


def test_a_batch_in_parts_is_the_same_batch() -> None:
    """Accumulation changes nothing but rounding, where no layer looks across the batch."""
    whole = trainer("paper", batch=4, accumulate=1)
    parts = trainer("paper", batch=1, accumulate=4)
    for _ in range(3):
        whole.step()
        parts.step()
    for one, other in zip(whole.generator.parameters(), parts.generator.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("name", ["modern", "projected"])
def test_volumes_made_one_by_one_are_those_made_at_once(name: str) -> None:
    together, apart = trainer(name), trainer(name)
    apart.generator.one_by_one = True
    for _ in range(2):
        metrics = [subject.step() for subject in (together, apart)]
        assert metrics[0] == pytest.approx(metrics[1], rel=1e-3, abs=1e-4)
    for one, other in zip(
        together.generator.parameters(), apart.generator.parameters(), strict=True
    ):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


def test_no_gradient_is_left_where_none_is_used() -> None:
    subject = trainer()
    subject.step()
    grads = [p.grad for p in subject.ema.parameters()]
    assert all(g is None for g in grads)
    subject._train_generator()
    assert all(p.grad is None for p in subject.discriminator.parameters())


def test_non_finite_batches_are_skipped_and_ten_in_a_row_end_training(single_sentence) -> None:
    subject = trainer(volumes=Tubes())
    subject.step()
    weights = deepcopy(subject.discriminator.state_dict())
    subject.volumes.bad = float("nan")
    for _ in range(9):
        metrics = subject.step()
    assert metrics["skipped"] == 9
    for name, tensor in subject.discriminator.state_dict().items():
        assert torch.equal(tensor, weights[name])
        assert tensor.isfinite().all()
    subject.volumes.bad = None
    subject.step()
    assert subject.counters.bad_in_a_row == 0
    subject.volumes.bad = float("inf")
    with pytest.raises(CowganError) as refusal:
        for _ in range(10):
            subject.step()
    assert "unstable" in single_sentence(refusal)


def test_the_ema_decays_by_volumes_seen() -> None:
    assert ema_decay(10**6, 32, 10_000, 0.0) == pytest.approx(0.5 ** (32 / 10_000))
    assert ema_decay(0, 32, 10_000, 0.05) < 1e-5, "at first the EMA is the network itself"
    assert ema_decay(10_000, 32, 10_000, 0.05) == pytest.approx(0.5 ** (32 / (0.05 * 10_032)))


def test_adaptive_augmentation_moves_towards_its_target() -> None:
    subject = trainer(augment=0.5, augment_target=0.6, augment_images=100)
    subject.counters.adapt_to({"judged_real": 0.9}, subject.config)
    assert subject.counters.augment == pytest.approx(0.54)
    for _ in range(100):
        subject.counters.adapt_to({"judged_real": 0.1}, subject.config)
    assert subject.counters.augment == 0


def test_every_volume_is_seen_once_an_epoch_in_a_new_order() -> None:
    orders = []
    for epoch in range(3):
        chosen = real_volumes(10, 7, range(10 * epoch, 10 * (epoch + 1)))
        assert sorted(place for place, _ in chosen) == list(range(10))
        assert {e for _, e in chosen} == {epoch}
        orders.append([place for place, _ in chosen])
    assert orders[0] != orders[1] != orders[2]


@pytest.mark.parametrize("stride", [(1, 1, 1), (1, 2, 2), (2, 2, 2)])
@pytest.mark.parametrize("depth", [2, 4, 8])
def test_bfloat16_gradients_are_right_at_every_depth(depth: int, stride) -> None:
    generator = torch.Generator().manual_seed(0)
    layer = Conv3d(8, 16, 3, stride, padding=1)
    x = torch.randn(2, 8, depth, 8, 8, generator=generator)
    gradients = []
    for low in (False, True):
        layer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            y = layer(x)
        target = torch.randn(y.shape, generator=torch.Generator().manual_seed(1))
        (y.float() * target).sum().backward()
        gradients.append(layer.weight.grad.clone())
    error = (gradients[1] - gradients[0]).norm() / gradients[0].norm()
    assert error < 0.02


@pytest.mark.parametrize("name", ["paper", "modern"])
def test_bfloat16_steps_stay_near_float32_steps(name: str) -> None:
    exact, low = trainer(name), trainer(name, precision="bf16")
    for _ in range(3):
        metrics = exact.step(), low.step()
    for key in ("discriminator", "generator"):
        assert metrics[0][key] == pytest.approx(metrics[1][key], abs=0.15)


def test_minibatch_deviation_is_that_of_the_volumes() -> None:
    layer = MinibatchDeviation()
    same = torch.rand(1, 3, 2, 2, 2).repeat(4, 1, 1, 1, 1)
    assert layer(same)[:, 3].max() < 1e-3
    varied = torch.rand(4, 3, 2, 2, 2)
    expected = varied.var(0, unbiased=False).sqrt().mean()
    torch.testing.assert_close(layer(varied)[:, 3], expected.expand(4, 2, 2, 2), atol=1e-4, rtol=0)


@pytest.mark.parametrize("stride", [(1, 2, 2), (2, 2, 2)])
def test_blurring_with_a_stride_leaves_out_voxels_and_changes_none(stride) -> None:
    x = torch.rand(2, 3, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    z, x_, y = stride
    assert torch.equal(Blur3d(stride)(x), Blur3d()(x)[:, :, ::z, ::x_, ::y])


@pytest.mark.parametrize(("size", "depth"), [(16, 16), (16, 4), (32, 8), (32, 32)])
def test_the_modern_discriminator_takes_every_shape(size: int, depth: int) -> None:
    config = NetworkConfig(size, depth, 2, 16)
    assert StyleGan2Discriminator(config)(torch.rand(3, 1, depth, size, size)).shape == (3,)


@pytest.mark.parametrize(
    "wrong",
    [{"batch": 0}, {"loss": "wgan"}, {"generator_rate": -1.0}, {"beta1": 1.5}, {"steps": 2.5}],
)
def test_senseless_settings_are_refused(wrong, single_sentence) -> None:
    with pytest.raises(CowganError) as refusal:
        TrainingConfig(**wrong)
    assert next(iter(wrong)) in single_sentence(refusal)
