"""Tests of the commands ``cowgan segment train`` and ``cowgan segment predict``."""

import csv

import nibabel as nib
import numpy as np
import pytest
from command_line import cowgan
from segmentation_cases import TINY, tubes
from training_banks import LabelledTubes, make_bank

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.segmentation.classes import Classes
from cowgan.segmentation.labelled_cases import as_volume, of_bank
from cowgan.segmentation.metrics import ALL
from cowgan.segmentation.segmenter import Segmenter
from cowgan.segmentation.segmenter_files import SegmenterModel, load_segmenter, save_segmenter
from cowgan.segmentation.unet import SegmentationNetwork
from cowgan.volume import Volume, default_affine, read_labels, write_labels, write_nifti

CONFIG = """
patch_z = 8
patch_xy = 24
warm_up = 2
validate_every = 0
[network]
channels = [6, 8, 8]
"""


NOWHERE = ("--images", "nowhere", "--labels", "nowhere")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    for seed in range(3):
        image, labels = tubes(seed)
        affine = default_affine(image.shape)
        write_nifti(
            Volume(image.astype(np.float32), affine), folder / "images" / f"case_{seed}.nii.gz"
        )
        write_labels(labels, affine, folder / "labels" / f"case_{seed}.nii.gz")
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    return folder


def train(folder, *options):
    return cowgan("segment", "train", *options, "--config", folder / "config.toml")


def pairs(folder):
    return (
        *("--images", folder / "images", "--labels", folder / "labels"),
        *("--scheme", "territories"),
    )


@pytest.fixture(scope="module")
def run(folder):
    """Return the folder of a run that was trained, and then continued."""
    out = folder / "run"
    first = train(folder, *pairs(folder), "--out", out, "--steps", 3, "--seed", 1)
    assert first.returncode == 0, first.stderr
    more = cowgan("segment", "train", "--resume", out, "--steps", 5)
    assert more.returncode == 0, more.stderr
    return out


def test_a_run_is_trained_and_continued(run) -> None:
    with (run / "log.csv").open(newline="", encoding="utf-8") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["1", "2", "3", "4", "5"]
    assert {path.name for path in run.iterdir()} >= {"config.toml", "model.safetensors"}


def test_a_label_map_lies_on_the_grid_of_the_scan_as_it_is_stored(run, folder, tmp_path) -> None:
    source = nib.load(folder / "images" / "case_0.nii.gz")
    turned = nib.Nifti1Image(source.get_fdata().transpose(1, 0, 2)[::-1], np.diag([1, -1, 1, 1]))
    turned.affine[:] = nib.orientations.inv_ornt_aff(
        np.array([[1, -1], [0, 1], [2, 1]]), turned.shape
    )
    nib.save(turned, tmp_path / "scan.nii.gz")
    result = cowgan(
        *(
            "segment",
            "predict",
            tmp_path / "scan.nii.gz",
            "--model",
            run,
            "--out",
            tmp_path / "out",
        ),
        *("--device", "cpu", "--uncertainty", "--probabilities"),
    )
    assert result.returncode == 0, result.stderr
    stored = nib.load(tmp_path / "out" / "scan_dseg.nii.gz")
    assert stored.shape == turned.shape
    np.testing.assert_allclose(stored.affine, turned.affine, atol=1e-5)
    labels, _ = read_labels(tmp_path / "out" / "scan_dseg.nii.gz")
    assert not TERRITORIES.unknown_in(labels)
    names = {path.name for path in (tmp_path / "out").glob("*.nii.gz")}
    assert names == {
        "scan_dseg.nii.gz",
        "scan_uncertainty.nii.gz",
        *(f"scan_{name}_probability.nii.gz" for name in ("posterior", "anterior", "left", "right")),
    }


