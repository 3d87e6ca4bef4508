"""The measurements of a volume's vessels that readers of images compare."""

from dataclasses import dataclass

import numpy as np

from cowgan.measure.mask import find_vessels
from cowgan.measure.measurements import measure_mask
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


VESSEL_ATTRIBUTES = (
    Attribute("volume_mm3", "Vessel volume", "mm³"),
    Attribute("length_mm", "Vessel length", "mm"),
    Attribute("diameter_mm", "Median diameter", "mm", 2),
    Attribute("pieces", "Pieces"),
    Attribute("loops", "Loops"),
    Attribute("contrast_percent", "Vessel contrast", "%"),
)
"""What `vessel_values` measures."""


def vessel_values(volume: Volume) -> dict[str, float]:
    """Measure the `VESSEL_ATTRIBUTES` of a TOF volume.

    The median diameter is twice the median radius of `cowgan.measure.measurements.Measurements`;
    the contrast is how much brighter vessels are than tissue, as a share of tissue.

    Parameters
    ----------
    volume : Volume
        Vessels are bright.

    Returns
    -------
    dict of str to float
        By key; NaN for diameter and contrast without vessels.

    Raises
    ------
    CowganError
        All voxels have the same intensity.
    """
    vessels = find_vessels(volume)
    found = measure_mask(vessels.mask, volume.spacing_mm)
    tissue = vessels.thresholds["tissue"]
    there = found.voxels > 0
    bright = float(volume.data[vessels.mask].mean(dtype=np.float64)) if there else np.nan
    return {
        "volume_mm3": found.volume_mm3,
        "length_mm": found.length_mm,
        "diameter_mm": 2 * found.radius.median_mm if there else np.nan,
        "pieces": float(found.components),
        "loops": float(found.loops),
        "contrast_percent": 100 * (bright / tissue - 1) if tissue > 0 else np.nan,
    }
