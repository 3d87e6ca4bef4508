"""Compare the volumes of a model with its training bank.

Usage: python docs/assess_model.py FOLDER [--volumes 200] [--pictures docs/images]

FOLDER is the output of `examples/train_bundled_model.py`: bank, runs and model. Prints the
tables of docs/bundled_model.md and draws its figures (needs matplotlib).
"""

import argparse
import csv
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import ks_2samp, wasserstein_distance

from cowgan.bank.bank import Bank
from cowgan.checkpoint import load
from cowgan.evaluation.manifolds import precision_recall_density_coverage
from cowgan.evaluation.similarity import (
    correlation_rows,
    mean_and_nearest,
    nearest,
    nearest_of_other_subjects,
    with_mirror_images,
)
from cowgan.evaluation.vessels import COLUMNS, VesselFeatures
from cowgan.features.vessel_occupancy import vessel_maps
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume import Volume, mip
from cowgan.volume.contact_sheet import contact_sheet


def vessel_features(volumes: Iterable[Volume]) -> NDArray[np.float32]:
    """Return coarse vessel maps, shape (n, features)."""
    stacked = torch.stack([torch.from_numpy(np.array(v.data))[None] for v in volumes])
    return vessel_maps(stacked).flatten(1).numpy()


def save_sheet(pictures: Iterable[NDArray[np.float32]], columns: int, path: Path) -> None:
    """Save pictures of one size as a contact sheet."""
    plt.imsave(path, contact_sheet(list(pictures), columns, 2), cmap="gray", vmin=0, vmax=1)


def measured(volumes: list[Volume]) -> NDArray[np.float32]:
    """Return what is measured of vessels, shape (n, len(COLUMNS))."""
    with ProcessPoolExecutor() as pool:
        return np.concatenate(list(pool.map(VesselFeatures(), volumes)))


