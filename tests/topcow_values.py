"""Frozen values of TopCoW's evaluation code, and the pairs of label maps they belong to."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

PAIRS = (
    "perfect",
    "shifted_x1_z1",
    "missing_lpcom_acom",
    "extra_3rd_a2",
    "fetal_left_truth_complete_pred",
    "empty_pred",
    "dilated_with_3rd_a2",
    "both_empty",
    "topcow_003_perturbed",
)


@dataclass(frozen=True)
class FrozenPair:
    """Two label maps and what TopCoW_Eval_Metrics (commit 25ca839) says of them.

    Parameters
    ----------
    predicted, truth : ndarray of uint8, shape (z, x, y)
        Label maps of TopCoW 2024.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).
    values : dict
        Such as ``"Dice_BA"``.
    """

    predicted: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    spacing_mm: tuple[float, float, float]
    values: dict[str, Any]


def frozen_pair(shared: Path, name: str) -> FrozenPair:
    with np.load(shared / "expected" / "segmentation" / f"{name}.npz") as file:
        if "truth" in file:
            truth, predicted = file["truth"], file["predicted"]
        else:
            source = shared / "data" / "topcow_mr_003_label.nii.gz"
            assert hashlib.sha256(source.read_bytes()).hexdigest() == str(file["source_sha256"])
            truth = np.asarray(nib.load(source).dataobj).astype(np.uint8)
            predicted = truth.copy(order="C")
            predicted.flat[file["changed_flat_index"]] = file["changed_value"]
        x, y, z = file["spacing_mm"].tolist()
        values = json.loads(str(file["metrics_json"]))
    return FrozenPair(predicted.transpose(2, 0, 1), truth.transpose(2, 0, 1), (z, x, y), values)
