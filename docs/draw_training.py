"""Draw how the training of the bundled model went, and print the table of its stages.

Usage: python docs/draw_training.py FOLDER

The folder is that of examples/train_bundled_model.py. Writes bundled_curves.png to docs/images.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from cowgan.training.config import TrainingConfig
from cowgan.training.config_files import CONFIG_FILE, read_config
from cowgan.training.log import LOG_FILE, LogFollower

PICTURE = Path(__file__).parent / "images" / "bundled_curves.png"
SMOOTHED_STEPS = 25
PAIRED_STYLES = [("C0", "-"), ("C0", "--"), ("C1", "-"), ("C1", "--")]
PANELS = {
    "loss": {"generator": "generator", "discriminator": "discriminator"},
    "kernel distance": {"kernel_distance": "generated", "kernel_distance_of_reals": "real"},
    "recall": {"recall": "generated", "recall_of_reals": "real"},
    "correlation of MIPs": {
        "mip_correlation": "generated, mean",
        "mip_correlation_of_reals": "real, mean",
        "mip_correlation_nearest": "generated, nearest",
        "mip_correlation_nearest_of_reals": "real, nearest",
    },
}


def read_log(run: Path) -> dict[str, NDArray[np.float64]]:
    """Return the columns of a log; what was not measured is not a number."""
    _, rows = LogFollower(run / LOG_FILE).read()
    names = {"step", "seconds", *(name for panel in PANELS.values() for name in panel)}
    return {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}


def draw(axes: Axes, title: str, log: dict[str, NDArray[np.float64]], start_h: float) -> None:
    """Draw one stage into a panel: real values dashed, losses as a mean over some steps."""
    styles = [("C0", "-"), ("C1", "-")] if title == "loss" else PAIRED_STYLES
    for (name, label), (colour, line) in zip(PANELS[title].items(), styles, strict=False):
        known = np.isfinite(log[name])
        hours, values = start_h + log["seconds"][known] / 3600, log[name][known]
        if title == "loss":
            window = np.ones(SMOOTHED_STEPS)
            counted = np.convolve(np.ones_like(values), window, "same")
            values = np.convolve(values, window, "same") / counted
        axes.plot(hours, values, color=colour, linestyle=line, label=label if start_h == 0 else "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    figure, panels = plt.subplots(len(PANELS), figsize=(10, 10), sharex=True, layout="constrained")
    start_h = 0.0
    print("| voxels | volumes per step | steps | minutes |\n|---|---|---|---|")
    for run in sorted(parser.parse_args().folder.glob("run_*")):
        log, config = read_log(run), read_config(run / CONFIG_FILE, TrainingConfig())
        for axes, title in zip(panels, PANELS, strict=True):
            axes.axvline(start_h, color="lightgrey", linewidth=1)
            draw(axes, title, log, start_h)
        voxels = " × ".join(map(str, config.network.volume_shape))
        minutes = log["seconds"][-1] / 60
        print(f"| {voxels} | {config.batch} | {len(log['step']):,} | {minutes:.0f} |")
        start_h += minutes / 60
    for axes, title in zip(panels, PANELS, strict=True):
        axes.set_ylabel(title)
        axes.legend(ncols=4, frameon=False, fontsize="small")
    panels[-1].set_xlabel("hours of training")
    figure.savefig(PICTURE, dpi=100)
