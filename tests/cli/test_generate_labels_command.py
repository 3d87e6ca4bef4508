"""Tests of ``cowgan generate --labels``."""

import json

import labelled_generators as labelled
import pytest
import torch
from command_line import cowgan, cowgan_process

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.segmentation.annotated_volumes import AnnotatedVolume
from cowgan.segmentation.label_head_files import label_head_path, save_label_head
from cowgan.segmentation.label_head_fitting import fit_label_head
from cowgan.segmentation.labelled_cases import LabelledCase
from cowgan.segmentation.segmenter_files import SegmenterModel, save_segmenter
from cowgan.segmentation.unet import SegmentationNetwork, SegmentationNetworkConfig
from cowgan.synthesis import LatentState, Synthesizer

pytestmark = pytest.mark.usefixtures("single_threaded")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Return the file of a model that has a label head beside it."""
    generator = labelled.saved_generator(tmp_path_factory.mktemp("model"))
    synthesizer = Synthesizer(generator, "cpu", "exact")
    image = synthesizer.render(LatentState(0)).data
    case = LabelledCase("seed_000000", "seed_000000", image, labelled.sides_of(image))
    volumes = [AnnotatedVolume(case, LatentState(0))]
    head = fit_label_head(volumes, TERRITORIES, synthesizer, steps=20)
    save_label_head(head, label_head_path(generator.path))
    return generator.path


def arguments(model, out, *more):
    return ("generate", "--checkpoint", model, "--seeds", "0-2", "--labels", "--out", out, *more)


def files_in(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_two_processes_write_the_files_that_one_writes(model, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    alone = cowgan(*arguments(model, one))
    assert alone.returncode == 0, alone.stderr
    together = cowgan_process(*arguments(model, two, "--device", "cpu", "--devices", 2))
    assert together.returncode == 0, together.stderr
    written = files_in(one)
    assert files_in(two) == written
    assert len([name for name in written if name.endswith(".nii.gz")]) == 6
    assert together.stdout.replace("\n", "").startswith("Saved 3 volumes with label maps")
    assert together.stdout.count("Saved") == 1, "one process speaks"


def test_networks_label_in_place_of_the_head(model, tmp_path):
    networks = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        network = SegmentationNetwork(SegmentationNetworkConfig((4, 4, 4), 1), 5)
        networks += ["--segmenter", tmp_path / f"{seed}.safetensors"]
        one = SegmenterModel(network, TERRITORIES, (0.62, 0.61875, 0.61875))
        save_segmenter(one, networks[-1])
    out = tmp_path / "out"
    done = cowgan(*arguments(model, out, "--layout", "bids-derivative", *networks, "--json"))
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [row["labels"] for row in rows] == [
        f"sub-{seed:06d}/anat/sub-{seed:06d}_desc-synthetic_dseg.nii.gz" for seed in range(3)
    ]
    assert all(0 <= row["agreement"] <= 1 for row in rows)
    assert all((out / row["image"]).exists() for row in rows)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--label-head", "x", "--segmenter", "y"), "Give either"),
        (("--least-agreement", "0.5"), "give --segmenter more than once"),
        (("--label-head", "nowhere.safetensors"), "is missing"),
    ],
)
def test_what_cannot_be_labelled_ends_in_a_sentence(model, more, words, tmp_path):
    refused = cowgan(*arguments(model, tmp_path / "out", *more))
    assert refused.returncode == 2
    assert words in refused.stderr.replace("\n", " ")
    assert not (tmp_path / "out").exists()


def test_a_model_without_a_head_says_what_to_do(tmp_path):
    lone = labelled.saved_generator(tmp_path).path
    refused = cowgan(*arguments(lone, tmp_path / "out"))
    assert refused.returncode == 2
    assert "label-generator" in refused.stderr


def test_options_of_labels_need_labels(model, tmp_path):
    refused = cowgan(
        *("generate", "--checkpoint", model, "--seeds", "0", "--out", tmp_path / "out"),
        *("--devices", 2),
    )
    assert refused.returncode == 2
    assert "need --labels" in refused.stderr.replace("\n", " ")
