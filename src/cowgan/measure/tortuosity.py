"""How much vessels wind."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cowgan.measure.branches import Tube
from cowgan.measure.centreline import arc_length

LEAST_MM = 8.0
"""Shorter vessels are left out: over them, voxel steps and the ends tell more than the course."""

STEP_MM = 1.0
"""Step of the curves whose angles are summed. With a shorter one the sum grows."""

_LEAST_CHORD_MM = 2.0


@dataclass(frozen=True)
class Tortuosity:
    """Tortuosity of vessels of 8 mm or more between two nodes; 0 without any.

    Closed loops, and vessels whose ends are less than 2 mm apart, are left out.

    Parameters
    ----------
    vessels : int
        Number of these vessels.
    mean_length_mm : float
        Their mean length.
    distance_metric : float
        Path divided by chord (Bullitt et al., TMI 22:1163, 2003), 1 for a straight vessel;
        mean weighted by length.
    median_distance_metric : float
        Its median, weighted by length: the mean depends on few vessels.
    turning_rad_per_mm : float
        Mean angle between successive steps of 1 mm, divided by the step: the sum of angles
        metric, which is the curvature of a smooth curve.
    """

    vessels: int = 0
    mean_length_mm: float = 0.0
    distance_metric: float = 0.0
    median_distance_metric: float = 0.0
    turning_rad_per_mm: float = 0.0


def tortuosity(tubes: Iterable[Tube]) -> Tortuosity:
    """Return the tortuosity of vessels."""
    found = []
    for tube in tubes:
        length, curve = float(tube.length_mm.sum()), tube.curve_mm
        chord = float(np.linalg.norm(curve[-1] - curve[0]))
        if length >= LEAST_MM and chord >= _LEAST_CHORD_MM:
            found.append((length, arc_length(curve)[-1] / chord, turning_angles(curve)))
    if not found:
        return Tortuosity()
    lengths, metrics = np.array([one[:2] for one in found]).T
    order = np.argsort(metrics)
    half = np.searchsorted(np.cumsum(lengths[order]), lengths.sum() / 2)
    return Tortuosity(
        vessels=len(found),
        mean_length_mm=float(lengths.mean()),
        distance_metric=float(np.average(metrics, weights=lengths)),
        median_distance_metric=float(metrics[order][half]),
        turning_rad_per_mm=float(np.concatenate([one[2] for one in found]).mean() / STEP_MM),
    )


def turning_angles(curve_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the angles in radians between successive steps of 1 mm along a curve.

    What is left over of a step is cut off at both ends alike, so that neither direction counts
    more.

    Parameters
    ----------
    curve_mm : ndarray, shape (n, 3)
        Points much closer than a step.
    """
    way = arc_length(curve_mm)
    steps = int(way[-1] / STEP_MM)
    at = (way[-1] - steps * STEP_MM) / 2 + np.arange(steps + 1) * STEP_MM
    step = np.diff([np.interp(at, way, axis) for axis in curve_mm.T]).T
    before, after = step[:-1], step[1:]
    return np.arctan2(np.linalg.norm(np.cross(before, after), axis=1), (before * after).sum(axis=1))
