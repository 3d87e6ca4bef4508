"""Tests of the nnU-Net commands with a Python that only pretends to have nnU-Net."""

import csv
import json
import os

import nibabel as nib
import numpy as np
import pytest
from command_line import cowgan
from fake_nnunet import VERSIONS, export_tubes, fake_python, tasks

from cowgan.locking import HeldLock
from cowgan.segmentation import nnunet_interpreter
from cowgan.volume import Volume, default_affine, write_nifti

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the fake Python is a shell script")


@pytest.fixture(autouse=True)
def settings(tmp_path, monkeypatch):
    monkeypatch.setattr(nnunet_interpreter, "default_folder", lambda: tmp_path / "settings")


@pytest.fixture
def raw(tmp_path):
    return export_tubes(tmp_path)


def use(tmp_path, versions=None, **actions):
    python = fake_python(tmp_path / "fake", versions, **actions)
    result = cowgan("segment", "setup-nnunet", "--python", python)
    assert result.returncode == 0, result.stderr
    return python


def train(tmp_path, *options, run="run"):
    return cowgan(
        *("segment", "train-nnunet", "--dataset", tmp_path / "data", "--out", tmp_path / run),
        *("--epochs", 2, "--iterations", 5, *options),
    )


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def sentences(result):
    return [line for line in result.stderr.splitlines() if line and "nnU-Net ━" not in line]


def test_setup_says_what_was_found(tmp_path) -> None:
    python = fake_python(tmp_path / "fake")
    result = cowgan("segment", "setup-nnunet", "--python", python)
    assert "nnU-Net 2.8.1 with torch 2.13.0, which cannot use a GPU." in result.stdout
    assert str(python) in result.stdout


def test_a_training_leaves_a_log_and_the_scores_of_its_validation(tmp_path, raw) -> None:
    python = use(tmp_path)
    result = train(tmp_path, "--fold", 1)
    assert result.returncode == 0, result.stderr
    assert "Validation: 2 cases. Mean of arteries: Dice 1.000" in result.stdout
    done = [task for task in tasks(python) if task["action"] in ("prepare", "train")]
    assert [task["action"] for task in done] == ["prepare", "train"]
    wanted = {"dataset": raw.name, "fold": 1, "epochs": 2, "iterations": 5}
    wanted |= {"plans": "small", "device": "cpu"}
    assert {name: done[1][name] for name in wanted} == wanted
    rows = table(tmp_path / "run" / "log.csv")
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert rows[1]["mean_pseudo_dice"] == "0.5"
    assert [rows[0][f"dice_{name}"] for name in ("posterior", "anterior", "left", "right")] == [
        "0.5",
        "",
        "0.25",
        "0.75",
    ]
    scores = table(tmp_path / "run" / "validation.csv")
    assert {row["artery"] for row in scores} >= {"posterior", "left"}
    assert {row["value"] for row in scores if row["artery"] == "left"} == {"4"}
    assert (tmp_path / "run" / "validation_summary.csv").exists()


def test_a_run_is_not_overwritten_and_goes_on_with_its_own_settings(tmp_path) -> None:
    export_tubes(tmp_path)
    python = use(
        tmp_path,
        train="say('epoch', epoch=dict(number=1, train_loss=1.0, validation_loss=1.0,"
        "dice=[0, 0, 0, 0], seconds=1)); log('Out of memory'); os.kill(os.getpid(), 9)",
    )
    result = train(tmp_path, "--plans", "default")
    assert result.returncode == 2
    (sentence,) = sentences(result)
    assert "killed (SIGKILL)" in sentence
    assert "Out of memory" in sentence
    assert "--resume" in sentence
    assert len(table(tmp_path / "run" / "log.csv")) == 1
    again = train(tmp_path)
    assert again.returncode == 2
    assert "holds a run already" in again.stderr
    use(tmp_path)
    resumed = cowgan("segment", "train-nnunet", "--resume", tmp_path / "run")
    assert resumed.returncode == 0, resumed.stderr
    trainings = [task for task in tasks(python) if task["action"] == "train"]
    for one in trainings:
        del one["arguments"]
    assert trainings[0] == trainings[1]
    assert trainings[1]["plans"] == "default"