def draw_distributions(sets: dict[str, NDArray[np.float32]], path: Path) -> None:
    """Draw histograms of vessel fraction, radius and number of PComs."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
    shown = (
        ("fraction", "vessel voxels, %", np.linspace(0, 10, 41)),
        ("radius_mean", "mean radius, mm", np.linspace(0.5, 2.0, 31)),
        ("sides_joined", "sides on which a PCom joins", np.arange(4) - 0.5),
    )
    keys = [column.key for column in COLUMNS]
    for axis, (key, title, bins) in zip(axes, shown, strict=True):
        for kind, rows in sets.items():
            values = rows[:, keys.index(key)]
            weights = np.full(len(values), 100 / len(values))
            axis.hist(values, bins, weights=weights, histtype="step", linewidth=1.6, label=kind)
        axis.set(xlabel=title, ylabel="volumes, %")
    axes[2].set_xticks([0, 1, 2])
    axes[0].legend(frameon=False)
    figure.savefig(path, dpi=110)


def draw_curves(runs: list[Path], path: Path) -> None:
    """Draw losses and correlation of samples over all stages."""
    figure, (losses, correlation) = plt.subplots(
        2, 1, figsize=(9, 5.5), sharex=True, layout="constrained"
    )
    before = 0.0
    for run in runs:
        with (run / "log.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        hours = np.array([float(row["seconds"]) for row in rows]) / 3600 + before
        smooth = np.ones(25) / 25
        for name, colour in (("generator", "C0"), ("discriminator", "C1")):
            values = np.array([float(row[name]) for row in rows])
            label_ = name if run == runs[0] else None
            losses.plot(
                hours[24:], np.convolve(values, smooth, "valid"), color=colour, label=label_
            )
        measured = [i for i, row in enumerate(rows) if row.get("mip_correlation")]
        for name, style, colour, title in (
            ("mip_correlation", "o-", "C2", "mean"),
            ("mip_correlation_of_reals", "--", "C2", "mean of reals"),
            ("mip_correlation_nearest", "o-", "C3", "nearest"),
            ("mip_correlation_nearest_of_reals", "--", "C3", "nearest of reals"),
        ):
            values = np.array([float(rows[i][name]) for i in measured])
            label_ = title if run == runs[0] else None
            correlation.plot(
                hours[measured], values, style, color=colour, label=label_, markersize=3
            )
        for axis in (losses, correlation):
            axis.axvline(before, color="0.8", linewidth=0.8)
        losses.annotate(
            f"{int(run.name[-3:])}" + (" voxels" if run == runs[-1] else ""),
            (before, 1),
            (3, -9),
            ("data", "axes fraction"),
            "offset points",
            fontsize=8,
            color="0.4",
        )
        before = float(hours[-1])
    losses.set_ylabel("loss")
    correlation.set(xlabel="hours of training", ylabel="correlation of MIPs")
    for axis in (losses, correlation):
        axis.legend(frameon=False, ncols=4, loc="lower right", fontsize=8)
    figure.savefig(path, dpi=110)


def print_table(sets: dict[str, NDArray[np.float32]], reference: str) -> None:
    """Print means, standard deviations and distances to the reference as Markdown."""
    print(f"| | {' | '.join(sets)} |\n|---{'|---' * len(sets)}|")
    for place, column in enumerate(COLUMNS):
        cells = []
        real = sets[reference][:, place]
        for kind, rows in sets.items():
            values = rows[:, place]
            cell = f"{values.mean():.{column.digits}f} ± {values.std():.{column.digits}f}"
            if kind != reference:
                distance = wasserstein_distance(values, real)
                cell += f" (W {distance:.2f}, KS p {ks_2samp(values, real).pvalue:.3f})"
            cells.append(cell)
        title = f"{column.title}, {column.unit}" if column.unit else column.title
        print(f"| {title} | {' | '.join(cells)} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--volumes", type=int, default=200)
    parser.add_argument("--pictures", type=Path, default=Path(__file__).parent / "images")
    given = parser.parse_args()

    synthesizer = Synthesizer(load(given.folder / "model.safetensors"))
    made = [synthesizer.render(LatentState(seed=seed)) for seed in range(given.volumes)]
    bank = Bank.open(given.folder / "bank")
    subjects = [bank.cases[int(i)].subject for i in bank.training]
    training, holdout = (
        [bank.volume(int(i)) for i in side if bank.cases[int(i)].copy == 0]
        for side in (bank.training, bank.holdout)
    )

    sets = {
        "generated": measured(made[:100]),
        "held out": measured(holdout),
        "trained on": measured(training[:100]),
    }
    print_table(sets, "held out")
    draw_distributions(sets, given.pictures / "bundled_distributions.png")

    print("\nCorrelation of axial MIPs:")
    rows = correlation_rows([mip(one) for one in made])
    same_number = correlation_rows([mip(one) for one in training[: len(made)]])
    for kind, some in (("generated", rows), ("trained on", same_number)):
        mean, closest = mean_and_nearest(some)
        print(f"{kind} ({len(some)}): mean {mean:.3f}, nearest {closest:.3f}")
    # Of either side up, as training swaps left and right.
    pictures = with_mirror_images([mip(bank.volume(int(i))) for i in bank.training])
    learned = correlation_rows(pictures)
    similarity, nearest_to = nearest(rows, learned)
    held, _ = nearest(correlation_rows([mip(one) for one in holdout]), learned)
    others = nearest_of_other_subjects(learned[: len(subjects)], subjects, learned, 2 * subjects)
    for kind, values in (
        ("generated with training", similarity),
        ("held out with training", held),
        ("training with other subjects", others),
    ):
        print(f"{kind}: mean {values.mean():.3f}, largest {values.max():.3f}")
    generated = vessel_features(made)
    for kind, volumes in (("held out", holdout), ("trained on", training)):
        found = precision_recall_density_coverage(vessel_features(volumes), generated)
        print(
            f"{kind} ({len(volumes)}): density {found.density:.2f}, coverage {found.coverage:.2f}"
        )

    save_sheet((mip(one) for one in made[:16]), 8, given.pictures / "bundled_seeds.png")
    most_similar = np.argsort(-similarity)[:8]
    pairs = [mip(made[i]) for i in most_similar] + list(pictures[nearest_to[most_similar]])
    save_sheet(pairs, 8, given.pictures / "bundled_nearest.png")
    draw_curves(sorted(given.folder.glob("run_*")), given.pictures / "bundled_curves.png")
