"""A voxel grid in millimetres around the Circle of Willis, and smooth noise on it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Field = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class CircleGrid:
    """A voxel grid with coordinates relative to the centre of the circle.

    Parameters
    ----------
    shape : tuple of int
        Voxels along (z, x, y).
    spacing_mm : tuple of float
        Voxel size along (z, x, y).
    centre_mm : tuple of float
        Position of the centre of the circle, from the first voxel.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    centre_mm: tuple[float, float, float]

    @cached_property
    def axes_mm(self) -> tuple[Field, Field, Field]:
        """Coordinates along superior, left and anterior, shaped to broadcast."""
        z, x, y = (
            (np.arange(n) * size - middle).astype(np.float32)
            for n, size, middle in zip(self.shape, self.spacing_mm, self.centre_mm, strict=True)
        )
        return z[:, None, None], x[:, None], y

    def noise(self, random: np.random.RandomState, scale_mm: float) -> Field:
        """Return smooth noise of unit variance with a length scale of `scale_mm`.

        It is a cubic B-spline with random coefficients `scale_mm` apart.
        """
        bases = [
            _spline_basis(n, size / scale_mm, random.uniform())
            for n, size in zip(self.shape, self.spacing_mm, strict=True)
        ]
        field: Field = random.standard_normal([basis.shape[1] for basis in bases]).astype(
            np.float32
        )
        for basis in bases:
            # Sparse, since the rounding of a dense product depends on the number of threads.
            sums = csr_array(basis) @ field.reshape(len(field), -1)
            # Cycles the axes, so that each basis acts on the first axis.
            field = np.moveaxis(sums.reshape(-1, *field.shape[1:]), 0, -1)
        return np.ascontiguousarray(field)


def _spline_basis(n: int, step: float, phase: float) -> Field:
    """Return cubic B-splines sampled at n points, shape (n, coefficients), of unit mean power."""
    place = phase + np.arange(n) * step
    knots = np.arange(int(place[-1]) + 4) - 1
    distance = np.abs(place[:, None] - knots)
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.maximum(2 - distance, 0) ** 3 / 6
    basis = np.where(distance < 1, near, far)
    power = np.mean((basis**2).sum(axis=1))
    return (basis / np.sqrt(power)).astype(np.float32)
