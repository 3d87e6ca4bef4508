"""Robust statistics of background tissue."""

# scikit-image is only partly typed.
# mypy: allow-untyped-calls

from dataclasses import dataclass

import numpy as np

from cowgan.measure.arrays import Image, Mask

_AIR_SEPARATION = 0.82
"""Share of variance between two classes; 0.64 for one normal distribution, 0.75 for a uniform."""
_ENOUGH_VOXELS = 8_000_000
_AIR_SHARE = (0.4, 0.8)
_AIR_AT_SIDES = 0.6
_PADDING_SHARE = (0.01, 0.9)
"""Range of the share of voxels at the minimum that counts as air or padding."""
_UPPER_QUANTILE, _UPPER_SD = 0.7, 0.5244
"""A quantile of the normal distribution, low enough to be insensitive to fat and vessels."""


@dataclass(frozen=True)
class Tissue:
    """The intensity distribution of tissue.

    Parameters
    ----------
    level : float
        Median.
    sd : float
        Standard deviation, estimated from the bright side: CSF and bone widen the dark one.
    air_below : float, optional
        Threshold between head and air, nearer to air because a scalp may be dark; None if
        there is little air.
    """

    level: float
    sd: float
    air_below: float | None


def describe_tissue(image: Image) -> Tissue:
    """Estimate the tissue intensities of a TOF volume, in which vessels are few.

    Padding, such as around a skull-stripped brain, and air around the head are excluded.
    """
    # A regular sample is enough for a large volume.
    values = np.sort(image.ravel()[:: 1 + 2 * (image.size // _ENOUGH_VOXELS // 2)])
    padding = np.searchsorted(values, values[0], side="right")
    if _PADDING_SHARE[0] < padding / len(values) < _PADDING_SHARE[1]:
        values = values[padding:]
    air_below = None
    dark = _count_air(values)
    if dark > 0 and _surrounds(image <= values[dark - 1]):
        air_below = float(values[dark // 2] + values[dark]) / 2
        values = values[dark:]
    level, upper = (float(values[int(q * len(values))]) for q in (0.5, _UPPER_QUANTILE))
    return Tissue(level, (upper - level) / _UPPER_SD, air_below)


def _count_air(values: Image) -> int:
    """Return the number of sorted values that are air around a head; 0 if there is little."""
    clipped = np.minimum(values, values[int(0.9 * len(values))])
    dark = int(np.searchsorted(clipped, otsu(clipped), side="right"))
    share = dark / len(values)
    if not _AIR_SHARE[0] < share < _AIR_SHARE[1]:
        return 0
    step = clipped[dark:].mean(dtype=np.float64) - clipped[:dark].mean(dtype=np.float64)
    between = share * (1 - share) * step**2
    return dark if between > _AIR_SEPARATION * clipped.var(dtype=np.float64) else 0


def _surrounds(dark: Mask) -> bool:
    """Return whether the dark fills most of the sides of a volume, as air around a head does."""
    sides = (dark[:, 0], dark[:, -1], dark[:, :, 0], dark[:, :, -1])
    return bool(np.mean([side.mean() for side in sides]) > _AIR_AT_SIDES)


def otsu(values: Image) -> float:
    """Return Otsu's threshold, insensitive to single hot voxels."""
    from skimage.filters import threshold_otsu

    if len(values) == 0:
        return -np.inf
    return float(threshold_otsu(np.minimum(values, np.quantile(values, 0.995))))
