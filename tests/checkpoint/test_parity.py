"""Published checkpoints against what the published code computes from them."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cowgan.checkpoint import load
from cowgan.synthesis import slerp


@pytest.fixture(scope="module", params=[(32, 64), (4, 32)], ids=lambda p: f"depth{p[0]}_size{p[1]}")
def case(request, shared_dir):
    depth, size = request.param
    folder = shared_dir / "parity" / f"depth{depth}_size{size}"
    if not folder.is_dir():
        pytest.skip(f"no reference results at {folder}")
    with np.load(folder / "expected.npz") as expected:
        tensors = {name: torch.from_numpy(expected[name]) for name in expected.files}
    checkpoint = load(folder / "models" / "tiny", depth)
    return SimpleNamespace(folder=folder, depth=depth, checkpoint=checkpoint, **tensors)


def largest_difference(actual: torch.Tensor, expected: torch.Tensor) -> float:
    assert actual.shape == expected.shape
    return float((actual - expected).detach().abs().max())


def test_a_folder_and_its_newest_file_are_the_same_checkpoint(case):
    (path,) = (case.folder / "models" / "tiny").glob("model_*.pt")
    from_file = load(path, case.depth)
    assert case.checkpoint.path == path
    assert from_file.config == case.checkpoint.config
    assert from_file.sha256 == case.checkpoint.sha256
    assert case.checkpoint.config.volume_shape == tuple(case.image.shape[2:])


def test_w_equals_the_published_result(case):
    assert largest_difference(case.checkpoint.mapping(case.z), case.w) < 1e-4


def test_volumes_equal_the_published_result(case):
    assert largest_difference(case.checkpoint.synthesis(case.w, case.noise), case.image) < 1e-4


def test_truncated_volumes_equal_the_published_result(case):
    w = case.w_mean + 0.7 * (case.w - case.w_mean)
    assert largest_difference(case.checkpoint.synthesis(w, case.noise), case.image_psi07) < 1e-4


def test_mixed_volumes_equal_the_published_result(case):
    ws = case.w[1].repeat(1, case.checkpoint.config.n_blocks, 1)
    ws[:, : int(case.mix_at)] = case.w[0]
    volume = case.checkpoint.synthesis(ws, case.noise[:1])
    assert largest_difference(volume, case.image_mix) < 1e-4


def test_verdicts_equal_the_published_result(case):
    assert largest_difference(case.checkpoint.discriminator(case.d_input), case.d_logits) < 1e-3


def test_the_gradient_penalty_and_its_gradient_go_through_the_discriminator(case):
    discriminator = load(case.checkpoint.path, case.depth).discriminator.requires_grad_(True)
    volumes = case.d_input.clone().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(volumes).sum(), volumes, create_graph=True)
    penalty = 10 * (slope.flatten(1).norm(dim=1) - 1).square().mean()
    assert penalty.item() == pytest.approx(float(case.gradient_penalty), rel=1e-3, abs=1e-4)
    penalty.backward()
    gradients = [p.grad for name, p in discriminator.named_parameters() if "conv" in name]
    assert any(g is not None and g.abs().max() > 0 for g in gradients)
    assert all(g is None or g.isfinite().all() for g in gradients)


def test_spherical_interpolation_equals_the_published_result(case):
    assert largest_difference(slerp(case.z[:1], case.z[1:2], 0.3), case.slerp03) < 1e-5


def test_the_measured_mean_style_is_near_the_published_estimate(case):
    """The reference averages 2,000 draws; its standard error bounds the difference."""
    assert largest_difference(case.checkpoint.w_mean, case.w_mean[0]) < 6 * float(
        case.w.std(0).max()
    ) / np.sqrt(2000)


def test_a_native_copy_gives_the_same_volumes(case, tmp_path: Path):
    from cowgan.checkpoint import save

    save(case.checkpoint, tmp_path / "copy.safetensors")
    copy = load(tmp_path / "copy.safetensors")
    assert torch.equal(
        copy.synthesis(case.w, case.noise), case.checkpoint.synthesis(case.w, case.noise)
    )
