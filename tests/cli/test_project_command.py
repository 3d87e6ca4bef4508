"""``cowgan project`` and ``cowgan fit-encoder``."""

import json
from unittest.mock import patch

import checkpoint_files as files
import numpy as np
import pytest
from command_line import cowgan

from cowgan.checkpoint import load, save
from cowgan.cli.console import BarProgress
from cowgan.latent.encoder_files import stored_encoder
from cowgan.latent.projection_files import read_projection
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume import read_volume, write_nifti

pytestmark = pytest.mark.usefixtures("single_threaded")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    save(files.lively(), path)
    return path


@pytest.fixture(scope="module")
def scan(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "scan.nii.gz"
    write_nifti(Synthesizer(load(model), "cpu").render(LatentState(7)), path)
    return path


def test_a_projection_is_a_folder_that_can_be_opened_again(model, scan, tmp_path):
    out = tmp_path / "result"
    done = cowgan("project", scan, "-c", model, "--stage", "w", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "vessel Dice" in done.stdout
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert report["complete"]
    assert {"psnr", "ssim", "vessel_dice"} <= set(report)
    checkpoint = load(model)
    assert report["checkpoint"]["sha256"] == checkpoint.sha256
    state, tuning = read_projection(out, checkpoint)
    assert tuning is None
    projected, original = read_volume(out / "projected.nii.gz"), read_volume(scan)
    again = Synthesizer(checkpoint, "cpu").render(state)
    assert np.abs(again.data - projected.data).mean() < 0.01
    np.testing.assert_allclose(projected.affine, original.affine, atol=1e-4)
    assert projected.provenance["projection"]["scan"]["sha256"] == report["scan"]["sha256"]
    assert projected.synthetic
    again = cowgan("project", scan, "-c", model, "--out", out)
    assert again.returncode == 2
    assert "exists" in again.stderr


def test_an_interrupted_projection_keeps_the_best_so_far(model, scan, tmp_path):
    def interrupted(self, done, total, message=""):
        if done == 5:
            self.interrupt()

    with patch.object(BarProgress, "report", interrupted):
        done = cowgan("project", scan, "-c", model, "--out", tmp_path / "result")
    assert done.returncode == 0, done.stderr
    assert "Stopped early" in done.stdout
    report = json.loads((tmp_path / "result" / "report.json").read_text("utf-8"))
    assert not report["complete"]
    assert report["steps"] == 5


def test_what_is_no_image_is_refused_in_a_sentence(model, tmp_path):
    (tmp_path / "scan.nii.gz").write_bytes(b"no image")
    done = cowgan("project", tmp_path / "scan.nii.gz", "-c", model, "--out", tmp_path / "result")
    assert done.returncode == 2
    assert not (tmp_path / "result").exists()
    assert "Traceback" not in done.stderr


def test_an_encoder_is_written_beside_the_model(model):
    done = cowgan("fit-encoder", "-c", model, "--samples", 10)
    assert done.returncode == 0, done.stderr
    assert stored_encoder(load(model)) is not None
    assert cowgan("fit-encoder", "-c", model).returncode == 2
