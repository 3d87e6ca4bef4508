"""Tubes of known length, radius and loops, at any position relative to the voxels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

TEMPLATE = (0.62, 0.61875, 0.61875)
_STEP_MM = 0.05


@dataclass(frozen=True, eq=False)
class Shape:
    mask: NDArray[np.bool_]
    spacing_mm: tuple[float, float, float]
    length_mm: float
    volume_mm3: float


def line(length_mm: float) -> NDArray[np.float64]:
    along = np.linspace(0, length_mm, round(length_mm / _STEP_MM) + 1)
    return np.stack([along, 0 * along, 0 * along], axis=1)


def helix(radius_mm: float, pitch_mm: float, turns: float) -> NDArray[np.float64]:
    angle = np.linspace(0, 2 * np.pi * turns, round(2 * np.pi * turns * radius_mm / _STEP_MM))
    x, y, z = radius_mm * np.cos(angle), radius_mm * np.sin(angle), angle / (2 * np.pi) * pitch_mm
    return np.stack([z, x, y], axis=1)


def circle(radius_mm: float) -> NDArray[np.float64]:
    return helix(radius_mm, 0, 1)


def rotation(random: np.random.Generator) -> NDArray[np.float64]:
    q, r = np.linalg.qr(random.normal(size=(3, 3)))
    q *= np.sign(np.diag(r))
    q[:, 0] *= np.linalg.det(q)
    return q


def tube(
    curve_mm: NDArray[np.float64],
    radius_mm: float,
    spacing_mm: tuple[float, float, float] = TEMPLATE,
    seed: int | None = None,
) -> Shape:
    """Return a tube with flat ends; with a seed, turned and moved at random."""
    if seed is not None:
        random = np.random.default_rng(seed)
        curve_mm = curve_mm @ rotation(random).T + random.random(3)
    length = float(np.linalg.norm(np.diff(curve_mm, axis=0), axis=1).sum())
    spacing = np.array(spacing_mm)
    corner = curve_mm.min(axis=0) - radius_mm - 2 * spacing
    shape = np.ceil((np.ptp(curve_mm, axis=0) + 2 * radius_mm) / spacing).astype(int) + 5
    centres = np.moveaxis(np.indices(shape), 0, -1).reshape(-1, 3) * spacing + corner
    distance, nearest = cKDTree(curve_mm).query(centres, distance_upper_bound=radius_mm)
    inside = np.isfinite(distance)
    if np.linalg.norm(curve_mm[0] - curve_mm[-1]) > 1e-6:
        for end, next_to_it in ((0, 1), (len(curve_mm) - 1, len(curve_mm) - 2)):
            outwards = curve_mm[end] - curve_mm[next_to_it]
            beyond = (centres - curve_mm[end]) @ outwards > 0
            inside &= ~((nearest == end) & beyond)
    return Shape(inside.reshape(shape), spacing_mm, length, np.pi * radius_mm**2 * length)


def tree(
    parts: list[tuple[NDArray[np.float64], float]],
    spacing_mm: tuple[float, float, float] = TEMPLATE,
    seed: int = 0,
) -> NDArray[np.bool_]:
    """Return the union of tubes (curve in mm, radius in mm) with round ends, turned at random."""
    random = np.random.default_rng(seed)
    turn, shift = rotation(random).T, random.random(3)
    parts = [(curve @ turn + shift, radius) for curve, radius in parts]
    spacing = np.array(spacing_mm)
    margin = max(radius for _, radius in parts) + 2 * spacing
    everything = np.concatenate([curve for curve, _ in parts])
    corner = everything.min(axis=0) - margin
    shape = np.ceil((np.ptp(everything, axis=0) + 2 * margin) / spacing).astype(int)
    centres = np.moveaxis(np.indices(shape), 0, -1).reshape(-1, 3) * spacing + corner
    inside = np.zeros(len(centres), dtype=bool)
    for curve, radius in parts:
        inside |= cKDTree(curve).query(centres)[0] < radius
    return inside.reshape(shape)
