"""Parameters of a simulated TOF MRA."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from cowgan.errors import CowganError
from cowgan.randomness import stream

RANGES: Mapping[str, tuple[float, float]] = {
    "field_strength_t": (1.5, 3.0),
    "repetition_time_ms": (20.0, 26.0),
    "flip_angle_deg": (16.0, 22.0),
    "flip_ramp": (0.0, 0.4),
    "slab_thickness_mm": (35.0, 90.0),
    "slab_edge_mm": (3.0, 7.0),
    "slab_offset": (0.0, 1.0),
    "blood_velocity_mm_s": (220.0, 420.0),
    "velocity_exponent": (0.6, 1.1),
    "flow_unevenness": (0.03, 0.09),
    "siphon_loss": (0.1, 0.5),
    "magnetisation_transfer": (0.24, 0.42),
    "fat_suppression": (0.3, 0.8),
    "cistern_width_mm": (2.0, 4.5),
    "texture": (0.03, 0.06),
    "coil_bias": (0.03, 0.15),
    "resolution_mm": (0.55, 0.9),
    "noise": (0.07, 0.14),
    "ghosting": (0.0, 0.015),
}
"""Range of the uniform distribution of each parameter in `TofParameters.sample`.

Sequence settings span common clinical protocols at 1.5 and 3 T (Saloner et al., Top Magn
Reson Imaging 1995; the IXI and Lausanne protocols); the rest was chosen so that simulated
intensities match measured ones (see docs/simulation.md).
"""


@dataclass(frozen=True)
class TofParameters:
    """Acquisition and tissue parameters of a simulated TOF MRA.

    Parameters
    ----------
    field_strength_t : float
        1.5 to 3; determines the T1 of blood and tissue.
    repetition_time_ms, flip_angle_deg : float
        Of the spoiled gradient echo sequence.
    flip_ramp : float
        Increase of the flip angle from the lower to the upper edge of a slab, as a fraction of
        its mean (tilted optimised non-saturating excitation, TONE).
    slab_thickness_mm, slab_edge_mm : float
        Thickness of a slab, and width of the flip angle falloff at each edge.
    slab_offset : float
        Start of a slab below the lowest slice, 0 to 1 slab thicknesses.
    blood_velocity_mm_s : float
        Mean velocity in an artery of 1.5 mm radius.
    velocity_exponent : float
        Exponent of the dependence of velocity on radius.
    flow_unevenness : float
        Relative standard deviation of the blood signal along and across arteries.
    siphon_loss : float
        Share of the signal lost to intravoxel dephasing in the sharpest bends.
    magnetisation_transfer : float
        Share of the tissue signal that off-resonance pulses saturate; none of CSF and blood.
    fat_suppression : float
        Share of the fat signal that is suppressed or out of phase.
    cistern_width_mm : float
        Width of the CSF around the arteries.
    texture : float
        Relative standard deviation of the tissue texture.
    coil_bias : float
        Standard deviation of the receive field's logarithm.
    resolution_mm : float
        Acquired voxel size in the slice; smaller voxels are interpolated.
    noise : float
        Standard deviation of the noise in each channel, relative to white matter.
    ghosting : float
        Ghosts of pulsating arteries along the phase-encoding axis, relative to them.

    Raises
    ------
    CowganError
        A value is not finite or out of range.
    """

    field_strength_t: float = 3.0
    repetition_time_ms: float = 23.0
    flip_angle_deg: float = 19.0
    flip_ramp: float = 0.2
    slab_thickness_mm: float = 60.0
    slab_edge_mm: float = 5.0
    slab_offset: float = 0.4
    blood_velocity_mm_s: float = 320.0
    velocity_exponent: float = 0.85
    flow_unevenness: float = 0.06
    siphon_loss: float = 0.3
    magnetisation_transfer: float = 0.3
    fat_suppression: float = 0.6
    cistern_width_mm: float = 3.2
    texture: float = 0.045
    coil_bias: float = 0.08
    resolution_mm: float = 0.7
    noise: float = 0.1
    ghosting: float = 0.007

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not (isinstance(value, int | float) and np.isfinite(value) and value >= 0):
                raise CowganError(f"The simulator's {name} must be a number from 0, not {value!r}.")
        for name in _POSITIVE:
            if getattr(self, name) == 0:
                raise CowganError(f"The simulator's {name} must be above 0.")
        for name in _SHARES:
            if getattr(self, name) > 1:
                raise CowganError(f"The simulator's {name} is a share, from 0 to 1.")
        if not 1 <= self.field_strength_t <= 7:
            raise CowganError("The simulator's field_strength_t must lie between 1 and 7.")
        if self.flip_angle_deg > 90:
            raise CowganError("The simulator's flip_angle_deg must not exceed 90.")

    @classmethod
    def sample(cls, seed: int) -> "TofParameters":
        """Return parameters drawn uniformly from `RANGES`, determined by the seed."""
        draw = stream("TOF parameters", seed)
        return cls(**{name: float(draw.uniform(*span)) for name, span in RANGES.items()})

    def to_dict(self) -> dict[str, float]:
        """Return the parameters by name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "TofParameters":
        """Return parameters from the result of `to_dict`; missing ones have their default."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(stored) - known):
            raise CowganError(f"The simulator has no parameter {unknown[0]!r}.")
        return cls(**stored)


_POSITIVE = ("repetition_time_ms", "slab_thickness_mm", "blood_velocity_mm_s", "resolution_mm")
_SHARES = ("slab_offset", "siphon_loss", "magnetisation_transfer", "fat_suppression", "ghosting")
