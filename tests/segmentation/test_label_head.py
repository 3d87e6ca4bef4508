"""Tests of the network that labels what a generator makes, and of its fitting and files."""

import labelled_generators as labelled
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.checkpoint import BUNDLED, load_bundled
from cowgan.errors import Cancelled, CowganError
from cowgan.measure.overlap import dice
from cowgan.progress import Silent
from cowgan.segmentation.annotated_volumes import read_annotated
from cowgan.segmentation.label_head import LabelHead
from cowgan.segmentation.label_head_files import (
    label_head_path,
    load_label_head,
    save_label_head,
)
from cowgan.segmentation.label_head_fitting import fit_label_head
from cowgan.segmentation.volume_labellers import HeadLabeller
from cowgan.synthesis import LatentState, Synthesizer

pytestmark = pytest.mark.usefixtures("single_threaded")


@pytest.fixture(scope="module")
def synthesizer(tmp_path_factory):
    generator = labelled.saved_generator(tmp_path_factory.mktemp("model"))
    return Synthesizer(generator, "cpu", "exact")


@pytest.fixture(scope="module")
def volumes(synthesizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("annotated")
    labelled.write_annotated(synthesizer, folder, range(6))
    return read_annotated(folder, folder, TERRITORIES, synthesizer)


@pytest.fixture(scope="module")
def model(volumes, synthesizer):
    return fit_label_head(volumes, TERRITORIES, synthesizer, steps=150)


def test_a_part_of_a_volume_has_the_logits_it_has_in_the_whole(synthesizer):
    config = synthesizer.checkpoint.config
    head = LabelHead(config, 3)
    _, features = synthesizer.render_with_features(LatentState(1))
    head.standardise([features])
    with torch.inference_mode():
        whole = head(features)
        assert whole.shape == (1, 3, *config.volume_shape)
        for part in (
            (slice(0, 8), slice(0, 16), slice(0, 16)),
            (slice(2, 5), slice(7, 8), slice(3, 16)),
            (slice(7, 8), slice(0, 5), slice(9, 12)),
        ):
            torch.testing.assert_close(head(features, part), whole[(..., *part)])


def test_a_head_labels_volumes_that_it_was_not_fitted_to(model, synthesizer):
    of_label = {labelled.LEFT: [], labelled.RIGHT: []}
    for seed in range(100, 105):
        volume, features = synthesizer.render_with_features(LatentState(seed))
        truth = labelled.sides_of(volume.data)
        classes = model.head(features)[0].argmax(0).numpy().astype(np.uint8)
        found = model.classes.labels(classes)
        for value, scores in of_label.items():
            scores.append(dice(found == value, truth == value))
    # Half the volume as one side, the best guess without looking, has a Dice of 0.26.
    assert min(map(np.mean, of_label.values())) > 0.5, of_label


def test_the_same_seed_gives_the_same_file(volumes, synthesizer, tmp_path):
    files = []
    for number, seed in enumerate((3, 3, 4)):
        files.append(tmp_path / f"{number}.safetensors")
        head = fit_label_head(volumes[:2], TERRITORIES, synthesizer, steps=3, seed=seed)
        save_label_head(head, files[-1])
    first, second, other = (file.read_bytes() for file in files)
    assert first == second
    assert first != other


def test_fitting_can_be_cancelled(volumes, synthesizer):
    class Impatient(Silent):
        steps = 0

        def report(self, done, total, message=""):
            self.steps, self.cancelled = done, done == 2

    progress = Impatient()
    with pytest.raises(Cancelled):
        fit_label_head(volumes, TERRITORIES, synthesizer, steps=50, progress=progress)
    assert progress.steps == 2


def test_a_head_is_the_same_after_it_was_saved(model, synthesizer, tmp_path):
    path = tmp_path / "head.safetensors"
    save_label_head(model, path)
    again = load_label_head(path, synthesizer.checkpoint)
    _, features = synthesizer.render_with_features(LatentState(7))
    assert torch.equal(again.head(features), model.head(features))
    assert again.scheme is TERRITORIES
    assert again.provenance == {
        "volumes": [f"seed_{seed:06d}" for seed in range(6)],
        "steps": 150,
        "seed": 0,
    }


def test_a_head_refuses_another_generator(model, tmp_path, single_sentence):
    path = tmp_path / "head.safetensors"
    save_label_head(model, path)
    with pytest.raises(CowganError) as refusal:
        load_label_head(path, labelled.saved_generator(tmp_path, seed=2))
    assert "belongs to another model" in single_sentence(refusal)


def test_a_damaged_head_is_refused(model, synthesizer, tmp_path, single_sentence):
    path = tmp_path / "head.safetensors"
    save_label_head(model, path)
    whole = path.read_bytes()
    tensors = load_file(path)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(whole[: len(whole) // 2])
    foreign = tmp_path / "foreign.safetensors"
    save_file(tensors, foreign)
    newer = tmp_path / "newer.safetensors"
    newer.write_bytes(whole.replace(b'"version":"1"', b'"version":"2"'))
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(whole.replace(b"to_logits.bias", b"to_logits.bits"))
    for file, words in (
        (cut, "damaged"),
        (foreign, "no label head"),
        (newer, "newer version"),
        (torn, "weights are not those"),
    ):
        with pytest.raises(CowganError) as refusal:
            load_label_head(file, synthesizer.checkpoint)
        assert words in single_sentence(refusal)


def test_a_head_needs_a_generator_in_a_file(volumes, single_sentence):
    unsaved = Synthesizer(labelled.files.lively(), "cpu", "exact")
    with pytest.raises(CowganError) as refusal:
        fit_label_head(volumes, TERRITORIES, unsaved, steps=1)
    assert "saved to a file" in single_sentence(refusal)


def test_a_head_lies_beside_its_model(tmp_path):
    assert label_head_path(tmp_path / "model.pt") == tmp_path / "model.labels.safetensors"


def test_the_head_of_the_package_belongs_to_its_model():
    bundled = load_bundled()
    model = load_label_head(label_head_path(BUNDLED), bundled)
    assert model.scheme is TERRITORIES
    made = HeadLabeller(Synthesizer(bundled, "cpu", "fast"), model)(LatentState(100, psi=0.8))
    # Right and left lie on their sides: x rises to the patient's left.
    of_x = np.indices(made.labels.shape)[1]
    right, left = (of_x[made.labels == value].mean() for value in (labelled.RIGHT, labelled.LEFT))
    assert right < made.labels.shape[1] / 2 < left
