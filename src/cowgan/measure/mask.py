"""Vessels of a TOF angiogram, by what marks them anywhere: brighter than the tissue around.

Tissue is some 90 % of a volume and vessels 2-4 %, so a threshold that splits all voxels in two
splits tissue. Here tissue is described first, robustly, and vessels are sought in the bright tail.
Their wall is put, place by place, midway between vessel and tissue, so that partial volume
neither fattens bright arteries nor thins faint ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter, generate_binary_structure, label

from cowgan.errors import CowganError
from cowgan.measure.fat import below_scalp, in_fat
from cowgan.measure.tissue import describe_tissue, otsu
from cowgan.measure.vesselness import vesselness
from cowgan.volume import Volume

Method = Literal["hysteresis", "frangi", "sato"]
Image = NDArray[np.float32]
Mask = NDArray[np.bool_]

_LOW_SD = 3.0
_LOW_SD_IN_TUBES = 2.0
_HIGH_SD = 6.0
"""The least contrast of a vessel, in standard deviations of tissue: everywhere, and at its best."""
_VESSEL_REACH_MM = 1.25
_TISSUE_REACH_MM = 2.0
"""Standard deviations of the windows over which brightness is averaged."""
_SPECK_MM3 = 5.0
_TUBE_QUANTILE = 0.99
_NEIGHBOURS = generate_binary_structure(3, 3)


@dataclass(frozen=True, eq=False)
class Vessels:
    """The vessels of a volume, and what the decision rested on.

    Parameters
    ----------
    mask : ndarray of bool, shape (z, x, y)
        True in vessels.
    thresholds : dict of str to float
        In the intensities of the volume: ``"tissue"``, its typical value; ``"low"``, which
        every vessel voxel exceeds; ``"high"``, which every vessel reaches somewhere.
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
    3 standard deviations brighter than tissue, and linked to a voxel above Otsu's threshold
    of the bright voxels and 6 standard deviations. Left out are specks below 5 mm3, what is
    bright but no more than that and fills its surroundings, such as fat behind the eyes, and,
    where a head lies in much air, the outermost 12 mm of it.

    Parameters
    ----------
    volume : Volume
        Vessels are bright.
    method : {"hysteresis", "frangi", "sato"}
        The filters demand in addition that a voxel looks more like part of a tube than 99 %
        of the tissue does, and in return accept 2 standard deviations. They find more of
        the thin arteries of a full field of view, and take ten times as long.

    Returns
    -------
    Vessels
        Without any vessel if nothing stands out, as in noise.

    Raises
    ------
    CowganError
        The method is unknown, or all voxels have the same intensity.
    """
    if method not in get_args(Method):
        raise CowganError(
            f"There is no method {method!r}; choose one of {', '.join(get_args(Method))}."
        )
    image = volume.data
    if image.min() == image.max():
        raise CowganError("All voxels have the same intensity, so there are no vessels to measure.")
    tissue = describe_tissue(image)
    low_sd = _LOW_SD if method == "hysteresis" else _LOW_SD_IN_TUBES
    low = tissue.level + low_sd * tissue.sd
    bright = image > low
    high = max(otsu(image[bright]), tissue.level + _HIGH_SD * tissue.sd)
    vessel = _above_midpoint(image, bright, tissue.level, volume.spacing_mm)
    if tissue.air_below is not None:
        vessel &= below_scalp(image, tissue.air_below, volume.spacing_mm)
    if method != "hysteresis":
        response = vesselness(image, volume.spacing_mm, method)
        tubular = response > np.quantile(response[~bright], _TUBE_QUANTILE)
        vessel &= binary_dilation(tubular, _NEIGHBOURS)
    vessel &= ~in_fat(vessel & (image <= high), volume.spacing_mm)
    least = _SPECK_MM3 / float(np.prod(volume.spacing_mm))
    mask = _seeded(vessel, image >= high, least)
    return Vessels(mask, {"tissue": tissue.level, "low": low, "high": high})


def _above_midpoint(
    image: Image, bright: Mask, tissue: float, spacing_mm: tuple[float, float, float]
) -> Mask:
    """Return the bright voxels that are nearer to the vessel's intensity than the tissue's."""
    background = _local_mean(image, ~bright, _TISSUE_REACH_MM, spacing_mm, tissue)
    vessel = bright
    for _ in range(2):
        core = _local_mean(image, vessel, _VESSEL_REACH_MM, spacing_mm, tissue)
        vessel = bright & (image > (core + background) / 2)
    return vessel


def _local_mean(
    image: Image,
    where: Mask,
    reach_mm: float,
    spacing_mm: tuple[float, float, float],
    otherwise: float,
) -> Image:
    """Return the weighted mean of the voxels around each that are in a mask."""
    sigma = reach_mm / np.array(spacing_mm)
    weight = gaussian_filter(where.astype(np.float32), sigma, truncate=2)
    total = gaussian_filter(np.where(where, image - otherwise, np.float32(0)), sigma, truncate=2)
    mean = np.divide(total, weight, out=np.zeros_like(total), where=weight > 1e-4)
    return np.asarray(mean + np.float32(otherwise))


def _seeded(mask: Mask, seeds: Mask, least_voxels: float) -> Mask:
    """Return the connected pieces that hold a seed and are large enough."""
    pieces, n = label(mask, _NEIGHBOURS)
    kept = np.bincount(pieces.ravel(), minlength=n + 1) >= least_voxels
    seeded = np.zeros(n + 1, dtype=bool)
    seeded[pieces[mask & seeds]] = True
    kept &= seeded
    kept[0] = False
    return np.asarray(kept[pieces])
