"""Runs nnU-Net v2 in an interpreter that has it; started by `cowgan.segmentation.nnunet_process`.

A script, which imports nothing of this program. It reads a task, one line of JSON, from standard
input, and prints what it did as lines of JSON on standard output. All that nnU-Net prints goes to
standard error. The end of standard input ends the task and all its processes, so that none of
them outlives the program that started it.
"""

import json
import math
import os
import platform
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

CONFIGURATION = "3d_fullres"
PLANS, SMALL_PLANS = "nnUNetPlans", "nnUNetSmallPlans"
LATEST, FINAL = "checkpoint_latest.pth", "checkpoint_final.pth"
VALIDATION_PART = 5
"""An epoch has as many iterations of validation as nnU-Net's: a fifth of those of training."""

SMALL_CHANNELS = (16, 32, 64, 128)
SMALL_PATCH = 64
UNFINISHED = "preprocessing_unfinished"
_REPORT_EVERY_S = 0.5
_DEAD_HELPER = ("no longer alive", "background worker is 6 feet under", "workers died")
"""What nnU-Net says of a process that is gone."""


class Parent:
    """The program that started this script.

    Standard input and output become its own, so that neither what nnU-Net prints nor the processes
    that nnU-Net forks get in the way: those close ``sys.stdin``, and would wait for ever for the
    lock of a thread that reads it.
    """

    def __init__(self) -> None:
        self._input, self._output = (
            os.fdopen(os.dup(number), mode, encoding="utf-8")
            for number, mode in ((0, "r"), (1, "w"))
        )
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        self._reported_at = 0.0
        self._busy = True
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def next_task(self) -> dict[str, Any] | None:
        """Wait for a task and return it, or None at the end of standard input."""
        self._busy = False
        line = self._lines.get()
        self._busy = True
        return json.loads(line) if line else None  # noqa: TID251 - nothing of this program

    def say(self, kind: str, **content: Any) -> None:
        """Print one report."""
        print(json.dumps({"kind": kind, **content}), file=self._output, flush=True)

    def progress(self, done: int, total: int, message: str) -> None:
        """Report progress, at most twice a second."""
        if time.monotonic() - self._reported_at >= _REPORT_EVERY_S or done == total:
            self._reported_at = time.monotonic()
            self.say("progress", done=done, total=total, message=message)

    def _read(self) -> None:
        for line in self._input:
            self._lines.put(line)
        if self._busy:
            _end_all_processes()
        self._lines.put("")


def main() -> int:
    """Do one task, and return the exit status: 0, or 1 if it failed."""
    # The folder of this script, whose modules must not stand in for those that nnU-Net imports.
    sys.path.pop(0)
    parent = Parent()
    actions: dict[str, Callable[..., None]] = {
        "check": check,
        "prepare": prepare,
        "train": train,
        "predict": predict,
    }
    task = parent.next_task()
    if task is None:
        return 0
    try:
        actions[task.pop("action")](parent, **task)
    except Exception as error:  # noqa: BLE001 - every failure must reach the user
        parent.say("problem", message=_sentence(error), detail=traceback.format_exc())
        return 1
    parent.say("end")
    return 0


