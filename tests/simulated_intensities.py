"""Compare the intensities of simulated TOF MRA with those measured on a real one.

Usage: python tests/simulated_intensities.py ANATOMIES.npz [CROPS]

ANATOMIES.npz holds ``occupancy``, uint8, shape (n, x, y, z), RAS order, 0 to 255.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from scipy.ndimage import binary_dilation

from cowgan.simulate import simulate_tof

PERCENTILES = (1, 5, 25, 50, 75, 90, 95, 99, 99.9, 100)
REAL = {
    **dict(
        zip(
            (f"percentile {p:g}" for p in PERCENTILES),
            (24, 36, 84, 108, 126, 146, 218, 616, 862, 1149),
            strict=True,
        )
    ),
    "tissue, mean": 101,
    "tissue, standard deviation": 34,
    "vessel core, mean": 740,
    "noise in tissue": 9,
}
"""One clinical crop of the circle, 0.297 x 0.297 x 0.6 mm, in the scanner's units."""

TOLERANCE = 0.25
"""How far the mean over many simulated crops may lie from the real one, relative."""


def measured(image: np.ndarray, occupancy: np.ndarray) -> np.ndarray:
    """Return the entries of `REAL` for a simulated volume, relative to its median."""
    tissue = image[~binary_dilation(occupancy > 0, iterations=2)]
    curvature = image[:, 1:-1] - (image[:, 2:] + image[:, :-2]) / 2
    noise = 1.4826 * np.median(np.abs(curvature)) / np.sqrt(1.5)
    values = [*np.percentile(image, PERCENTILES), tissue.mean(), tissue.std()]
    return np.array([*values, image[occupancy >= 0.999].mean(), noise]) / np.median(image)


def real() -> np.ndarray:
    values = np.array(list(REAL.values()), float)
    return values / REAL["percentile 50"]


def load_crops(path: Path, count: int) -> list[np.ndarray]:
    """Return occupancies (z, x, y) in LAS order, spread over the file."""
    occupancy = np.load(path)["occupancy"]
    chosen = np.linspace(0, len(occupancy) - 1, count).astype(int)
    return [occupancy[i].transpose(2, 0, 1)[:, ::-1] for i in chosen]


def simulated(crops: list[np.ndarray]) -> np.ndarray:
    """Return the statistics of one simulated volume per crop, shape (crops, len(REAL))."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        return np.array(list(pool.map(_one, range(len(crops)), crops, chunksize=4)))


def _one(seed: int, crop: np.ndarray) -> np.ndarray:
    occupancy = crop / np.float32(255)
    return measured(simulate_tof(occupancy, seed=seed).data, occupancy)


def table(statistics: np.ndarray) -> str:
    low, high = np.percentile(statistics, (5, 95), axis=0)
    lines = [
        "| relative to the median | real crop | simulated, mean | 5th-95th crop | mean / real |",
        "|---|---|---|---|---|",
    ]
    for i, (name, expected) in enumerate(zip(REAL, real(), strict=True)):
        mean = statistics[:, i].mean()
        lines.append(
            f"| {name} | {expected:.2f} | {mean:.2f} | {low[i]:.2f}-{high[i]:.2f} | "
            f"{mean / expected:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    print(table(simulated(load_crops(Path(sys.argv[1]), count))))
