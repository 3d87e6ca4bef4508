"""Train the bundled model: from artery maps to the finished file.

Usage: python train_bundled_model.py [--anatomies FILE_OR_FOLDER] [--device cuda] [FOLDER]

Anatomies are an archive of artery maps, or label maps, as for ``cowgan simulate-bank``.
Training takes most of a day on one processor core. After it was stopped or killed, run it again
with the same folder to resume. Without anatomies, every stage runs for a few steps only, with a
narrow network, on phantoms.

The model is the one closest to held-out people in the last stage. To evaluate it, run ``cowgan
evaluate --real FOLDER/bank --generated FOLDER/model.safetensors --out REPORT``.
"""

import argparse
import csv
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cowgan.bank.anatomies import read_anatomies
from cowgan.bank.bank import Bank
from cowgan.bank.from_simulation import (
    PhantomArteries,
    SimulationOptions,
    keep_centred,
    simulate_bank,
)
from cowgan.bank.split import SplitRule
from cowgan.bank.writing import BankOptions
from cowgan.checkpoint import Checkpoint, ModelCard, load, save
from cowgan.cli.console import progress_bar
from cowgan.errors import Cancelled
from cowgan.latent import default_directions, save_directions
from cowgan.networks import NetworkConfig
from cowgan.progress import Progress
from cowgan.simulate.deformation import DeformationLimits
from cowgan.synthesis import Synthesizer
from cowgan.training.config import TrainingConfig, preset
from cowgan.training.log import LOG_FILE
from cowgan.training.loop import BEST_FILE
from cowgan.training.run import export_run, resume_run, start_run
from cowgan.training.state_files import STATE_FILE
from cowgan.training.warm_start import InitialWeights

LICENCE = (
    "Weights: research use only, not for sale. The anatomies are derived from "
    "risc-mi/cerebral-artery-annotation (Apache-2.0 with Commons Clause), of IXI (CC BY-SA 3.0)."
)
LIMITS = (
    "Intensities are simulated: no real MR intensity was ever seen. Not for diagnosis. "
    "See docs/bundled_model.md for how close its arteries are to real ones."
)


@dataclass(frozen=True)
class Stage:
    """Training at one size and with fixed rates, grown from the stage before.

    The network's capacity is `width` divided by its size, so that the coarse blocks of all stages
    are alike.
    """

    size: int
    steps: int
    generator_rate: float = 4e-4
    discriminator_rate: float = 4e-4
    batch: int = 8
    width: int = 512
    fmap_max: int = 128
    texture_weight: float = 10.0

    @property
    def config(self) -> TrainingConfig:
        """Return the preset for training without a GPU, at this size."""
        network = NetworkConfig(
            self.size, min(self.size, 32), self.width // self.size, self.fmap_max, latent_dim=256
        )
        return preset("projected", network).with_changes(
            batch=self.batch,
            steps=self.steps,
            generator_rate=self.generator_rate,
            discriminator_rate=self.discriminator_rate,
            texture_weight=self.texture_weight,
            average_images=1000.0,
            average_ramp=0.15,
            save_every=50,
            sample_every=50,
            metrics_every=100,
        )


STAGES = (
    Stage(32, steps=500, texture_weight=0.0),
    Stage(64, steps=225, texture_weight=0.0),
    Stage(64, steps=300, generator_rate=2e-4, discriminator_rate=2e-4),
    Stage(128, 1500, generator_rate=2e-4, discriminator_rate=2e-4),
    Stage(128, 6000, generator_rate=1e-4, discriminator_rate=2e-4),
)
REHEARSAL = tuple(replace(stage, steps=2, width=128, fmap_max=16) for stage in STAGES)


def make_bank(folder: Path, anatomies: Path | None, progress: Progress) -> Bank:
    """Simulate TOF MRA four times on every anatomy, with halves of others too, or of phantoms."""
    jobs = os.cpu_count() or 1
    options = BankOptions(SplitRule(holdout=0.15), jobs=jobs)
    if anatomies is None:
        return simulate_bank(map(PhantomArteries, range(20)), folder, None, options, progress)
    found = read_anatomies([anatomies], jobs, progress)
    centred, _ = keep_centred(found, 8.0, jobs, progress)
    simulation = SimulationOptions(4, DeformationLimits(), joined=4)
    return simulate_bank(centred, folder, simulation, options, progress)


def train(stages: tuple[Stage, ...], folder: Path, bank: Bank, device: str) -> list[Path]:
    """Train all stages, resuming those that were started; return their runs."""
    initial_weights, runs = None, []
    for number, stage in enumerate(stages, 1):
        run = folder / f"run_{number}_{stage.size:03d}"
        with progress_bar(f"Training at {stage.size}") as progress:
            if (run / STATE_FILE).exists():
                resume_run(run, bank, device, stage.steps, progress)
            else:
                start_run(run, bank, stage.config, device, initial_weights, progress)
        initial_weights = InitialWeights.of_run(run)
        runs.append(run)
    return runs


def describe(model: Checkpoint, runs: list[Path], bank: Bank) -> ModelCard:
    """Return the card of a model of the last run: training data, duration and limits."""
    stages = {run.name: last_row(run) for run in runs}
    subjects = len({bank.cases[i].subject for i in bank.training})
    images = sum(int(row["images"]) for row in stages.values())
    hours = sum(float(row["seconds"]) for row in stages.values()) / 3600
    return ModelCard(
        "Circle of Willis, simulated TOF",
        LICENCE,
        f"{len(bank.training):,} volumes of simulated TOF MRA over the artery masks of "
        f"{subjects} subjects of IXI (sites Guys and HH).",
        f"Trained on {images:,} volumes in {hours:.1f} hours, grown from {STAGES[0].size} to "
        f"{STAGES[-1].size} voxels in plane. {LIMITS}",
        {**model.card.provenance, "bank": bank.description.origin, "stages": stages},
    )


def last_row(run: Path) -> dict[str, Any]:
    """Return length, time and last metrics of a run."""
    with (run / LOG_FILE).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    measured = [row for row in rows if row.get("mip_correlation")]
    kept = ("step", "images", "seconds")
    return {name: float(rows[-1][name]) for name in kept} | {
        name: float(value)
        for row in measured[-1:]
        for name, value in row.items()
        if name.startswith("mip_")
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train the bundled model.")
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--anatomies", type=Path)
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    bank_folder = folder / "bank"
    try:
        if bank_folder.exists():
            bank = Bank.open(bank_folder)
        else:
            with progress_bar("Simulating") as progress:
                bank = make_bank(bank_folder, given.anatomies, progress)
        stages = STAGES if given.anatomies else REHEARSAL
        runs = train(stages, folder, bank, given.device)
    except Cancelled:
        raise SystemExit(f"Stopped; run it again with {folder} to resume.") from None

    model = folder / "model.safetensors"
    export_run(runs[-1], model)
    best = runs[-1] / BEST_FILE
    found = load(best if best.exists() else model)
    if given.anatomies:
        found = replace(found, card=describe(found, runs, bank))
    save(found, model, "float16")
    checkpoint = load(model)
    with progress_bar("Finding directions") as progress:
        directions = default_directions(Synthesizer(checkpoint), progress)
    save_directions(folder / "directions.safetensors", directions, checkpoint)
    print(f"{model}: {model.stat().st_size / 1e6:.1f} MB")
