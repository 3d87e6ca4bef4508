"""Cubic smoothing splines through few points.

`scipy.interpolate.make_smoothing_spline` finds the same curves, in ten times as long: for curves of
some tens of points it spends nearly all of its time on checks and sparse matrices.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

_Numbers = NDArray[np.float64]


def smoothing_spline(
    way: _Numbers, points: _Numbers, weight: _Numbers, strength: float, at: _Numbers
) -> _Numbers:
    """Return points of the natural cubic spline that is near some points, and smooth.

    It is the curve f of least ``sum(weight * |points - f(way)|²) + strength * integral(|f''|²)``
    (Reinsch, Numerische Mathematik 10:177, 1967).

    Parameters
    ----------
    way : ndarray, shape (n,)
        Places of the points, increasing; at least three.
    points : ndarray, shape (n, k)
        The points.
    weight : ndarray, shape (n,)
        How much each counts, positive.
    strength : float
        How smooth the curve is, positive.
    at : ndarray, shape (m,)
        Where the curve is wanted, from the first to the last place.

    Returns
    -------
    ndarray, shape (m, k)
    """
    step = np.diff(way)
    before, after = 1 / step[:-1], 1 / step[1:]
    # Second differences of values f are `before * f[:-2] + middle * f[1:-1] + after * f[2:]`.
    middle = -before - after
    spread = strength / weight
    bands = np.zeros((3, len(way) - 2))
    bands[0] = (step[:-1] + step[1:]) / 3
    bands[0] += before**2 * spread[:-2] + middle**2 * spread[1:-1] + after**2 * spread[2:]
    bands[1, :-1] = step[1:-1] / 6
    bands[1, :-1] += after[:-1] * middle[1:] * spread[2:-1]
    bands[1, :-1] += middle[:-1] * before[1:] * spread[1:-2]
    bands[2, :-2] = after[:-2] * before[2:] * spread[2:-2]
    slopes = np.diff(points, axis=0) / step[:, None]
    bend = np.zeros_like(points)
    bend[1:-1] = solveh_banded(
        bands, np.diff(slopes, axis=0), overwrite_ab=True, overwrite_b=True, lower=True
    )
    force = np.zeros_like(points)
    force[:-2] += before[:, None] * bend[1:-1]
    force[1:-1] += middle[:, None] * bend[1:-1]
    force[2:] += after[:, None] * bend[1:-1]
    values = points - spread[:, None] * force
    return _between(way, values, bend, at)


def _between(way: _Numbers, values: _Numbers, bend: _Numbers, at: _Numbers) -> _Numbers:
    """Return a cubic spline, given by its values and second derivatives, at other places."""
    left = np.clip(np.searchsorted(way, at, side="right") - 1, 0, len(way) - 2)
    step = (way[left + 1] - way[left])[:, None]
    done, rest = (at - way[left])[:, None], (way[left + 1] - at)[:, None]
    straight = (done * values[left + 1] + rest * values[left]) / step
    curved = (1 + done / step) * bend[left + 1] + (1 + rest / step) * bend[left]
    return np.asarray(straight - done * rest / 6 * curved)
