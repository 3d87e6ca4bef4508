"""Intensity scaling to [0, 1], recorded in the provenance."""

from dataclasses import replace
from typing import Literal, get_args

from cowgan.errors import require_choice
from cowgan.volume import Volume
from cowgan.volume.intensity import intensity_limits, rescale

BankScaling = Literal["none", "robust", "minmax"]


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
        The entry ``"intensity"`` of its provenance holds the values mapped to 0 and 1.

    Raises
    ------
    CowganError
        Nearly all voxels have the same intensity, or the scaling is unknown.
    """
    require_choice("scaling", scaling, get_args(BankScaling))
    if scaling == "none":
        return volume
    data = rescale(volume.data, scaling)
    low, high = map(float, intensity_limits(volume.data, scaling))
    record = {"scaling": scaling, "low": low, "high": high}
    return replace(volume, data=data, provenance={**volume.provenance, "intensity": record})
