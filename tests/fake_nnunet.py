"""A Python with nnU-Net that is none: a script that speaks the protocol of the runner."""

import json
import sys
from pathlib import Path

import numpy as np

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.data.image_pairs import find_image_pairs
from cowgan.segmentation.classes import Classes
from cowgan.segmentation.nnunet_dataset import NnunetDataset, export_nnunet
from cowgan.volume import Volume, default_affine, write_labels, write_nifti

CLASSES = Classes.of(TERRITORIES)
VERSIONS = {"python": "3.11", "nnunetv2": "2.8.1", "torch": "2.13.0", "gpus": 0, "mps": False}

SCRIPT = """#!{python}
import json, os, shutil, signal, subprocess, sys, time
from pathlib import Path

OWN = Path({own!r})
VERSIONS = {versions!r}
ACTIONS = {actions!r}

def say(kind, **content):
    print(json.dumps(dict(kind=kind, **content)), flush=True)

def log(text):
    print(text, file=sys.stderr, flush=True)

def fold_folder():
    folder = Path(os.environ["nnUNet_results"]) / "Dataset600_Tubes" / "Trainer__Plans__3d_fullres"
    fold = folder / "fold_{{}}".format(task["fold"])
    (fold / "validation").mkdir(parents=True, exist_ok=True)
    return fold

def finish_training():
    raw = Path(os.environ["nnUNet_raw"]) / task["dataset"]
    fold = fold_folder()
    shutil.copy(raw / "dataset.json", fold.parent)
    shutil.copy(OWN / "plans.json", fold.parent)
    (fold / "checkpoint_final.pth").write_bytes(b"weights")
    validation = fold / "validation"
    rows = []
    splits = Path(os.environ["nnUNet_preprocessed"]) / task["dataset"] / "splits_final.json"
    for name in json.loads(splits.read_text())[task["fold"]]["val"]:
        shutil.copy(raw / "labelsTr" / (name + ".nii.gz"), validation)
        rows.append(dict(prediction_file="/elsewhere/" + name + ".nii.gz"))
    (validation / "summary.json").write_text(json.dumps(dict(metric_per_case=rows, mean={{}})))

def predict():
    import nibabel, numpy
    say("ready")
    for line in sys.stdin:
        asked = json.loads(line)
        image = nibabel.load(asked["image"]).get_fdata().transpose(2, 1, 0)
        found = numpy.stack([image < 0.5, image > 5, image < -9, (image > 0.5) & (image <= 5),
                             image < -9]).astype("f4")
        numpy.savez(asked["result"] + ".npz", probabilities=found)
        say("result")

def train():
    for number in range(1, task["epochs"] + 1):
        say("progress", done=number, total=task["epochs"], message=f"epoch {{number}}")
        say("epoch", epoch=dict(number=number, train_loss=1.0, validation_loss=None,
                                dice=[0.5, None, 0.25, 0.75], seconds=1.5))
    finish_training()

task = json.loads(sys.stdin.readline())
with (OWN / "tasks.jsonl").open("a") as file:
    file.write(json.dumps(dict(task, arguments=sys.argv[1:])) + "\\n")
action = task["action"]
if action in ACTIONS:
    exec(ACTIONS[action])
elif action == "check":
    say("versions", versions=VERSIONS)
elif action == "train":
    train()
elif action == "predict":
    predict()
say("end")
"""
"""The scripts in ``ACTIONS`` replace what it does for an action."""

PLANS = {
    "configurations": {
        "3d_fullres": {
            "spacing": [0.6, 0.6, 0.6],
            "median_image_size_in_voxels": [8, 32, 32],
            "architecture": {
                "network_class_name": "dynamic_network_architectures.architectures.unet."
                "PlainConvUNet",
                "arch_kwargs": {"conv_op": "torch.nn.modules.conv.Conv3d", "dropout_op": None},
                "_kw_requires_import": ["conv_op", "dropout_op"],
            },
        }
    },
    "transpose_backward": [0, 1, 2],
}


def fake_python(folder: Path, versions: dict[str, object] | None = None, **actions: str) -> Path:
    """Write the script and return it."""
    folder.mkdir(exist_ok=True)
    (folder / "plans.json").write_text(json.dumps(PLANS), encoding="utf-8")
    path = folder / "python"
    script = SCRIPT.format(
        python=sys.executable, own=str(folder), versions=versions or VERSIONS, actions=actions
    )
    path.write_text(script, encoding="utf-8")
    path.chmod(0o755)
    return path


def tasks(python: Path) -> list[dict[str, object]]:
    """Return the tasks that the script was given."""
    lines = (python.parent / "tasks.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def export_tubes(folder: Path, count: int = 4) -> Path:
    """Export labelled cases in the territory scheme, and return their folder in nnUNet_raw."""
    rng = np.random.default_rng(0)
    for number in range(count):
        labels = np.zeros((8, 32, 32), np.uint8)
        start = int(rng.integers(2, 8))
        labels[2:5, start : start + 5, 4:28] = 4
        labels[3:7, 20:26, start : start + 12] = 2
        affine = default_affine(labels.shape)
        image = Volume(labels.astype(np.float32), affine)
        write_nifti(image, folder / "images" / f"case-{number}.nii.gz")
        write_labels(labels, affine, folder / "labels" / f"case-{number}.nii.gz")
    pairs = find_image_pairs(folder / "images", folder / "labels")
    return export_nnunet(pairs, TERRITORIES, folder / "data", NnunetDataset(600, "Tubes", 2))
