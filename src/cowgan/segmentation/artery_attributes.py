"""The measurements of single arteries that readers of images compare."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.arteries import Artery
from cowgan.anatomy.label_schemes import TOPCOW_2024
from cowgan.measure.vessel_attributes import VESSEL_ATTRIBUTES, Attribute, vessel_values
from cowgan.segmentation.artery_sizes import artery_sizes
from cowgan.segmentation.bundled_segmenters import BUNDLED_SEGMENTERS
from cowgan.segmentation.segmenter import ArterySegmenter, Segmenter
from cowgan.segmentation.segmenter_files import load_segmenter
from cowgan.volume import Volume

LEAST_MM3 = 5.0
"""Volume from which a communicating artery counts as present, as for any vessel in
`cowgan.measure.mask.find_vessels`: networks leave single voxels where they are in doubt."""

_COMMUNICATING = {
    Artery.L_PCOM: "Left PCom",
    Artery.R_PCOM: "Right PCom",
}
_MAIN = {
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


def _presence(artery: Artery) -> str:
    return f"{artery.name.lower()}_present"


def _diameter(artery: Artery) -> str:
    return f"{artery.name.lower()}_diameter_mm"


ARTERY_ATTRIBUTES = (
    *(Attribute(_presence(a), name, presence=True) for a, name in _COMMUNICATING.items()),
    *(
        Attribute(_diameter(a), f"{name} diameter", "mm", 2)
        for a, name in (_COMMUNICATING | _MAIN).items()
    ),
)
"""What `artery_values` measures: not the ACom, which is a few voxels long."""

ARTERY_KEYS = frozenset(each.key for each in ARTERY_ATTRIBUTES)
ATTRIBUTES = {each.key: each for each in (*VESSEL_ATTRIBUTES, *ARTERY_ATTRIBUTES)}
"""Everything that is measured, by key."""


def artery_values(
    labels: NDArray[np.integer[Any]], spacing_mm: tuple[float, float, float]
) -> dict[str, float]:
    """Measure the `ARTERY_ATTRIBUTES` of a label map.

    The diameter is twice the median radius.

    Parameters
    ----------
    labels : ndarray of int, shape (z, x, y)
        Label map of TopCoW 2024.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).

    Returns
    -------
    dict of str to float
        By key; the diameter of an artery that is absent is NaN.
    """
    sizes = artery_sizes(labels, TOPCOW_2024, spacing_mm)
    values = {}
    for artery in (*_COMMUNICATING, *_MAIN):
        size = sizes.get(artery)
        there = size is not None and size.volume_mm3 >= LEAST_MM3
        if artery in _COMMUNICATING:
            values[_presence(artery)] = float(there)
        values[_diameter(artery)] = 2 * size.median_radius_mm if size and there else np.nan
    return values


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
    labels = segmenter(volume).labels
    return vessel_values(volume) | artery_values(labels, volume.spacing_mm)
