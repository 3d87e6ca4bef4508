"""How well a projection shows its scan."""

# scikit-image is only partly typed.
# mypy: allow-untyped-calls

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from cowgan.latent.projection_target import ProjectionTarget
from cowgan.measure import vessel_mask
from cowgan.measure.overlap import dice, skeleton_mask
from cowgan.volume import Volume

_SSIM_WINDOW = 7


@dataclass(frozen=True)
class ProjectionQuality:
    """Agreement of a projected volume with its scan, where the scan shows anything.

    Attributes
    ----------
    psnr : float
        Peak signal-to-noise ratio in decibel, of intensities from 0 to 1.
    ssim : float
        Structural similarity (Wang et al. 2004), mean of windows of 7 voxels.
    mean_difference : float
        Mean absolute difference of intensities from 0 to 1.
    vessel_dice : float
        Dice coefficient of the vessels that `cowgan.measure` finds in both.
    centreline_mm : float or None
        Mean distance between the centrelines of both, both ways; None without vessels.
    """

    psnr: float
    ssim: float
    mean_difference: float
    vessel_dice: float
    centreline_mm: float | None


def projection_quality(target: ProjectionTarget, projected: Volume) -> ProjectionQuality:
    """Compare a projected volume with its scan."""
    from skimage.metrics import structural_similarity

    scan, inside = target.volume, target.inside
    difference = np.abs(projected.data - scan.data)[inside]
    window = min(_SSIM_WINDOW, (min(scan.shape) - 1) // 2 * 2 + 1)
    _, similarity = structural_similarity(
        scan.data,
        np.where(inside, projected.data, np.float32(0)),
        win_size=window,
        data_range=1.0,
        full=True,
    )
    truth, found = (vessel_mask(each) & inside for each in (scan, projected))
    return ProjectionQuality(
        psnr=float(-10 * np.log10(max(float(np.mean(difference**2)), 1e-12))),
        ssim=float(similarity[inside].mean()),
        mean_difference=float(difference.mean()),
        vessel_dice=dice(found, truth),
        centreline_mm=_centreline_distance(found, truth, scan.spacing_mm),
    )


def _centreline_distance(
    found: NDArray[np.bool_], truth: NDArray[np.bool_], spacing_mm: tuple[float, float, float]
) -> float | None:
    if not (found.any() and truth.any()):
        return None
    lines = skeleton_mask(found), skeleton_mask(truth)
    ways = [
        distance_transform_edt(~other, sampling=spacing_mm)[line].mean()
        for line, other in (lines, lines[::-1])
    ]
    return float(np.mean(ways))
