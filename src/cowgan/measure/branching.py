"""How vessels branch."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cowgan.measure.branches import Tube
from cowgan.measure.centreline import arc_length

REACH_MM = 4.0
"""Path along which a branch shows its direction and radius."""

_LEAST_MM = 1.0
_DEGREE = 3


@dataclass(frozen=True)
class Branching:
    """The nodes of a network of vessels.

    Angle and ratio describe nodes at which three vessels of 4 mm or more meet; they are 0
    without any. A volume has few, so compare them over many volumes.

    Parameters
    ----------
    points : int
        Nodes at which three or more vessels meet.
    angle_deg : float
        Mean angle between the two thinner of three vessels. The direction of a vessel is that
        from the wall of the node to 4 mm beyond its centre.
    murray_ratio : float
        Median of the cubed radius of the thickest, divided by the sum of those of the others:
        1 by Murray's law.
    """

    points: int = 0
    angle_deg: float = 0.0
    murray_ratio: float = 0.0


class _Arm(NamedTuple):
    """A vessel as seen from a node."""

    direction: NDArray[np.float64]
    radius_mm: float


def branching(tubes: Iterable[Tube]) -> Branching:
    """Describe the nodes of vessels."""
    meeting = defaultdict(list)
    for tube in tubes:
        for end in (0, 1):
            meeting[tube.nodes[end]].append((tube, end))
    nodes = [ends for ends in meeting.values() if len(ends) >= _DEGREE]
    angles, ratios = [], []
    for ends in nodes:
        arms = [arm for tube, end in ends if (arm := _arm(tube, end))]
        if not len(arms) == len(ends) == _DEGREE:
            continue
        one, other, parent = sorted(arms, key=lambda arm: arm.radius_mm)
        angles.append(np.degrees(np.arccos(np.clip(one.direction @ other.direction, -1, 1))))
        ratios.append(parent.radius_mm**3 / (one.radius_mm**3 + other.radius_mm**3))
    if not angles:
        return Branching(len(nodes))
    return Branching(len(nodes), float(np.mean(angles)), float(np.median(ratios)))


def _arm(tube: Tube, end: int) -> _Arm | None:
    """Return the start of a vessel at one of its nodes, or None if it is too short to tell."""
    curve, radius = tube.curve_mm, tube.radius_mm
    if end:
        curve, radius = curve[::-1], radius[::-1]
    way, wall = arc_length(curve), tube.node_radius_mm[end]
    if way[-1] < REACH_MM or wall > REACH_MM - _LEAST_MM:
        return None
    start, stop = np.array([np.interp((wall, REACH_MM), way, axis) for axis in curve.T]).T
    middle = (way[1:] + way[:-1]) / 2
    within = (middle > wall) & (middle < REACH_MM)
    direction = (stop - start) / np.linalg.norm(stop - start)
    return _Arm(direction, float(radius[within].mean()))
