"""Tests of the command ``cowgan label-generator``."""

import labelled_generators as labelled
import pytest
from command_line import cowgan

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.checkpoint import load
from cowgan.segmentation.label_head_files import load_label_head
from cowgan.volume import read_volume, write_labels

pytestmark = pytest.mark.usefixtures("single_threaded")


@pytest.fixture
def model(tmp_path):
    return labelled.saved_generator(tmp_path).path


def test_a_head_lies_beside_the_model_whose_volumes_were_labelled(model, tmp_path):
    volumes, maps = tmp_path / "volumes", tmp_path / "maps"
    made = cowgan("generate", "--checkpoint", model, "--seeds", "0-1", "--out", volumes)
    assert made.returncode == 0, made.stderr
    for path in volumes.glob("*.nii.gz"):
        volume = read_volume(path)
        write_labels(labelled.sides_of(volume.data), volume.affine, maps / path.name)
    fit = (
        *("label-generator", "--checkpoint", model, "--annotated", volumes, "--labels", maps),
        *("--scheme", "territories", "--steps", 2),
    )
    done = cowgan(*fit)
    assert done.returncode == 0, done.stderr
    head = tmp_path / "model_1.labels.safetensors"
    assert done.stdout.replace("\n", " ").strip().endswith(str(head))
    assert load_label_head(head, load(model)).scheme is TERRITORIES

    refused = cowgan(*fit)
    assert refused.returncode == 2
    assert "--overwrite" in refused.stderr
    assert cowgan(*fit, "--overwrite").returncode == 0


def test_an_unknown_scheme_ends_in_a_sentence(model, tmp_path):
    refused = cowgan(
        *("label-generator", "--checkpoint", model, "--annotated", tmp_path, "--scheme", "mine")
    )
    assert refused.returncode == 2
    assert "territories" in refused.stderr
    assert not list(tmp_path.glob("*.labels.safetensors"))
