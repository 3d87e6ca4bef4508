"""Measurements of vessels in volumes, masks and label maps."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cowgan.anatomy.arteries import Artery
from cowgan.anatomy.label_schemes import TOPCOW_2024
from cowgan.errors import CowganError
from cowgan.measure.branches import Tube, find_tubes
from cowgan.measure.branching import Branching, branching
from cowgan.measure.mask import Method, find_vessels
from cowgan.measure.pieces import Pieces, pieces
from cowgan.measure.topology import topology
from cowgan.measure.tortuosity import Tortuosity, tortuosity
from cowgan.volume import Volume
from cowgan.volume.volume import checked_spacing

PERCENTILES = (5, 25, 50, 75, 95)
BIN_MM = 0.1
"""Width of the bins of `RadiusDistribution.histogram_mm`."""


@dataclass(frozen=True)
class RadiusDistribution:
    """Distribution of vessel radii, weighted by length; 0 without vessels.

    Parameters
    ----------
    mean_mm, sd_mm : float
        Mean and standard deviation.
    percentiles_mm : dict of int to float
        The `PERCENTILES`.
    histogram_mm : tuple of float
        Vessel length with a radius of 0 to 0.1 mm, 0.1 to 0.2 mm and so on; the sum is the
        total length.
    """

    mean_mm: float = 0.0
    sd_mm: float = 0.0
    percentiles_mm: dict[int, float] = field(
        default_factory=lambda: dict.fromkeys(PERCENTILES, 0.0)
    )
    histogram_mm: tuple[float, ...] = ()

    @property
    def median_mm(self) -> float:
        """Median radius."""
        return self.percentiles_mm[50]


@dataclass(frozen=True)
class Measurements:
    """The measured vessels of a volume, or one artery of a label map.

    Parameters
    ----------
    voxels : int
        Number of vessel voxels.
    volume_mm3 : float
        Their volume.
    length_mm : float
        Length of all centrelines.
    radius : RadiusDistribution
        Radii along them.
    components, loops, cavities : int
        See `cowgan.measure.topology.Topology`.
    pieces : Pieces
        The components by size.
    tortuosity : Tortuosity
        How much the vessels wind.
    branching : Branching
        How they branch.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).
    method : str, optional
        Segmentation method; None if a mask was given.
    thresholds : dict of str to float
        See `cowgan.measure.mask.Vessels`.
    """

    voxels: int
    volume_mm3: float
    length_mm: float
    radius: RadiusDistribution
    components: int
    loops: int
    cavities: int
    pieces: Pieces
    tortuosity: Tortuosity
    branching: Branching
    spacing_mm: tuple[float, float, float]
    method: str | None = None
    thresholds: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the measurements as JSON-ready values."""
        content = asdict(self)
        percentiles = content["radius"].pop("percentiles_mm")
        content["radius"]["percentiles_mm"] = {f"p{q}": mm for q, mm in percentiles.items()}
        content["radius"]["histogram_bin_mm"] = BIN_MM
        return content


def measure(volume: Volume, method: Method = "hysteresis") -> Measurements:
    """Measure the vessels of a TOF volume.

    Parameters
    ----------
    volume : Volume
        Vessels are bright; any intensity scale.
    method : {"hysteresis", "frangi", "sato"}
        Segmentation method, see `find_vessels`.

    Returns
    -------
    Measurements
        All zero if nothing stands out.

    Raises
    ------
    CowganError
        The method is unknown, or all voxels have the same intensity.
    """
    vessels = find_vessels(volume, method)
    measured = measure_mask(vessels.mask, volume.spacing_mm)
    return replace(measured, method=method, thresholds=dict(vessels.thresholds))


def measure_mask(mask: ArrayLike, spacing_mm: tuple[float, float, float]) -> Measurements:
    """Measure the vessels of a mask.

    Parameters
    ----------
    mask : array-like, shape (z, x, y)
        Non-zero in vessels.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).

    Returns
    -------
    Measurements
        All zero for an empty mask.

    Raises
    ------
    CowganError
        The mask is not 3D, or the spacing is invalid.
    """
    vessels, spacing = _checked(mask, spacing_mm)
    voxels = int(np.count_nonzero(vessels))
    shape = topology(vessels)
    tubes = find_tubes(vessels, spacing)
    return Measurements(
        voxels=voxels,
        volume_mm3=voxels * float(np.prod(spacing)),
        length_mm=float(sum(tube.length_mm.sum() for tube in tubes)),
        radius=radius_distribution(tubes),
        components=shape.components,
        loops=shape.loops,
        cavities=shape.cavities,
        pieces=pieces(vessels, spacing),
        tortuosity=tortuosity(tubes),
        branching=branching(tubes),
        spacing_mm=spacing,
    )


def measure_labels(
    labels: ArrayLike, spacing_mm: tuple[float, float, float]
) -> dict[Artery, Measurements]:
    """Measure each artery of a label map on its own.

    Parameters
    ----------
    labels : array-like, shape (z, x, y)
        TopCoW values, see `cowgan.anatomy.arteries.Artery`; 0 is background.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).

    Returns
    -------
    dict of Artery to Measurements
        Arteries that are present, ordered by value.

    Raises
    ------
    CowganError
        As for `measure_mask`, or a value is not one of TopCoW's.
    """
    values = np.asarray(labels)
    TOPCOW_2024.require(values)
    present = np.unique(values)
    return {
        artery: measure_mask(values == artery, spacing_mm) for artery in Artery if artery in present
    }


def _checked(
    mask: ArrayLike, spacing_mm: tuple[float, float, float]
) -> tuple[NDArray[np.bool_], tuple[float, float, float]]:
    array = np.asarray(mask) != 0
    if array.ndim != 3:
        raise CowganError(f"A vessel mask needs 3 dimensions, but this one has {array.ndim}.")
    return array, checked_spacing(spacing_mm)


def radius_distribution(tubes: Sequence[Tube]) -> RadiusDistribution:
    """Return the distribution of the radii of tubes."""
    length = np.concatenate([np.empty(0), *(tube.length_mm for tube in tubes)])
    radius = np.concatenate([np.empty(0), *(tube.radius_mm for tube in tubes)])
    total = length.sum()
    if total == 0:
        return RadiusDistribution()
    mean = float((length * radius).sum() / total)
    order = np.argsort(radius)
    share = np.cumsum(length[order]) / total
    at = np.searchsorted(share, np.array(PERCENTILES) / 100).clip(max=len(radius) - 1)
    return RadiusDistribution(
        mean_mm=mean,
        sd_mm=float(np.sqrt((length * (radius - mean) ** 2).sum() / total)),
        percentiles_mm=dict(zip(PERCENTILES, radius[order][at].tolist(), strict=True)),
        histogram_mm=tuple(np.bincount((radius / BIN_MM).astype(int), length).tolist()),
    )
