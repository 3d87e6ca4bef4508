"""Anatomies of two people: the halves of their brains, joined at the midline where they fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from cowgan.anatomy.label_schemes import LABEL_SCHEMES
from cowgan.bank.anatomies import VesselMap

LEAST_OVERLAP = 0.5
"""Least Dice coefficient of the arteries of two people about the midline. Above it, joined halves
have no more pieces than people have."""

_MIDLINE_VOXELS = 2
"""Voxels on either side of the midline in which arteries must overlap, 1.24 mm."""
_BLEND_VOXELS = 4
"""Voxels on either side of the midline in which the walls of one half become those of the other."""


@dataclass(frozen=True)
class FittingHalf:
    """The half of a person that fits the left half of another one.

    Attributes
    ----------
    index : int
        The person.
    mirrored : bool
        Whether it is the left half, mirrored.
    overlap : float
        Dice coefficient of the arteries about the midline.
    """

    index: int
    mirrored: bool
    overlap: float


@dataclass(frozen=True, eq=False)
class JoinedHalves:
    """The left half of one person and the right half, or the mirrored left one, of another.

    Parameters
    ----------
    left, other : VesselMap
        The people.
    mirrored : bool
        Whether the other half is the mirrored left one.
    """

    left: VesselMap
    other: VesselMap
    mirrored: bool

    @property
    def name(self) -> str:
        """The name of the left one, which decides about subject and split."""
        return self.left.name

    @property
    def occupancy(self) -> NDArray[np.float32]:
        """Share of each voxel that is artery, 0 to 1.

        About the midline, the distance from the wall passes smoothly from one person's to the
        other's, so that arteries that cross it have no step.
        """
        return _joined_occupancy(self)

    @property
    def label_scheme(self) -> str | None:
        """The scheme of both; none if they differ."""
        same = self.left.label_scheme == self.other.label_scheme
        return self.left.label_scheme if same else None

    @property
    def labels(self) -> NDArray[np.uint8] | None:
        """Label map on the same voxels: each artery voxel has the nearest label of its half."""
        scheme, left, right = self.label_scheme, self.left.labels, self.other.labels
        if scheme is None or left is None or right is None:
            return None
        if self.mirrored:
            right = LABEL_SCHEMES[scheme].mirrored(right)
        middle = left.shape[1] // 2
        of_halves = np.concatenate([right[:, :middle], left[:, middle:]], axis=1)
        nearest = distance_transform_edt(
            of_halves == 0, return_distances=False, return_indices=True
        )
        labels: NDArray[np.uint8] = np.where(
            self.occupancy >= 0.5, of_halves[tuple(nearest)], np.uint8(0)
        )
        return labels

    @property
    def provenance(self) -> dict[str, Any]:
        """Those of both."""
        return {
            "left_half": self.left.provenance,
            "right_half": self.other.provenance,
            "right_half_mirrored": self.mirrored,
        }


def fitting_halves(
    anatomies: Sequence[VesselMap], most: int, least_overlap: float = LEAST_OVERLAP
) -> list[list[FittingHalf]]:
    """Find the halves that fit the left half of each person best.

    Parameters
    ----------
    anatomies : sequence of VesselMap
        The people.
    most : int
        Halves for each person, at most.
    least_overlap : float
        Least Dice coefficient of the arteries about the midline.

    Returns
    -------
    list of list of FittingHalf
        For each person, the best first; of one other person only one half.
    """
    if len(anatomies) < 2:
        return [[] for _ in anatomies]
    masks = np.stack([_about_midline(each) for each in anatomies])
    as_is = masks.reshape(len(masks), -1).astype(np.float32)
    mirrored = masks[:, :, ::-1].reshape(len(masks), -1).astype(np.float32)
    sizes = as_is.sum(1)
    total = np.maximum(sizes[:, None] + sizes, 1)
    overlaps = np.stack([2 * (as_is @ each.T) / total for each in (as_is, mirrored)])
    best, is_mirrored = overlaps.max(0), overlaps[1] > overlaps[0]
    np.fill_diagonal(best, -1)
    found = []
    for person, row in enumerate(best):
        order = np.argsort(-row, kind="stable")[:most]
        found.append(
            [
                FittingHalf(int(other), bool(is_mirrored[person, other]), float(row[other]))
                for other in order
                if row[other] >= least_overlap
            ]
        )
    return found


@lru_cache(maxsize=1)
def _joined_occupancy(halves: JoinedHalves) -> NDArray[np.float32]:
    """Return what `JoinedHalves.occupancy` tells; the last one, which labels need too, is kept."""
    left, right = halves.left.occupancy, halves.other.occupancy
    if halves.mirrored:
        right = right[:, ::-1]
    middle = left.shape[1] // 2
    joined = np.concatenate([right[:, :middle], left[:, middle:]], axis=1)
    seam = slice(middle - _BLEND_VOXELS, middle + _BLEND_VOXELS)
    share = (np.arange(2 * _BLEND_VOXELS, dtype=np.float32) + 0.5) / (2 * _BLEND_VOXELS)
    share = share[:, None]
    depth = share * _depth(left)[:, seam] + (1 - share) * _depth(right)[:, seam]
    joined[:, seam] = np.clip(depth + 0.5, 0, 1)
    joined.setflags(write=False)
    return joined


def _about_midline(anatomy: VesselMap) -> NDArray[np.bool_]:
    middle = anatomy.stored.shape[1] // 2
    about: NDArray[np.bool_] = (
        anatomy.stored[:, middle - _MIDLINE_VOXELS : middle + _MIDLINE_VOXELS] > 127
    )
    return about


def _depth(occupancy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how deep each voxel lies below the wall of an artery, in voxels; negative outside."""
    inside = occupancy >= 0.5
    inner, outer = distance_transform_edt(inside), distance_transform_edt(~inside)
    depth = np.where(inside, inner - 0.5, 0.5 - outer).astype(np.float32)
    # Of voxels that the wall passes through, their filling tells it more finely.
    partial = (occupancy > 0) & (occupancy < 1)
    depth[partial] = occupancy[partial] - 0.5
    return depth