def test_one_of_several_gpus_is_used_with_the_plans_for_gpus(tmp_path, raw, monkeypatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    use(
        tmp_path,
        versions=VERSIONS | {"gpus": 2},
        train="(OWN / 'seen').write_text(os.environ['CUDA_VISIBLE_DEVICES'] + str(task))\ntrain()",
    )
    refused = train(tmp_path, "--device", "cuda:2")
    assert "cannot use cuda:2, only cpu, cuda, cuda:0, cuda:1" in refused.stderr
    assert train(tmp_path, "--device", "cuda:1").returncode == 0
    seen = (tmp_path / "fake" / "seen").read_text(encoding="utf-8")
    assert seen.startswith("7{")
    assert "'plans': 'default'" in seen
    assert "'device': 'cuda'" in seen


def test_two_trainings_do_not_share_a_folder(tmp_path, raw) -> None:
    use(tmp_path)
    (tmp_path / "run").mkdir()
    lock = HeldLock(tmp_path / "run" / "run.lock")
    try:
        assert "Another training is at work" in train(tmp_path).stderr
    finally:
        lock.remove()
    assert train(tmp_path).returncode == 0


def test_without_folds_of_its_own_a_dataset_has_those_of_nnunet(tmp_path, raw) -> None:
    python = use(tmp_path, prepare="", train="sys.exit(5)")
    (tmp_path / "data" / "nnUNet_preprocessed" / raw.name / "splits_final.json").unlink()
    assert "those of Dataset600_Tubes are 0 to 4" in train(tmp_path, "--fold", 5).stderr
    assert "exit status 5" in train(tmp_path, "--fold", 4).stderr
    assert tasks(python)[-1]["fold"] == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--fold", 2), "There is no fold 2; those of Dataset600_Tubes are 0 to 1."),
        (("--device", "cuda"), "cannot use cuda"),
        (("--device", "quantum"), "cannot use quantum, only cpu"),
    ],
)
def test_what_cannot_be_trained_is_told_before_a_folder_is_made(
    tmp_path, raw, options, said
) -> None:
    use(tmp_path)
    result = train(tmp_path, *options)
    assert result.returncode == 2
    (sentence,) = sentences(result)
    assert said in sentence
    assert not (tmp_path / "run").exists()


def test_training_needs_a_dataset_and_a_python(tmp_path) -> None:
    assert "setup-nnunet" in train(tmp_path).stderr
    use(tmp_path)
    (tmp_path / "data").mkdir()
    assert "holds no dataset of nnU-Net" in train(tmp_path).stderr
    assert "--out" in cowgan("segment", "train-nnunet", "--dataset", tmp_path).stderr
    assert "--dataset" in cowgan("segment", "train-nnunet", "--out", tmp_path / "run").stderr
    nowhere = cowgan("segment", "train-nnunet", "--resume", tmp_path / "nowhere")
    assert "could be continued" in nowhere.stderr


def test_a_dataset_with_unknown_labels_is_refused(tmp_path, raw) -> None:
    use(tmp_path)
    described = json.loads((raw / "dataset.json").read_text(encoding="utf-8"))
    described["labels"]["fifth"] = 5
    (raw / "dataset.json").write_text(json.dumps(described), encoding="utf-8")
    result = train(tmp_path)
    assert result.returncode == 2
    assert "are not those of territories" in result.stderr
    assert not (tmp_path / "run").exists()


