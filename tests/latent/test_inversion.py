"""Projection of volumes into the latent space of a small generator."""

import json

import checkpoint_files as files
import numpy as np
import pytest
import torch

from cowgan.checkpoint import BUNDLED, load, save
from cowgan.errors import CowganError
from cowgan.latent.inversion import Effort, project
from cowgan.latent.projection_loss import ProjectionLoss
from cowgan.latent.projection_target import projection_target
from cowgan.latent.tuning import load_tuning, save_tuning
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume import Volume, default_affine

pytestmark = pytest.mark.usefixtures("single_threaded")

EFFORT = Effort(style=10, half=15, full=50, tuning=30)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    save(files.lively(), path)
    return load(path)


@pytest.fixture(scope="module")
def scan(checkpoint):
    return Synthesizer(checkpoint, "cpu", "exact").render(LatentState(7))


@pytest.fixture(scope="module")
def projection(checkpoint, scan):
    return project(scan, checkpoint, "pivotal", "cpu", EFFORT)


def difference(one: Volume, other: Volume) -> float:
    return float(np.abs(one.data - other.data).mean())


class CancelAfter:
    """A progress that the user cancels."""

    def __init__(self, steps: int) -> None:
        self.steps, self.seen = steps, 0

    def report(self, done: int, total: int, message: str = "") -> None:
        self.seen = done

    @property
    def cancelled(self) -> bool:
        return self.seen >= self.steps


def test_every_stage_is_nearer_to_the_volume(checkpoint, scan, projection):
    target = torch.from_numpy(scan.data)[None, None]
    loss = ProjectionLoss(target, torch.ones_like(target))
    mean = Synthesizer(checkpoint, "cpu", "exact").render(LatentState(psi=0, noise=False))
    volumes = [mean, *(finding.volume for finding in projection.findings)]
    losses = [float(loss(torch.from_numpy(volume.data)[None, None])) for volume in volumes]
    assert [finding.stage for finding in projection.findings] == ["w", "w+", "pivotal"]
    assert losses == sorted(losses, reverse=True), losses
    assert losses[1] < 0.5 * losses[0]
    assert losses[2] < 0.5 * losses[1]
    assert projection.complete


def test_a_volume_that_the_code_and_its_noise_make_comes_back(checkpoint):
    made = Synthesizer(checkpoint, "cpu", "exact").render(LatentState(3))
    found = project(made, checkpoint, "w+", "cpu", Effort(10, 20, 150, 0)).result
    assert made.data.std() > 0.1
    assert difference(found.volume, made) < 0.03


def test_a_state_makes_the_volume_that_was_shown_with_it(checkpoint, projection):
    for finding in projection.findings:
        model = checkpoint if finding.tuning is None else finding.tuning.tuned(checkpoint)
        copy = LatentState.from_dict(json.loads(json.dumps(finding.state.to_dict())))
        assert copy == finding.state
        again = Synthesizer(model, "cpu", "exact").render(copy)
        assert difference(again, finding.volume) < 5e-4, finding.stage


def test_cancelling_keeps_the_best_so_far(checkpoint, scan):
    seen = []
    stopped = project(scan, checkpoint, "w+", "cpu", EFFORT, CancelAfter(40), on_update=seen.append)
    assert not stopped.complete
    assert len(stopped.result.losses) == 40
    mean = Synthesizer(checkpoint, "cpu", "exact").render(LatentState(psi=0, noise=False))
    assert difference(stopped.result.volume, scan) < difference(mean, scan)


def test_the_model_stays_as_it_is_and_the_tuning_lies_beside_it(checkpoint, projection, tmp_path):
    fresh = load(checkpoint.path)
    for name, weight in checkpoint.synthesis.state_dict().items():
        torch.testing.assert_close(weight, fresh.synthesis.state_dict()[name], rtol=0, atol=0)
    path = tmp_path / "tuning.safetensors"
    save_tuning(projection.result.tuning, path)
    model = load_tuning(path).tuned(fresh)
    provenance = Synthesizer(model, "cpu").provenance(projection.result.state)
    assert provenance["checkpoint"]["sha256"] == fresh.sha256
    assert provenance["checkpoint"]["tuned_to"]
    assert "tuned_to" not in Synthesizer(fresh, "cpu").provenance(LatentState())["checkpoint"]
    save(files.lively(seed=2), tmp_path / "other.safetensors")
    with pytest.raises(CowganError, match="belongs to another model"):
        load_tuning(path).tuned(load(tmp_path / "other.safetensors"))


def test_what_the_scan_does_not_show_does_not_count():
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 1, 8, 16, 16, generator=generator).requires_grad_(True)
    scan = torch.rand(1, 1, 8, 16, 16, generator=generator)
    inside = torch.ones_like(scan)
    inside[:, :, 5:] = 0
    other = torch.where(inside > 0, scan, 1 - scan)
    loss = ProjectionLoss(scan, inside)(image)
    assert ProjectionLoss(other, inside)(image) == loss
    (gradient,) = torch.autograd.grad(loss, image)
    assert (gradient[:, :, 5:] == 0).all()
    assert (gradient[:, :, :5] != 0).any()


def test_the_loss_is_least_at_the_scan_itself_at_every_size():
    scan = torch.rand(1, 1, 8, 16, 16, generator=torch.Generator().manual_seed(0))
    loss = ProjectionLoss(scan, torch.ones_like(scan))
    for shape in ((8, 16, 16), (8, 8, 8), (4, 4, 4)):
        same, _ = loss.target(shape)
        assert loss(same.flip(-1)) > loss(same) + 0.05
    assert loss(scan) < 0.05


def test_a_scan_on_another_grid_is_brought_to_that_of_the_model():
    model = load(BUNDLED)
    synthesizer = Synthesizer(model, "cpu")
    made = synthesizer.render(LatentState(5))
    nz, nx, ny = 44, 140, 150
    larger = np.zeros((nz, nx, ny), np.float32)
    larger[4:36, 6:134, 10:138] = 300 + 2000 * made.data
    target = projection_target(Volume(larger, default_affine((nz, nx, ny))), synthesizer)
    assert target.volume.shape == model.config.volume_shape
    assert 0.5 < target.inside.mean() <= 1
    assert np.all(target.volume.data[~target.inside] == 0)
    assert any("shows" in remark for remark in target.remarks)
    medians = [np.median(one) for one in (made.data, target.volume.data[target.inside])]
    assert abs(medians[0] - medians[1]) < 0.05


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_a_volume_without_contrast_is_refused(checkpoint, value):
    shape = checkpoint.config.volume_shape
    flat = Volume(np.full(shape, value, np.float32), default_affine(shape))
    with pytest.raises(CowganError, match="same value"):
        project(flat, checkpoint, "w", "cpu", EFFORT)


def test_an_unknown_stage_is_refused(checkpoint, scan):
    with pytest.raises(CowganError, match="stage"):
        project(scan, checkpoint, "z", "cpu", EFFORT)
