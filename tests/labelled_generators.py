"""A small generator in a file, and volumes of it whose bright voxels are labelled by side."""

from pathlib import Path

import checkpoint_files as files
import numpy as np
from numpy.typing import NDArray

from cowgan.checkpoint import Checkpoint, load, save
from cowgan.synthesis import LatentState, Synthesizer, export_volumes
from cowgan.volume import read_volume, write_labels

LEFT, RIGHT = 4, 5


def saved_generator(folder: Path, seed: int = 1) -> Checkpoint:
    """Return a small generator that was read from a file."""
    path = folder / f"model_{seed}.safetensors"
    save(files.lively(seed=seed), path)
    return load(path)


def sides_of(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return labels of the brightest voxels, by the half of the image."""
    labels = (image > np.quantile(image, 0.85)) * np.uint8(RIGHT)
    labels[:, image.shape[1] // 2 :] = np.where(labels[:, image.shape[1] // 2 :], LEFT, 0)
    return labels.astype(np.uint8)


def write_annotated(synthesizer: Synthesizer, folder: Path, seeds: range) -> None:
    """Write volumes as ``cowgan generate`` does, and their label maps to the same folder."""
    for one in export_volumes(synthesizer, [LatentState(seed) for seed in seeds], folder):
        volume = read_volume(folder / one.file)
        target = folder / one.file.replace(".nii.gz", "_dseg.nii.gz")
        write_labels(sides_of(volume.data), volume.affine, target)