def test_a_prediction_with_unknown_labels_is_not_scored(tmp_path, raw) -> None:
    use(
        tmp_path,
        train="finish_training(); import nibabel\n"
        "for one in (fold_folder() / 'validation').glob('*.nii.gz'):\n"
        "    image = nibabel.load(one); data = image.get_fdata().astype('u1'); data[0, 0, 0] = 9\n"
        "    nibabel.save(nibabel.Nifti1Image(data, image.affine), one)",
    )
    result = train(tmp_path)
    assert result.returncode == 2
    assert "has the class 9" in result.stderr


@pytest.fixture
def scans(tmp_path):
    """Return a folder with two volumes: one as they are made, one stored in another orientation."""
    data = np.zeros((8, 20, 30), np.float32)
    data[1:4, 2:9, 3:25] = 2
    data[5:7, 12:18, 10:16] = 9
    affine = default_affine(data.shape)
    write_nifti(Volume(data, affine), tmp_path / "scans" / "one.nii.gz")
    source = nib.load(tmp_path / "scans" / "one.nii.gz")
    turned = source.as_reoriented(np.array([[1, -1], [0, 1], [2, 1]]))
    nib.save(turned, tmp_path / "scans" / "turned.nii.gz")
    return tmp_path / "scans"


def predict(tmp_path, *options, out="out"):
    return cowgan(
        *("segment", "predict", tmp_path / "scans", "--model", tmp_path / "run"),
        *("--out", tmp_path / out, *options),
    )


def test_a_trained_network_labels_scans_on_their_own_grid(tmp_path, raw, scans) -> None:
    python = use(tmp_path)
    assert train(tmp_path).returncode == 0
    result = predict(tmp_path, "--uncertainty", "--probabilities")
    assert result.returncode == 0, result.stderr
    for name in ("one", "turned"):
        scan = nib.load(scans / f"{name}.nii.gz")
        found = nib.load(tmp_path / "out" / f"{name}_dseg.nii.gz")
        np.testing.assert_allclose(found.affine, scan.affine, atol=1e-5)
        intensities = np.asarray(scan.dataobj)
        expected = np.select([intensities > 5, intensities > 0.5], [2, 4], 0)
        np.testing.assert_array_equal(np.asarray(found.dataobj), expected)
    asked = [task for task in tasks(python) if task["action"] == "predict"]
    assert len(asked) == 1
    assert asked[0]["folds"] == ["fold_0"]
    rows = table(tmp_path / "out" / "manifest.csv")
    assert [row["file"] for row in rows] == ["one_dseg.nii.gz", "turned_dseg.nii.gz"]
    sidecar = json.loads((tmp_path / "out" / "one_dseg.json").read_text(encoding="utf-8"))
    assert "Dataset600_Tubes" in json.dumps(sidecar)
    names = {path.name for path in (tmp_path / "out").glob("one_*.nii.gz")}
    assert names >= {"one_uncertainty.nii.gz", "one_left_probability.nii.gz"}


def test_a_scan_for_which_memory_runs_out_does_not_stop_the_others(tmp_path, raw, scans) -> None:
    use(tmp_path)
    assert train(tmp_path).returncode == 0
    use(
        tmp_path,
        predict="first = not (OWN / 'died').exists(); (OWN / 'died').touch()\n"
        "if first:\n    say('ready'); sys.stdin.readline(); os.kill(os.getpid(), 9)\n"
        "predict()",
    )
    result = predict(tmp_path)
    assert result.returncode == 2
    assert "one.nii.gz: nnU-Net was killed (SIGKILL)" in result.stderr
    rows = {row["case"]: row for row in table(tmp_path / "out" / "manifest.csv")}
    assert "SIGKILL" in rows["one"]["error"]
    assert rows["turned"]["file"] == "turned_dseg.nii.gz"


def test_an_nnunet_is_used_by_itself(tmp_path, raw, scans) -> None:
    use(tmp_path)
    assert train(tmp_path).returncode == 0
    for options in (("--model", tmp_path / "run"), ("--augmented",)):
        result = predict(tmp_path, *options)
        assert result.returncode == 2
        assert "by itself" in result.stderr
    assert not (tmp_path / "out").exists()
