"""Tests of generating volumes with their label maps."""

import csv
import json

import labelled_generators as labelled
import nibabel as nib
import numpy as np
import pytest

from cowgan.anatomy.label_schemes import TERRITORIES, TOPCOW_2024
from cowgan.data.image_pairs import find_image_pairs
from cowgan.errors import Cancelled, CowganError
from cowgan.files import sha256_of
from cowgan.progress import Silent
from cowgan.segmentation.label_head import LabelHead
from cowgan.segmentation.label_head_files import (
    LabelHeadModel,
    load_label_head,
    save_label_head,
)
from cowgan.segmentation.labelled_generation import LabelledGeneration
from cowgan.segmentation.pair_layouts import BidsLayout, NnunetLayout
from cowgan.segmentation.volume_labellers import GeneratedWithLabels, HeadLabeller
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume import read_labels, read_volume

STATES = [LatentState(seed, psi=0.8) for seed in (3, 4, 5)]

pytestmark = pytest.mark.usefixtures("single_threaded")


class Divided:
    """An ensemble that disagrees on even seeds."""

    scheme = TERRITORIES

    def __init__(self, synthesizer: Synthesizer) -> None:
        self.synthesizer = synthesizer
        self.provenance = {"segmenters": ["one", "other"]}
        self.asked: list[int] = []

    def __call__(self, state, cancelled=lambda: False):
        self.asked.append(state.seed)
        volume = self.synthesizer.render(state)
        agreement = 0.95 if state.seed % 2 else 0.6
        return GeneratedWithLabels(volume, labelled.sides_of(volume.data), 0.25, agreement)


class StopsAfter(Silent):
    def __init__(self, count: int) -> None:
        self.count = count

    def report(self, done, total, message=""):
        self.cancelled = done >= self.count


@pytest.fixture(scope="module")
def synthesizer(tmp_path_factory):
    generator = labelled.saved_generator(tmp_path_factory.mktemp("model"))
    return Synthesizer(generator, "cpu", "exact")


@pytest.fixture
def labeller(synthesizer):
    return Divided(synthesizer)


def in_nnunet(labeller, folder, **options):
    return LabelledGeneration(labeller, NnunetLayout(labeller.scheme), folder, **options)