def check(parent: Parent) -> None:
    """Report the versions of nnU-Net, torch and Python, and which GPUs there are."""
    found: dict[str, Any] = {"python": platform.python_version(), "nnunetv2": "", "torch": ""}
    for package in ("nnunetv2", "torch"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    gpus, mps = 0, False
    if found["nnunetv2"] and found["torch"]:
        import torch
        from nnunetv2.training.nnUNetTrainer import nnUNetTrainer as _  # noqa: F401

        gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
        mps = torch.backends.mps.is_available()
    parent.say("versions", versions={**found, "gpus": gpus, "mps": mps})


def prepare(parent: Parent, dataset: str) -> None:
    """Plan and preprocess a dataset, unless that has been done.

    Parameters
    ----------
    parent : Parent
        Receives reports.
    dataset : str
        Name of its folder.
    """
    from nnunetv2.configuration import default_num_processes
    from nnunetv2.experiment_planning.plan_and_preprocess_api import (
        extract_fingerprint_dataset,
        plan_experiment_dataset,
        preprocess_dataset,
    )
    from nnunetv2.paths import nnUNet_preprocessed, nnUNet_raw

    folder, raw = Path(nnUNet_preprocessed) / dataset, Path(nnUNet_raw) / dataset
    count = _json(raw / "dataset.json")["numTraining"]
    data = folder / f"{PLANS}_{CONFIGURATION}"
    unfinished = folder / UNFINISHED
    if not unfinished.exists() and (folder / f"{PLANS}.json").exists() and _cases(data) == count:
        return
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    unfinished.touch()
    number = int(dataset[len("Dataset") :].partition("_")[0])
    parent.progress(0, 0, "planning")
    extract_fingerprint_dataset(number, num_processes=default_num_processes, verbose=False)
    plan_experiment_dataset(number)
    if CONFIGURATION not in _json(folder / f"{PLANS}.json")["configurations"]:
        raise RuntimeError("nnU-Net plans no 3D network for this dataset")
    with _counted(parent, data, count, "preprocessing"):
        preprocess_dataset(number, PLANS, [CONFIGURATION], [default_num_processes])
    unfinished.unlink()


def train(
    parent: Parent,
    dataset: str,
    fold: int,
    epochs: int,
    iterations: int,
    plans: str,
    device: str,
) -> None:
    """Train a network, or continue its training, and validate it.

    Parameters
    ----------
    parent : Parent
        Receives reports.
    dataset : str
        Name of its folder.
    fold : int
        Part that validates.
    epochs, iterations : int
        Length of the training, and of an epoch.
    plans : {"default", "small"}
        Those of nnU-Net, or of a network for CPUs.
    device : str
        "cpu", "cuda" or "mps".
    """
    import torch
    from nnunetv2.paths import nnUNet_preprocessed
    from nnunetv2.training.nnUNetTrainer.variants.data_augmentation import nnUNetTrainerNoMirroring

    plain = nnUNetTrainerNoMirroring.nnUNetTrainerNoMirroring

    class Reporting(plain):  # type: ignore[misc, valid-type]
        """Reports iterations and epochs, and replaces checkpoints whole."""

        def train_step(self, batch: dict[str, Any]) -> dict[str, Any]:
            result = super().train_step(batch)
            self.steps_done += 1
            parent.progress(self.steps_done, epochs * iterations, self.described())
            return result

        def on_epoch_end(self) -> None:
            super().on_epoch_end()
            report_epoch(self, self.current_epoch)

        def described(self) -> str:
            dice = self.logger.get_value("mean_fg_dice", step=None)
            found = f", pseudo-Dice {dice[-1]:.3f}" if dice else ""
            return f"epoch {self.current_epoch + 1} of {epochs}{found}"

        def save_checkpoint(self, filename: str) -> None:
            part = Path(f"{filename}.part")
            super().save_checkpoint(str(part))
            part.replace(filename)

        def plot_network_architecture(self) -> None:
            """Leave out the drawing, which needs another program."""

    def report_epoch(trainer: Any, epoch: int) -> None:
        values = {
            name: trainer.logger.get_value(key, step=epoch - 1)
            for name, key in (
                ("train_loss", "train_losses"),
                ("validation_loss", "val_losses"),
                ("dice", "dice_per_class_or_region"),
                ("start", "epoch_start_timestamps"),
                ("end", "epoch_end_timestamps"),
            )
        }
        seconds = float(values["end"] - values["start"])
        parent.say(
            "epoch",
            epoch={
                "number": epoch,
                "train_loss": _plain(values["train_loss"]),
                "validation_loss": _plain(values["validation_loss"]),
                "dice": [_plain(value) for value in values["dice"]],
                "seconds": round(seconds, 3),
            },
        )

    # nnU-Net's own programs find a trainer by this name; what is learned is the same.
    Reporting.__name__ = plain.__name__
    folder = Path(nnUNet_preprocessed) / dataset
    chosen = _json(folder / f"{PLANS}.json")
    if plans == "small":
        chosen = small_plans(chosen)
    chosen["continue_training"] = False
    trainer = Reporting(
        chosen, CONFIGURATION, fold, _json(folder / "dataset.json"), torch.device(device)
    )
    trainer.num_epochs, trainer.num_iterations_per_epoch = epochs, iterations
    trainer.num_val_iterations_per_epoch = max(1, iterations // VALIDATION_PART)
    trainer.save_every = 1
    own = Path(trainer.output_folder)
    found = next((own / name for name in (FINAL, LATEST) if (own / name).exists()), None)
    if found is not None:
        _read_checkpoint(found)
        trainer.load_checkpoint(str(found))
        for epoch in range(1, trainer.current_epoch + 1):
            report_epoch(trainer, epoch)
    trainer.steps_done = trainer.current_epoch * iterations
    if found is None or found.name != FINAL:
        trainer.run_training()
    names = trainer.do_split()[1]
    with _counted(parent, own / "validation", len(names), "validation"):
        trainer.perform_actual_validation()


def predict(parent: Parent, model: str, folds: list[str], device: str) -> None:
    """Load a trained network; for every following task, segment an image.

    Parameters
    ----------
    parent : Parent
        Receives reports; its further tasks name an image and the start of the names of results.
    model : str
        Folder of the trained network.
    folds : list of str
        Names of the folders of its folds, whose networks are averaged.
    device : str
        "cpu", "cuda" or "mps".
    """
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    folder = Path(model)
    dataset = _json(folder / "dataset.json")
    plans = PlansManager(_json(folder / "plans.json"))
    checkpoints = [_read_checkpoint(folder / fold / FINAL) for fold in folds]
    configuration = plans.get_configuration(CONFIGURATION)
    network = nnUNetTrainer.build_network_architecture(
        plans,
        configuration,
        1,
        plans.get_label_manager(dataset).num_segmentation_heads,
        enable_deep_supervision=False,
    )
    weights = [one["network_weights"] for one in checkpoints]
    network.load_state_dict(weights[0])
    chosen = torch.device(device)
    predictor = nnUNetPredictor(device=chosen, allow_tqdm=False)
    predictor.manual_initialization(
        network.to(chosen), plans, configuration, weights, dataset, "", None
    )
    predictor.use_mirroring = False
    parent.say("ready")
    while (task := parent.next_task()) is not None:
        predictor.predict_from_files_sequential(
            [[task["image"]]], [task["result"]], save_probabilities=True
        )
        parent.say("result")


def small_plans(plans: dict[str, Any]) -> dict[str, Any]:
    """Return plans of a network of 1.4 million weights and small patches for the same data."""
    configuration = plans["configurations"][CONFIGURATION]
    architecture = configuration["architecture"]["arch_kwargs"]
    stages = min(len(SMALL_CHANNELS), architecture["n_stages"])
    strides = architecture["strides"][:stages]
    architecture |= {
        "n_stages": stages,
        "features_per_stage": list(SMALL_CHANNELS[:stages]),
        "strides": strides,
        "kernel_sizes": architecture["kernel_sizes"][:stages],
        "n_conv_per_stage": [2] * stages,
        "n_conv_per_stage_decoder": [2] * (stages - 1),
    }
    multiples = [math.prod(steps) for steps in zip(*strides, strict=True)]
    configuration["patch_size"] = [
        max(multiple, min(size, SMALL_PATCH) // multiple * multiple)
        for size, multiple in zip(configuration["patch_size"], multiples, strict=True)
    ]
    configuration["batch_size"] = 2
    plans["plans_name"] = SMALL_PLANS
    return plans


def _read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint, which must be plain data: unpickling others could run any code."""
    import numpy as np
    import torch

    number: Any = np.float64(0)
    kinds = [type(np.dtype(name)) for name in ("float32", "float64", "int64")]
    with torch.serialization.safe_globals([number.__reduce__()[0], np.dtype, *kinds]):
        return torch.load(path, map_location="cpu", weights_only=True)


@contextmanager
def _counted(parent: Parent, folder: Path, total: int, message: str) -> Iterator[None]:
    """Report progress by the files of cases that appear in a folder."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_REPORT_EVERY_S):
            parent.progress(min(_cases(folder), total), total, message)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _cases(folder: Path) -> int:
    """Return how many cases nnU-Net has preprocessed or predicted in a folder."""
    files = folder.iterdir() if folder.is_dir() else ()
    return sum(file.name.endswith((".pkl", ".nii.gz")) for file in files)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))  # noqa: TID251 - as above


def _plain(value: Any) -> float | None:
    """Return a number that JSON knows; None for an artery that is in no patch."""
    return float(value) if math.isfinite(value) else None


def _sentence(error: Exception) -> str:
    """Return what went wrong, as the end of a sentence."""
    text = str(error).strip()
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "memory ran out"
    if any(words in text for words in _DEAD_HELPER):
        return "one of its processes was killed, as happens when memory runs out"
    kind = type(error).__name__
    return f"{kind}: {text.splitlines()[0].rstrip('.')}" if text else kind


def _end_all_processes() -> None:
    """End this process and those that nnU-Net started."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGTERM)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
