"""Tests of the command ``cowgan attributes``."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from command_line import cowgan

from cowgan.checkpoint import Checkpoint, load, save
from cowgan.latent.attribute_files import load_attributes
from cowgan.networks import NetworkConfig
from cowgan.segmentation import artery_attributes, attribute_samples

pytestmark = pytest.mark.usefixtures("single_threaded")


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "small.safetensors"
    config = NetworkConfig(16, 8, 4, 16, latent_dim=12, style_depth=2)
    save(Checkpoint.random(config, seed=4, discriminator=False), path)
    return path


@pytest.fixture
def measurements(monkeypatch, tmp_path):
    """Measure the mean intensity alone, and keep samples in the folder of the test."""

    def values(volume, segmenter=None):
        unknown = dict.fromkeys(artery_attributes.ATTRIBUTES, np.nan)
        return unknown | {"volume_mm3": float(1000 * volume.data.mean(dtype=np.float64))}

    segmenter = SimpleNamespace(models=[SimpleNamespace(sha256="none")])
    monkeypatch.setattr(artery_attributes, "artery_segmenter", lambda device: segmenter)
    for module in (artery_attributes, attribute_samples):
        monkeypatch.setattr(module, "measured_values", values)
    monkeypatch.setattr(attribute_samples, "user_cache_path", lambda *_, **__: tmp_path / "cache")


def test_directions_of_a_model_are_written_and_printed(model, measurements, tmp_path):
    out = tmp_path / "found.json"
    command = ("attributes", "--checkpoint", model, "--samples", 150, "--out", out)
    done = cowgan(*command, "--json")
    assert done.returncode == 0, done.stderr
    (printed,) = json.loads(done.stdout)["attributes"]
    (stored,) = load_attributes(out, load(model)).directions
    assert printed["attribute"] == stored.attribute == "volume_mm3"
    assert printed["per_sigma"] == stored.per_sigma > 0

    refused = cowgan(*command)
    assert refused.returncode == 2
    assert "--overwrite" in refused.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--out", "found.txt"), ".json"),
        (("--out", "found.json", "--samples", 10), "100"),
        (("--out", "found.json", "--apart-from", "age"), "volume_mm3"),
    ],
)
def test_a_request_that_cannot_be_met_ends_in_a_sentence(tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    refused = cowgan("attributes", *options)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert not list(tmp_path.iterdir())
