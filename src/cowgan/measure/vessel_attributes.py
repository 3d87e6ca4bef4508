"""The measurements of a volume's vessels that readers of images compare."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cowgan.measure.branches import Tube, find_tubes
from cowgan.measure.communicating_courses import (
    BodySide,
    CommunicatingCourse,
    communicating_courses,
)
from cowgan.measure.mask import find_vessels
from cowgan.measure.measurements import radius_distribution
from cowgan.measure.topology import topology
from cowgan.volume import Volume


@dataclass(frozen=True)
class Attribute:
    """One number that is measured of a volume, or whether something is there.

    Parameters
    ----------
    key : str
        Name in files.
    title : str
        Name to display.
    unit : str
        Such as ``"mm"``; empty for counts and presence.
    digits : int
        Decimals to display.
    presence : bool
        Whether it tells if something is there, as 1 or 0.
    """

    key: str
    title: str
    unit: str = ""
    digits: int = 0
    presence: bool = False

    def text(self, value: float) -> str:
        """Return a value with its unit, such as ``"2.60 mm"``, or ``"present"``."""
        if self.presence:
            return "present" if value > 0.5 else "absent"
        return f"{value:.{self.digits}f} {self.unit}".rstrip()

    def change(self, before: float, after: float) -> str:
        """Return a change without its unit, such as ``"+0.30"``, or ``"was absent"``."""
        if self.presence:
            return "0" if before == after else f"was {self.text(before)}"
        number = f"{after - before:+.{self.digits}f}"
        return number if float(number) else "0"


_SIDES = {BodySide.LEFT: ("l", "Left"), BodySide.RIGHT: ("r", "Right")}

VESSEL_ATTRIBUTES = (
    Attribute("volume_mm3", "Vessel volume", "mm³"),
    Attribute("length_mm", "Vessel length", "mm"),
    Attribute("diameter_mm", "Median diameter", "mm", 2),
    Attribute("pieces", "Pieces"),
    Attribute("loops", "Loops"),
    Attribute("contrast_percent", "Vessel contrast", "%"),
    *(
        Attribute(f"{side}_pcom_present", f"{name} PCom", presence=True)
        for side, name in _SIDES.values()
    ),
    *(
        Attribute(f"{side}_pcom_diameter_mm", f"{name} PCom diameter", "mm", 2)
        for side, name in _SIDES.values()
    ),
)
"""What `measure_vessels` measures."""


@dataclass(frozen=True, eq=False)
class MeasuredVessels:
    """The vessels of a volume.

    Attributes
    ----------
    values : dict of str to float
        By key of the `VESSEL_ATTRIBUTES`; NaN for diameter and contrast without vessels, and for
        the diameter of a PCom that is absent.
    tubes : tuple of Tube
        Their branches.
    communicating : dict of BodySide to CommunicatingCourse
        The PComs that are there.
    mask : ndarray of bool, shape (z, x, y)
        Their voxels.
    """

    values: Mapping[str, float]
    tubes: tuple[Tube, ...]
    communicating: Mapping[BodySide, CommunicatingCourse]
    mask: NDArray[np.bool_]


def measure_vessels(volume: Volume) -> MeasuredVessels:
    """Measure the `VESSEL_ATTRIBUTES` of a TOF volume.

    The median diameter is twice the median radius of `cowgan.measure.measurements.Measurements`;
    the contrast is how much brighter vessels are than tissue, as a share of tissue. The PComs are
    those of `communicating_courses`.

    Parameters
    ----------
    volume : Volume
        Vessels are bright.

    Raises
    ------
    CowganError
        All voxels have the same intensity.
    """
    vessels = find_vessels(volume)
    tubes, shape = find_tubes(vessels.mask, volume.spacing_mm), topology(vessels.mask)
    tissue, there = vessels.thresholds["tissue"], vessels.mask.any()
    bright = float(volume.data[vessels.mask].mean(dtype=np.float64)) if there else np.nan
    values = {
        "volume_mm3": int(np.count_nonzero(vessels.mask)) * float(np.prod(volume.spacing_mm)),
        "length_mm": float(sum(tube.length_mm.sum() for tube in tubes)),
        "diameter_mm": 2 * radius_distribution(tubes).median_mm if there else np.nan,
        "pieces": float(shape.components),
        "loops": float(shape.loops),
        "contrast_percent": 100 * (bright / tissue - 1) if tissue > 0 else np.nan,
    }
    courses = communicating_courses(tubes, vessels.mask.shape, volume.spacing_mm)
    for side, (name, _) in _SIDES.items():
        values[f"{name}_pcom_present"] = float(side in courses)
        values[f"{name}_pcom_diameter_mm"] = (
            courses[side].diameter_mm if side in courses else np.nan
        )
    values = {key: float(value) for key, value in values.items()}
    return MeasuredVessels(values, tuple(tubes), courses, vessels.mask)