def files_in(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def manifest(folder):
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def description(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_nnunet_gets_pairs_with_consecutive_labels(labeller, synthesizer, tmp_path):
    rows = in_nnunet(labeller, tmp_path).run(STATES)
    for state, row in zip(STATES, rows, strict=True):
        name = f"seed_{state.seed:06d}"
        assert (row.image, row.labels) == (
            f"imagesTr/{name}_0000.nii.gz",
            f"labelsTr/{name}.nii.gz",
        )
        image = read_volume(tmp_path / row.image)
        np.testing.assert_array_equal(image.data, synthesizer.render(state).data)
        labels, affine = read_labels(tmp_path / row.labels)
        truth = labelled.sides_of(image.data)
        # Without "other vessel", which nobody can learn, left and right are classes 3 and 4.
        np.testing.assert_array_equal(labels, np.where(truth > 0, truth - 1, 0))
        np.testing.assert_array_equal(affine, image.affine)
        assert (sha256_of(tmp_path / row.image), sha256_of(tmp_path / row.labels)) == (
            row.image_sha256,
            row.labels_sha256,
        )
        voxel_mm3 = float(np.prod(image.spacing_mm))
        assert row.vessel_mm3 == pytest.approx(np.count_nonzero(truth) * voxel_mm3, abs=0.01)
    dataset = description(tmp_path / "dataset.json")
    assert dataset["labels"] == {
        "background": 0,
        "posterior": 1,
        "anterior": 2,
        "left": 3,
        "right": 4,
    }
    assert dataset["numTraining"] == 3
    assert [row["seed"] for row in manifest(tmp_path)] == ["3", "4", "5"]


def test_bids_gets_named_labels_of_the_scheme(labeller, tmp_path):
    rows = LabelledGeneration(labeller, BidsLayout(TERRITORIES), tmp_path).run(STATES)
    start = tmp_path / "sub-000003" / "anat" / "sub-000003_desc-synthetic"
    assert tmp_path / rows[0].image == start.with_name(start.name + "_angio.nii.gz")
    truth = labelled.sides_of(read_volume(tmp_path / rows[0].image).data)
    stored = start.with_name(start.name + "_dseg.nii.gz")
    np.testing.assert_array_equal(read_labels(stored)[0], truth)
    assert b"SYNTHETIC" in nib.load(stored).header["descrip"].tobytes()
    lines = start.with_name(start.name + "_dseg.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "index\tname\tcolor"
    assert lines[4].startswith("4\tleft\t#")
    content = description(tmp_path / "dataset_description.json")
    assert content["DatasetType"] == "derivative"
    assert content["GeneratedBy"][0]["Name"] == "napari-cowgan"


def test_nnunet_pairs_can_be_trained_on(labeller, tmp_path):
    in_nnunet(labeller, tmp_path).run(STATES)
    pairs = find_image_pairs(tmp_path / "imagesTr", tmp_path / "labelsTr")
    assert [pair.labels.name for pair in pairs] == [f"seed_{n:06d}.nii.gz" for n in (3, 4, 5)]


def test_a_stopped_run_continues_to_the_same_files(labeller, tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    in_nnunet(labeller, whole).run(STATES)
    with pytest.raises(Cancelled):
        in_nnunet(labeller, stopped).run(STATES, StopsAfter(1))
    assert [row["seed"] for row in manifest(stopped)] == ["3"]
    labeller.asked.clear()
    in_nnunet(labeller, stopped).run(STATES)
    assert labeller.asked == [4, 5]
    assert files_in(stopped) == files_in(whole)


def test_a_killed_run_leaves_no_image_without_labels(labeller, tmp_path, monkeypatch):
    from cowgan.segmentation import labelled_generation

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    in_nnunet(labeller, whole).run(STATES)
    write = labelled_generation.write_nifti

    def killed_at_the_second(volume, path):
        if "000004" in path.name:
            raise KeyboardInterrupt
        write(volume, path)

    with monkeypatch.context() as patch:
        patch.setattr(labelled_generation, "write_nifti", killed_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            in_nnunet(labeller, killed).run(STATES)
    for image in (killed / "imagesTr").glob("*.nii.gz"):
        assert (killed / "labelsTr" / image.name.replace("_0000.nii", ".nii")).exists()
    in_nnunet(labeller, killed).run(STATES)
    assert files_in(killed) == files_in(whole)


def test_pairs_that_an_ensemble_doubts_are_set_aside(labeller, tmp_path):
    rows = in_nnunet(labeller, tmp_path, least_agreement=0.8).run(STATES)
    assert [row.image.startswith("set_aside/") for row in rows] == [False, True, False]
    assert [row.agreement for row in rows] == [0.95, 0.6, 0.95]
    assert (tmp_path / "set_aside" / "labelsTr" / "seed_000004.nii.gz").exists()
    assert not (tmp_path / "imagesTr" / "seed_000004_0000.nii.gz").exists()
    assert description(tmp_path / "dataset.json")["numTraining"] == 2
    labeller.asked.clear()
    in_nnunet(labeller, tmp_path, least_agreement=0.8).run(STATES)
    assert labeller.asked == []
    # A laxer limit takes the pair back, if that is wanted.
    with pytest.raises(CowganError, match="exists already"):
        in_nnunet(labeller, tmp_path).run(STATES)
    in_nnunet(labeller, tmp_path, overwrite=True).run(STATES)
    assert labeller.asked == [4]
    assert not list((tmp_path / "set_aside").rglob("*.nii.gz"))


def test_further_seeds_join_the_folder(labeller, tmp_path):
    in_nnunet(labeller, tmp_path).run(STATES[1:])
    in_nnunet(labeller, tmp_path).run(STATES[:1])
    assert [row["seed"] for row in manifest(tmp_path)] == ["3", "4", "5"]
    assert description(tmp_path / "dataset.json")["numTraining"] == 3


def test_foreign_files_stay_as_they_are(labeller, tmp_path, single_sentence):
    target = tmp_path / "labelsTr" / "seed_000004.nii.gz"
    target.parent.mkdir()
    target.write_bytes(b"drawn by hand")
    with pytest.raises(CowganError) as refusal:
        in_nnunet(labeller, tmp_path).run(STATES)
    assert "exists already" in single_sentence(refusal)
    assert files_in(tmp_path) == {"labelsTr/seed_000004.nii.gz": b"drawn by hand"}


def test_labels_of_two_schemes_do_not_share_a_folder(labeller, tmp_path, single_sentence):
    in_nnunet(labeller, tmp_path).run(STATES[:1])
    labeller.scheme = TOPCOW_2024
    with pytest.raises(CowganError) as refusal:
        in_nnunet(labeller, tmp_path).run(STATES[1:])
    assert "holds labels of territories" in single_sentence(refusal)


def test_a_label_head_gives_labels_and_how_sure_it_is(synthesizer, tmp_path):
    generator = synthesizer.checkpoint
    head = LabelHead(generator.config, 5)
    with_no_idea = replace_logits(head, 0.0)
    path = tmp_path / "head.safetensors"
    save_label_head(LabelHeadModel(with_no_idea, TERRITORIES, generator.sha256), path)
    labeller = HeadLabeller(synthesizer, load_label_head(path, generator))
    made = labeller(STATES[0])
    np.testing.assert_array_equal(made.volume.data, synthesizer.render(STATES[0]).data)
    assert made.labels.max() == 0
    assert made.uncertainty is None
    certain = replace_logits(head, 3.0)
    save_label_head(LabelHeadModel(certain, TERRITORIES, generator.sha256), path)
    made = HeadLabeller(synthesizer, load_label_head(path, generator))(STATES[0])
    assert set(np.unique(made.labels)) == {labelled.RIGHT}
    shares = np.exp([0, 0, 0, 0, 3.0]) / np.exp([0, 0, 0, 0, 3.0]).sum()
    entropy = -(shares * np.log(shares)).sum() / np.log(5)
    assert made.uncertainty == pytest.approx(entropy, abs=1e-3)


def replace_logits(head, of_last):
    """Return the head with the same logits everywhere: 0, but for the last class."""
    head.to_logits.weight.data.zero_()
    head.to_logits.bias.data.zero_()
    head.to_logits.bias.data[-1] = of_last
    return head
