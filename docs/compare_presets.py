"""Train with each preset for an equal time on one core, and compare the results.

Usage: python docs/compare_presets.py BANK FOLDER [--minutes 15]

Prints the table of docs/training.md and draws its figure (needs matplotlib). CPU time is
measured, so other work on the computer favours no preset. Presets with a run in FOLDER are not
trained again.
"""

import argparse
import csv
import time
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

from cowgan.bank.bank import Bank
from cowgan.checkpoint import load
from cowgan.errors import Cancelled
from cowgan.evaluation.similarity import correlation_rows, mean_and_nearest
from cowgan.networks import NetworkConfig
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.training.bank_subset import BankSubset
from cowgan.training.config import preset
from cowgan.training.log import LOG_FILE
from cowgan.training.run import export_run, start_run
from cowgan.volume import Volume, default_affine, mip
from cowgan.volume.contact_sheet import contact_sheet

PRESETS = ("paper", "modern", "projected")
NETWORK = NetworkConfig(32, 32, network_capacity=16, fmap_max=96, latent_dim=256)
VOLUMES = 128


@dataclass
class TimeLimit:
    """A `cowgan.progress.Progress` that cancels after some CPU time."""

    seconds: float
    start: float = field(default_factory=time.process_time)

    def report(self, done: int, total: int, message: str = "") -> None:
        """Print the number of steps."""
        print(f"\r{done} steps, {message}", end="", flush=True)

    @property
    def cancelled(self) -> bool:
        """Whether the time limit is reached."""
        return time.process_time() - self.start > self.seconds


def train(name: str, folder: Path, bank: Bank, seconds: float) -> None:
    """Train with a preset up to the time limit."""
    config = preset(name, NETWORK).with_changes(sample_every=10**9, metrics_every=0)
    try:
        start_run(folder, bank, config, "cpu", progress=TimeLimit(seconds))
    except Cancelled:
        print(f"\r{name}: done")


def trained_on(bank: Bank) -> list[Volume]:
    """Return training volumes, without deformed copies, at the network's size."""
    originals = [i for i in bank.training if bank.cases[int(i)].copy == 0][:VOLUMES]
    read = BankSubset(bank, NETWORK.volume_shape, originals).read(list(range(len(originals))))
    return [Volume(data, default_affine(data.shape)) for data in read[:, 0]]


def generated(run: Path) -> list[Volume]:
    """Return volumes of the first seeds from the EMA generator of a run."""
    model = run / "model.safetensors"
    export_run(run, model)
    synthesizer = Synthesizer(load(model))
    return [synthesizer.render(LatentState(seed=seed)) for seed in range(VOLUMES)]


def images_seen(run: Path) -> int:
    """Return the number of volumes that a run has seen."""
    with (run / LOG_FILE).open(newline="", encoding="utf-8") as file:
        return int(list(csv.DictReader(file))[-1]["images"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bank", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--pictures", type=Path, default=Path(__file__).parent / "images")
    given = parser.parse_args()
    torch.set_num_threads(1)
    bank = Bank.open(given.bank)
    print("| | volumes seen | mean correlation | nearest |")
    print("|---|---|---|---|")
    pictures = []
    for name in (*PRESETS, "real anatomies"):
        run = given.folder / name
        if name in PRESETS and not run.exists():
            train(name, run, bank, 60 * given.minutes)
        volumes = generated(run) if name in PRESETS else trained_on(bank)
        seen = f"{images_seen(run):,}" if name in PRESETS else ""
        mean, nearest = mean_and_nearest(correlation_rows([mip(one) for one in volumes]))
        print(f"| {name} | {seen} | {mean:.2f} | {nearest:.2f} |")
        pictures += [np.kron(mip(one), np.ones((4, 4))) for one in volumes[:8]]
    sheet = contact_sheet(pictures, 8, 2)
    plt.imsave(given.pictures / "presets.png", sheet, cmap="gray", vmin=0, vmax=1)
