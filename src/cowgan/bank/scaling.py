"""Bringing the intensities of a volume to 0 to 1, on record."""

from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from cowgan.errors import CowganError
from cowgan.volume import Volume
from cowgan.volume.intensity import rescale

BankScaling = Literal["none", "robust", "minmax"]

_PERCENTILES = {"robust": (0.1, 99.9), "minmax": (0.0, 100.0)}


def scale(volume: Volume, scaling: BankScaling) -> Volume:
    """Return the volume with intensities from 0 to 1.

    Parameters
    ----------
    volume : Volume
        In any unit.
    scaling : {"none", "robust", "minmax"}
        See `cowgan.volume.intensity.rescale`; ``"none"`` returns the volume as it is.

    Returns
    -------
    Volume
        Its provenance tells, under ``"intensity"``, which values became 0 and 1.

    Raises
    ------
    CowganError
        The volume has about one intensity only, or the scaling is unknown.
    """
    if scaling not in get_args(BankScaling):
        raise CowganError(
            f"There is no scaling {scaling!r}; choose one of {', '.join(get_args(BankScaling))}."
        )
    if scaling == "none":
        return volume
    data = rescale(volume.data, scaling)
    low, high = (float(value) for value in np.percentile(volume.data, _PERCENTILES[scaling]))
    record = {"scaling": scaling, "low": low, "high": high}
    return replace(volume, data=data, provenance={**volume.provenance, "intensity": record})
