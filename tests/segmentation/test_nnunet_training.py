"""A real training of a tiny nnU-Net: planned, killed, resumed, validated, applied, scored."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from command_line import cowgan

from cowgan.anatomy.label_schemes import TOPCOW_2024
from cowgan.errors import CowganError
from cowgan.segmentation import nnunet_interpreter
from cowgan.segmentation.classes import Classes
from cowgan.segmentation.nnunet_model import open_nnunet
from cowgan.segmentation.nnunet_process import RUNNER

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Return the Python with nnU-Net that is set up on this computer, or set one up."""
    try:
        return nnunet_interpreter.remembered_interpreter()
    except CowganError:
        folder = tmp_path_factory.mktemp("nnunet")
    try:
        nnunet_interpreter.set_up(folder)
    except CowganError as error:
        pytest.skip(f"There is no Python with nnU-Net, and none can be set up: {error.sentence}")
    return nnunet_interpreter.remembered_interpreter(folder)


@pytest.fixture
def data(tmp_path, python, monkeypatch):
    monkeypatch.setattr(nnunet_interpreter, "default_folder", lambda: tmp_path / "settings")
    assert cowgan("segment", "setup-nnunet", "--python", python).returncode == 0
    assert cowgan("phantom", "--seeds", "0-5", "--out", tmp_path / "phantoms").returncode == 0
    result = cowgan(
        *("segment", "export-nnunet", "--images", tmp_path / "phantoms"),
        *("--labels", tmp_path / "phantoms", "--scheme", "topcow2024"),
        *("--folds", 3, "--out", tmp_path / "data"),
    )
    assert result.returncode == 0, result.stderr
    return tmp_path / "data"


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def train_until_killed(data, python, run):
    """Start a training in a process of its own, and kill it after its first epoch."""
    code = (
        "import sys; from pathlib import Path\n"
        "from cowgan.segmentation.nnunet_training import train_nnunet\n"
        "train_nnunet(*map(Path, sys.argv[1:]), epochs=3, iterations=4, plans='small',"
        " device='cpu')"
    )
    process = subprocess.Popen([sys.executable, "-c", code, run, data, python])
    while not (run / "log.csv").exists():
        assert process.poll() is None
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()


def runners() -> list[str]:
    listed = subprocess.run(["ps", "-eo", "stat,args"], capture_output=True, encoding="utf-8")
    lines = [line for line in listed.stdout.splitlines() if str(RUNNER) in line]
    return [line for line in lines if not line.startswith("Z")]


@pytest.mark.skipif(os.name == "nt", reason="kills processes by signals")
def test_a_training_is_killed_resumed_validated_and_applied(tmp_path, data, python) -> None:
    run = tmp_path / "run"
    train_until_killed(data, python, run)
    until = time.monotonic() + 20
    while runners() and time.monotonic() < until:
        time.sleep(0.5)
    assert runners() == []
    before = table(run / "log.csv")
    assert cowgan("segment", "predict", data, "--model", run, "--out", tmp_path).returncode == 2

    result = cowgan("segment", "train-nnunet", "--resume", run, "--device", "cpu")
    assert result.returncode == 0, result.stderr
    rows = table(run / "log.csv")
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert rows[0] == before[0]
    assert float(rows[2]["train_loss"]) < float(rows[0]["train_loss"])

    model = open_nnunet(run)
    assert model.folds == ("fold_0",)
    assert "NoMirroring" in model.folder.name
    summary = json.loads(
        (model.folder / "fold_0" / "validation" / "summary.json").read_text(encoding="utf-8")
    )
    classes = Classes.of(TOPCOW_2024)
    theirs = {
        (Path(case["prediction_file"]).name.removesuffix(".nii.gz"), value): case["metrics"][
            str(number)
        ]["Dice"]
        for case in summary["metric_per_case"]
        for number, value in enumerate(classes.values, 1)
    }
    ours = {
        (row["case"], int(row["value"])): float(row["dice"])
        for row in table(run / "validation.csv")
        if row["artery"] in TOPCOW_2024.labels.values()
    }
    assert {case for case, _ in ours} == {case for case, _ in theirs}
    for key, dice in ours.items():
        assert dice == pytest.approx(theirs[key], abs=1e-6), key

    case = min(case for case, _ in ours)
    out = tmp_path / "predicted"
    scan = tmp_path / "phantoms" / f"{case}.nii.gz"
    result = cowgan("segment", "predict", scan, "--model", run, "--out", out, "--device", "cpu")
    assert result.returncode == 0, result.stderr
    found = nib.load(out / f"{case}_dseg.nii.gz")
    np.testing.assert_allclose(found.affine, nib.load(scan).affine, atol=1e-5)
    validated = nib.load(model.folder / "fold_0" / "validation" / f"{case}.nii.gz")
    expected = classes.labels(np.asarray(validated.dataobj).astype(np.uint8))
    labels = np.asarray(found.dataobj)
    # Small pieces are dropped; nothing else changes.
    assert labels.any()
    np.testing.assert_array_equal(labels[labels > 0], expected[labels > 0])
    scored = cowgan(
        *("segment", "score", "--predicted", out / f"{case}_dseg.nii.gz"),
        *("--truth", tmp_path / "phantoms" / f"{case}_label.nii.gz", "--scheme", "topcow2024"),
        *("--out", tmp_path / "scores.csv"),
    )
    assert scored.returncode == 0, scored.stderr