def test_scans_that_cannot_be_segmented_do_not_stop_the_others(run, folder, tmp_path) -> None:
    write_nifti(Volume(np.ones((8, 20, 20)), default_affine((8, 20, 20))), tmp_path / "flat.nii.gz")
    (tmp_path / "torn.nii.gz").write_bytes((folder / "images" / "case_1.nii.gz").read_bytes()[:500])
    given = [
        tmp_path / "flat.nii.gz",
        tmp_path / "torn.nii.gz",
        folder / "images" / "case_1.nii.gz",
    ]
    out = tmp_path / "out"
    result = cowgan("segment", "predict", *given, "--model", run, "--out", out)
    assert result.returncode == 2
    assert "Saved 1 label maps" in result.stdout
    with (out / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["case"]: row for row in csv.DictReader(file)}
    assert rows["case_1"]["file"] == "case_1_dseg.nii.gz"
    assert rows["flat"]["error"] and rows["torn"]["error"]
    again = cowgan("segment", "predict", given[2], "--model", run, "--out", out)
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_an_ensemble_that_disagrees_sets_its_label_map_aside(run, folder, tmp_path) -> None:
    other = tmp_path / "other"
    assert train(folder, *pairs(folder), "--out", other, "--steps", 1).returncode == 0
    result = cowgan(
        *("segment", "predict", folder / "images" / "case_2.nii.gz", "--model", run),
        *("--model", other, "--out", tmp_path / "out", "--least-agreement", 0.99),
    )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "set_aside" / "case_2_dseg.nii.gz").exists()


def test_a_network_is_scored_on_the_subjects_that_a_bank_holds_out(tmp_path) -> None:
    bank = make_bank(tmp_path / "bank", 6, 0.5, LabelledTubes)
    cases = of_bank(bank, "holdout")
    network = SegmentationNetwork(TINY, Classes.of(cases.scheme).count)
    save_segmenter(
        SegmenterModel(network, cases.scheme, cases.spacing_mm), tmp_path / "one.safetensors"
    )
    result = cowgan(
        *("segment", "score", "--bank", tmp_path / "bank", "--model", tmp_path / "one.safetensors"),
        *("--out", tmp_path / "table.csv", "--device", "cpu"),
    )
    assert result.returncode == 0, result.stderr
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    segmenter = Segmenter([load_segmenter(tmp_path / "one.safetensors")], "cpu")
    assert {row["case"] for row in rows} == {case.name for case in cases.cases}
    for case in cases.cases:
        found = segmenter(as_volume(case.image, cases.spacing_mm)).labels > 0
        (vessel,) = [r for r in rows if (r["case"], r["artery"]) == (case.name, ALL)]
        truth = case.labels > 0
        expected = 2 * np.sum(found & truth) / (found.sum() + truth.sum())
        assert float(vessel["dice"]) == pytest.approx(expected)
    assert (tmp_path / "table_summary.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train",), "--out"),
        (("train", "--out", "run"), "--images"),
        (("train", "--out", "run", *NOWHERE, "--scheme", "territories"), "does not exist"),
        (("train", "--out", "run", *NOWHERE, "--scheme", "mine"), "scheme"),
        (("train", "--resume", "nowhere", "--bank", "nowhere"), "nowhere"),
        (("train", "--resume", "run", "--bank", "b", "--scheme", "territories"), "or a --bank"),
        (("predict", ".", "--model", "nowhere.safetensors", "--out", "out"), "nowhere"),
        (("predict", ".", "--out", "out"), "territories or topcow2024"),
        (("score", "--out", "t.csv"), "--bank and a --model"),
        (("score", "--out", "t.csv", "--bank", "b", "--truth", "t"), "--bank and a --model"),
        (("score", "--out", "t.csv", "--bank", "b", "--model", "nowhere"), "nowhere"),
        (("predict", ".", "--model", "a", "--out", "out", "--least-agreement", "0.5"), "ensemble"),
    ],
)
def test_bad_requests_end_in_one_sentence(arguments, said) -> None:
    result = cowgan("segment", *arguments)
    assert result.returncode == 2
    (sentence,) = [
        line
        for line in result.stderr.splitlines()
        if line and not line.startswith(("Training", "Scoring"))
    ]
    assert said in sentence
