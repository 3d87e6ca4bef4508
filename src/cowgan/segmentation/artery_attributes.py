"""The measurements of single arteries that readers of images compare."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.arteries import Artery
from cowgan.latent.artery_steering import ArteryFinder, FoundArtery, find_communicating
from cowgan.measure.artery_courses import artery_courses
from cowgan.measure.branches import Tube
from cowgan.measure.communicating_courses import BodySide
from cowgan.measure.vessel_attributes import VESSEL_ATTRIBUTES, Attribute, measure_vessels
from cowgan.segmentation.bundled_segmenters import BUNDLED_SEGMENTERS
from cowgan.segmentation.segmenter import ArterySegmenter, Segmenter
from cowgan.segmentation.segmenter_files import load_segmenter
from cowgan.volume import Volume

LEAST_MM3 = 5.0
"""Volume from which an artery is measured, as any vessel in `cowgan.measure.mask.find_vessels`:
networks leave single voxels where they are in doubt."""

_ARTERIES = {
    Artery.BA: "Basilar",
    Artery.L_ICA: "Left ICA",
    Artery.R_ICA: "Right ICA",
    Artery.L_MCA: "Left MCA",
    Artery.R_MCA: "Right MCA",
    Artery.L_ACA: "Left ACA",
    Artery.R_ACA: "Right ACA",
    Artery.L_PCA: "Left PCA",
    Artery.R_PCA: "Right PCA",
}


def _diameter(artery: Artery) -> str:
    return f"{artery.name.lower()}_diameter_mm"


ARTERY_ATTRIBUTES = tuple(
    Attribute(_diameter(artery), f"{name} diameter", "mm", 2) for artery, name in _ARTERIES.items()
)
"""What `artery_values` measures: not the ACom, which is a few voxels long, and not the PComs, which
`cowgan.measure.vessel_attributes` finds more surely."""

STEERED: Mapping[str, BodySide | Artery] = {
    "l_pcom_diameter_mm": BodySide.LEFT,
    "r_pcom_diameter_mm": BodySide.RIGHT,
    **{_diameter(artery): artery for artery in _ARTERIES},
}
"""The arteries whose diameters `cowgan.latent.artery_steering` changes, by key of the attribute."""

ARTERY_KEYS = frozenset(each.key for each in ARTERY_ATTRIBUTES)
MEASURES = 2
"""Changes with how volumes are measured: what was kept of another way is measured again."""

ATTRIBUTES = {each.key: each for each in (*VESSEL_ATTRIBUTES, *ARTERY_ATTRIBUTES)}
"""Everything that is measured, by key."""
FITTED = tuple(each for each in ATTRIBUTES.values() if each.key not in STEERED)
"""What directions are fitted to."""


def artery_values(
    labels: NDArray[np.integer[Any]],
    tubes: Sequence[Tube],
    spacing_mm: tuple[float, float, float],
) -> dict[str, float]:
    """Measure the `ARTERY_ATTRIBUTES` of a volume.

    The diameter is that of the vessel where it has the artery's label, see `artery_courses`.

    Parameters
    ----------
    labels : ndarray of int, shape (z, x, y)
        Label map of TopCoW 2024.
    tubes : sequence of Tube
        The vessels, see `measure_vessels`.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).

    Returns
    -------
    dict of str to float
        By key; the diameter of an artery that is absent is NaN.
    """
    courses = artery_courses(labels, tubes, spacing_mm)
    voxels = np.bincount(labels.ravel(), minlength=max(Artery) + 1)
    least = LEAST_MM3 / float(np.prod(spacing_mm))
    values = {}
    for artery in _ARTERIES:
        course = courses.get(artery) if voxels[artery] >= least else None
        values[_diameter(artery)] = np.nan if course is None else course.diameter_mm
    return values


def artery_finder(key: str, device: str = "auto") -> ArteryFinder:
    """Return what finds the artery whose diameter an attribute is, see `STEERED`.

    Raises
    ------
    CowganError
        MONAI is not installed, or the device does not exist, where a network is needed.
    """
    steered = STEERED[key]
    if isinstance(steered, BodySide):
        return find_communicating(steered)
    segmenter = artery_segmenter(device)

    def find(volume: Volume) -> FoundArtery:
        vessels, labels = measure_vessels(volume), segmenter(volume).labels
        there = np.count_nonzero(labels == steered) * np.prod(volume.spacing_mm) >= LEAST_MM3
        courses = artery_courses(labels, vessels.tubes, volume.spacing_mm) if there else {}
        return FoundArtery(vessels, courses.get(steered))

    return find


@cache
def artery_segmenter(device: str = "auto") -> Segmenter:
    """Return the bundled network that finds the arteries to measure.

    Raises
    ------
    CowganError
        MONAI is not installed, or the device does not exist.
    """
    return Segmenter([load_segmenter(BUNDLED_SEGMENTERS["topcow2024"])], device)


def measured_values(volume: Volume, segmenter: ArterySegmenter) -> dict[str, float]:
    """Measure all `ATTRIBUTES` of a TOF volume, whose arteries a network finds.

    Raises
    ------
    CowganError
        All voxels have the same intensity.
    """
    vessels, labels = measure_vessels(volume), segmenter(volume).labels
    return {**vessels.values, **artery_values(labels, vessels.tubes, volume.spacing_mm)}
