"""Average Hausdorff distances of two masks, as the VISCERAL evaluation tool defines them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree


@dataclass(frozen=True)
class AverageHausdorff:
    """Average Hausdorff distances between two masks, in voxels.

    Parameters
    ----------
    plain : float
        Mean of both directed mean distances, each over the voxels of the mask it starts from.
    balanced : float
        The same with both sums divided by the voxels of the truth, so that it does not favour
        predictions with many voxels.
    """

    plain: float
    balanced: float


def average_hausdorff(
    predicted: NDArray[np.bool_], truth: NDArray[np.bool_]
) -> AverageHausdorff | None:
    """Return the average distances between the voxels of two masks, or None if either is empty.

    All voxels count, not only those of the surface, and one that lies in both masks has distance 0.

    Parameters
    ----------
    predicted, truth : ndarray of bool, shape (z, x, y)
        The two masks. Steps along all axes count the same, whatever the size of voxels.

    References
    ----------
    Taha and Hanbury, "Metrics for evaluating 3D medical image segmentation", BMC Med Imaging 15:29,
    2015, as implemented in EvaluateSegmentation; Aydin et al., "On the usage of average Hausdorff
    distance for segmentation performance assessment", Eur Radiol Exp 5:4, 2021.
    """
    if not (predicted.any() and truth.any()):
        return None
    beyond, missed = _sum_of_distances(predicted, truth), _sum_of_distances(truth, predicted)
    n_predicted, n_true = np.count_nonzero(predicted), np.count_nonzero(truth)
    return AverageHausdorff(
        plain=float(beyond / n_predicted + missed / n_true) / 2,
        balanced=float(beyond + missed) / n_true / 2,
    )


def _sum_of_distances(mask: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    distances, _ = cKDTree(np.argwhere(other)).query(np.argwhere(mask & ~other))
    return float(distances.sum())
