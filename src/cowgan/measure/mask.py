"""Vessel segmentation of TOF volumes by local thresholds.

Tissue is about 90 % of a volume and vessels 2-4 %, so a global two-class threshold splits tissue.
Instead, the tissue distribution is estimated robustly and vessels are sought in its bright tail.
The vessel wall is placed locally, midway between vessel and tissue, so that partial volume neither
thickens bright arteries nor thins faint ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.ndimage import binary_dilation, generate_binary_structure, label

from cowgan.errors import CowganError, require_choice
from cowgan.measure.arrays import Image, Mask
from cowgan.measure.background import describe_tissue, otsu
from cowgan.measure.fat import below_scalp, in_fat
from cowgan.measure.smooth_fields import BlockGrid
from cowgan.measure.vesselness import vesselness
from cowgan.volume import Volume

Method = Literal["hysteresis", "frangi", "sato"]

_LOW_SD = 3.0
_LOW_SD_IN_TUBES = 2.0
_HIGH_SD = 6.0
"""Minimum contrast of a vessel in standard deviations of tissue: everywhere, and at its maximum."""
_VESSEL_REACH_MM = 1.25
_TISSUE_REACH_MM = 2.0
"""Standard deviations of the windows over which brightness is averaged."""
_LEAST_WEIGHT = 1e-4
_SPECK_MM3 = 5.0
_TUBE_QUANTILE = 0.99
_NEIGHBOURS = generate_binary_structure(3, 3)


@dataclass(frozen=True, eq=False)
class Vessels:
    """A vessel mask and its thresholds.

    Parameters
    ----------
    mask : ndarray of bool, shape (z, x, y)
        True in vessels.
    thresholds : dict of str to float
        In intensities of the volume: ``"tissue"``, its median; ``"low"``, which every vessel
        voxel exceeds; ``"high"``, which every vessel reaches somewhere.
    """

    mask: Mask
    thresholds: Mapping[str, float]


def vessel_mask(volume: Volume, method: Method = "hysteresis") -> Mask:
    """Return the vessel voxels of a TOF volume; see `find_vessels`."""
    return find_vessels(volume, method).mask


def find_vessels(volume: Volume, method: Method = "hysteresis") -> Vessels:
    """Find the vessels of a TOF volume of any intensity scale.

    A voxel is vessel if it is brighter than the midpoint between the vessel and the tissue
    of its surroundings (the threshold of Ridler and Calvard 1978, taken locally), at least
    3 standard deviations brighter than tissue, and connected to a voxel above both Otsu's
    threshold of the bright voxels and 6 standard deviations. Excluded are specks below 5 mm3,
    moderately bright regions such as orbital fat and, where a head is surrounded by air, its
    outermost 12 mm.

    Parameters
    ----------
    volume : Volume
        Vessels are bright.
    method : {"hysteresis", "frangi", "sato"}
        The filters also require a tube response above that of 99 % of the tissue, and in return
        accept 2 standard deviations. They find more of the thin arteries of a full field of
        view and take ten times as long.

    Returns
    -------
    Vessels
        Empty if nothing stands out, as in noise.

    Raises
    ------
    CowganError
        The method is unknown, or all voxels have the same intensity.
    """
    require_choice("method", method, get_args(Method))
    image = volume.data
    if image.min() == image.max():
        raise CowganError("All voxels have the same intensity, so there are no vessels to measure.")
    tissue = describe_tissue(image)
    low_sd = _LOW_SD if method == "hysteresis" else _LOW_SD_IN_TUBES
    low = tissue.level + low_sd * tissue.sd
    candidates = _Candidates(image, low, volume.spacing_mm)
    high = max(otsu(candidates.values), tissue.level + _HIGH_SD * tissue.sd)
    vessel = candidates.above_midpoint(tissue.level)
    if tissue.air_below is not None:
        vessel &= candidates.below_scalp(tissue.air_below)
    if method != "hysteresis":
        vessel &= _tubular(image, image > low, volume.spacing_mm, method).ravel()[candidates.voxels]
    vessel &= ~candidates.in_fat(vessel & (candidates.values <= high))
    least = _SPECK_MM3 / float(np.prod(volume.spacing_mm))
    mask = _seeded(candidates, vessel, high, least)
    return Vessels(mask, {"tissue": tissue.level, "low": low, "high": high})


def _tubular(
    image: Image,
    bright: Mask,
    spacing_mm: tuple[float, float, float],
    method: Literal["frangi", "sato"],
) -> Mask:
    """Return the voxels with the highest tube response, and their neighbours."""
    response = vesselness(image, spacing_mm, method)
    tubular = response > np.quantile(response[~bright], _TUBE_QUANTILE)
    return np.asarray(binary_dilation(tubular, _NEIGHBOURS))


class _Candidates:
    """The bright voxels of a volume, a few percent of all, with local averages."""

    def __init__(self, image: Image, low: float, spacing_mm: tuple[float, float, float]) -> None:
        self.image = image
        self.voxels = np.flatnonzero(image > low)
        self.values = image.ravel()[self.voxels]
        self._blocks = BlockGrid(image.shape, spacing_mm)
        self._index = self._blocks.index(self.voxels)

    def above_midpoint(self, tissue: float) -> Mask:
        """Return which voxels are nearer in intensity to vessel than to tissue."""
        blocks, excess = self._blocks, self.values - np.float32(tissue)
        rest = blocks.mean(self.image) - np.float32(tissue) - blocks.share(self._index, excess)
        background = self._local_mean(1 - blocks.share(self._index), rest, _TISSUE_REACH_MM)
        vessel = np.ones(len(self.voxels), dtype=bool)
        for _ in range(2):
            index = self._index[vessel]
            core = self._local_mean(
                blocks.share(index), blocks.share(index, excess[vessel]), _VESSEL_REACH_MM
            )
            vessel = excess > (core + background) / 2
        return vessel

    def below_scalp(self, air_below: float) -> Mask:
        """Return which voxels lie deeper than the scalp."""
        deep = below_scalp(self._blocks.mean(self.image), air_below, self._blocks)
        return np.asarray(deep.ravel()[self._index])

    def in_fat(self, dim: Mask) -> Mask:
        """Return which of the dim voxels are fat."""
        fat = in_fat(self._blocks.share(self._index[dim]), self._blocks)
        return np.asarray(dim & fat.ravel()[self._index])

    def _local_mean(self, weight: Image, total: Image, reach_mm: float) -> Image:
        """Return the weighted local mean at each voxel, from weights and totals per block."""
        weight = self._blocks.smooth(weight, reach_mm)
        total = self._blocks.smooth(total, reach_mm)
        mean = np.divide(total, weight, out=np.zeros_like(total), where=weight > _LEAST_WEIGHT)
        return self._blocks.at(mean, self.voxels)


def _seeded(candidates: _Candidates, vessel: Mask, high: float, least_voxels: float) -> Mask:
    """Return the connected components that contain a seed and are large enough."""
    voxels = candidates.voxels[vessel]
    mask = np.zeros(candidates.image.shape, dtype=bool)
    mask.ravel()[voxels] = True
    pieces, n = label(mask, _NEIGHBOURS)
    piece = pieces.ravel()[voxels]
    kept = np.bincount(piece, minlength=n + 1) >= least_voxels
    seeded = np.zeros(n + 1, dtype=bool)
    seeded[piece[candidates.values[vessel] >= high]] = True
    mask.ravel()[voxels] = (kept & seeded)[piece]
    return mask
