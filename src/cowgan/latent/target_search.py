"""The position along a direction at which a measured value is reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

LIMIT_SIGMAS = 4.0
"""Farther out, volumes are none that the model would make by itself."""
_TRIES = 10
_LEAST_SLOPE = 0.2
"""Least slope to extrapolate by, as a share of the expected one: a flat stretch must not throw the
search to the limit."""


@dataclass(frozen=True)
class Reached:
    """Where a search ended.

    Attributes
    ----------
    sigmas : float
        Position along the direction.
    value : float
        Measured there.
    within : bool
        Whether the value is within the tolerance of the target.
    """

    sigmas: float
    value: float
    within: bool


def reach(
    value_at: Callable[[float], float],
    target: float,
    start: float,
    per_sigma: float,
    tolerance: float,
    known: Mapping[float, float] | None = None,
) -> Reached:
    """Find the position at which a value is measured, by the secant method.

    Once two neighbouring positions enclose the target, the search stays between them.

    Parameters
    ----------
    value_at : callable
        Measures at a position; NaN where there is nothing to measure.
    target : float
        Value wanted.
    start : float
        Position to measure first.
    per_sigma : float
        Expected change of the value per sigma, positive.
    tolerance : float
        Largest distance from the target.
    known : dict of float to float, optional
        Values that have been measured, by position.

    Returns
    -------
    Reached
        The position nearest to the target of those that were measured, at most
        `LIMIT_SIGMAS` from 0.
    """
    measured = dict(known or {})
    position = float(np.clip(start, -LIMIT_SIGMAS, LIMIT_SIGMAS))
    for _ in range(_TRIES):
        measured[position] = value = value_at(position)
        if abs(value - target) <= tolerance:
            break
        following = _next(measured, position, target, per_sigma)
        if following is None:
            break
        position = following
    finite = [at for at, value in measured.items() if np.isfinite(value)]
    if not finite:
        return Reached(start, float("nan"), False)
    nearest = min(finite, key=lambda at: abs(measured[at] - target))
    return Reached(nearest, measured[nearest], abs(measured[nearest] - target) <= tolerance)


def _next(
    measured: dict[float, float], position: float, target: float, per_sigma: float
) -> float | None:
    """Return the next position to measure; None if there is none."""
    value = measured[position]
    if not np.isfinite(value):
        # The artery is gone: go half way back to where it was there.
        there = [at for at, found in measured.items() if np.isfinite(found)]
        return (position + min(there, key=lambda at: abs(at - position))) / 2 if there else None
    known = sorted(at for at, found in measured.items() if np.isfinite(found))
    enclosing = [
        pair
        for pair in pairwise(known)
        if (measured[pair[0]] < target) != (measured[pair[1]] < target)
    ]
    if enclosing:
        low, high = min(enclosing, key=lambda pair: pair[1] - pair[0])
        share = (target - measured[low]) / (measured[high] - measured[low])
        # Not too near an end, where a jump of the value would hold the search.
        following = low + (high - low) * float(np.clip(share, 0.1, 0.9))
        return None if following in measured else following
    slope = per_sigma
    if len(known) > 1:
        other = min((at for at in known if at != position), key=lambda at: abs(at - position))
        slope = (value - measured[other]) / (position - other)
    slope = max(slope, _LEAST_SLOPE * per_sigma)
    following = float(np.clip(position + (target - value) / slope, -LIMIT_SIGMAS, LIMIT_SIGMAS))
    return None if following in measured else following
