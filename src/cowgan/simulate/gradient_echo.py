"""Spoiled gradient echo signal of static tissue and flowing blood.

Equations as in Haacke et al., Magnetic Resonance Imaging, 2nd ed. 2014, sections 18.1 and
24.2; times in ms, angles in radians, signal relative to the equilibrium magnetisation.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

_T1_MS_AT_1_5_AND_3_T = {
    "blood": (1441.0, 1932.0),
    "white matter": (884.0, 1084.0),
    "grey matter": (1124.0, 1820.0),
    "CSF": (4000.0, 4000.0),
    "fat": (343.0, 382.0),
    "muscle": (1008.0, 1412.0),
}


def t1_ms(material: str, field_strength_t: float) -> float:
    """Return the longitudinal relaxation time.

    Blood, brain and muscle after Stanisz et al., Magn Reson Med 2005; fat after de
    Bazelaire et al., Radiology 2004; CSF rounded. Other field strengths by
    log-linear interpolation and extrapolation.
    """
    low, high = _T1_MS_AT_1_5_AND_3_T[material]
    return float(low * (high / low) ** (np.log(field_strength_t / 1.5) / np.log(2.0)))


def steady_state(
    flip_angle: ArrayLike, repetition_time_ms: float, t1: float
) -> NDArray[np.float64]:
    """Return the signal after very many pulses (Ernst)."""
    flip_angle = np.asarray(flip_angle)
    return np.asarray(np.sin(flip_angle) * _saturated(flip_angle, repetition_time_ms, t1))


def after_pulses(
    pulses: ArrayLike, flip_angle: ArrayLike, repetition_time_ms: float, t1: float
) -> NDArray[np.float64]:
    """Return the signal of spins that have met `pulses` pulses since they were fresh."""
    flip_angle = np.asarray(flip_angle)
    saturated = _saturated(flip_angle, repetition_time_ms, t1)
    kept = np.cos(flip_angle) * np.exp(-repetition_time_ms / t1)
    magnetisation = saturated + (1 - saturated) * kept ** np.asarray(pulses)
    return np.asarray(np.sin(flip_angle) * magnetisation)


def _saturated(
    flip_angle: NDArray[np.float64], repetition_time_ms: float, t1: float
) -> NDArray[np.float64]:
    decay = np.exp(-repetition_time_ms / t1)
    return np.asarray((1 - decay) / (1 - np.cos(flip_angle) * decay))
