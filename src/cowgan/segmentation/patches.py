"""Patches of labelled cases, drawn so that rare arteries are seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.segmentation.labelled_cases import LabelledCase, LabelledCases

Corner = tuple[int, int, int]


@dataclass(frozen=True)
class PatchSampler:
    """Draws patches of labelled cases.

    Parameters
    ----------
    cases : LabelledCases
        What is drawn from.
    shape : tuple of int
        Voxels of a patch along (z, x, y); cases that are smaller are surrounded by zeros.
    rare_share : float
        Share of patches around a voxel of an artery. The artery is drawn first, each as likely,
        then a case that has it, so that rare arteries are not rare among patches.
    """

    cases: LabelledCases
    shape: tuple[int, int, int]
    rare_share: float

    def draw(self, random: np.random.RandomState) -> tuple[LabelledCase, Corner]:
        """Return a case, and the first voxel of a patch of it, which may be outside."""
        if random.uniform() < self.rare_share and self._having:
            artery = sorted(self._having)[random.randint(len(self._having))]
            having = self._having[artery]
            case = having[random.randint(len(having))]
            voxels = np.flatnonzero(case.labels == artery)
            centre = np.unravel_index(voxels[random.randint(len(voxels))], case.labels.shape)
            # Off the centre, or an artery would always be in the middle of the network's view.
            offset = [int(n * random.uniform(0.25, 0.75)) for n in self.shape]
            corner = [int(c) - o for c, o in zip(centre, offset, strict=True)]
        else:
            case = self.cases.cases[random.randint(len(self.cases))]
            corner = [
                int(random.uniform() * (total - n + 1))
                for total, n in zip(case.labels.shape, self.shape, strict=True)
            ]
        return case, self._inside(corner, case.labels.shape)

    @cached_property
    def _having(self) -> dict[int, Sequence[LabelledCase]]:
        """The cases that have an artery, by label."""
        return {
            value: having
            for value in self.cases.scheme.labels
            if (having := [case for case in self.cases.cases if value in case.present])
        }

    def _inside(self, corner: Sequence[int], total: Sequence[int]) -> Corner:
        """Return the corner moved so that the patch covers as much of the case as it can."""
        z, x, y = (
            int(np.clip(first, 0, size - n)) if size >= n else (size - n) // 2
            for first, size, n in zip(corner, total, self.shape, strict=True)
        )
        return z, x, y


def crop(array: NDArray[Any], corner: Corner, shape: tuple[int, int, int]) -> NDArray[Any]:
    """Return a part of an array, with zeros where it lies outside.

    Parameters
    ----------
    array : ndarray, shape (z, x, y)
        The array.
    corner : tuple of int
        Index of the first voxel, which may be negative.
    shape : tuple of int
        Size of the part.
    """
    part = np.zeros(shape, array.dtype)
    starts = [max(0, -first) for first in corner]
    stops = [
        min(n, total - first) for n, total, first in zip(shape, array.shape, corner, strict=True)
    ]
    own = tuple(slice(a, max(a, b)) for a, b in zip(starts, stops, strict=True))
    there = tuple(
        slice(first + one.start, first + one.stop) for first, one in zip(corner, own, strict=True)
    )
    part[own] = array[there]
    return part
