"""Bringing the intensities of a volume to 0 to 1."""

from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from cowgan.errors import CowganError
from cowgan.volume import Volume

Scaling = Literal["none", "robust", "minmax"]

_PERCENTILES = {"robust": (0.1, 99.9), "minmax": (0.0, 100.0)}


def scale(volume: Volume, scaling: Scaling) -> Volume:
    """Return the volume with intensities from 0 to 1.

    Parameters
    ----------
    volume : Volume
        In any unit.
    scaling : {"none", "robust", "minmax"}
        ``"robust"`` maps the percentiles 0.1 and 99.9 to 0 and 1 and clips; ``"minmax"``
        does so with the extremes.

    Returns
    -------
    Volume
        Its provenance tells, under ``"intensity"``, which values became 0 and 1.

    Raises
    ------
    CowganError
        The volume has one intensity only, or the scaling is unknown.
    """
    if scaling not in get_args(Scaling):
        raise CowganError(f"There is no scaling {scaling!r}; use {', '.join(get_args(Scaling))}.")
    if scaling == "none":
        return volume
    low, high = (float(value) for value in np.percentile(volume.data, _PERCENTILES[scaling]))
    if not high > low:
        raise CowganError(f"Nearly all voxels have the intensity {low:g}, so there is no contrast.")
    data = np.clip((volume.data - np.float32(low)) / np.float32(high - low), 0, 1)
    record = {"scaling": scaling, "low": low, "high": high}
    return replace(volume, data=data, provenance={**volume.provenance, "intensity": record})
