"""The posterior communicating arteries, followed along centrelines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from cowgan.measure.artery_courses import ArteryCourse
from cowgan.measure.branches import Tube
from cowgan.measure.communicating import BACK, FRONT, MIDDLE

_LONGEST_MM = 35.0
"""Way from the anterior to the posterior arteries; longer ones lead through other arteries."""
_STRETCH_MM = 6.0
"""Length of the thinnest stretch of that way: less than the whole artery, of which the ends lie
within the arteries that it joins."""
_LONGEST_PIECE_MM = 1.0
"""Pieces at free ends include the tip beyond them, which is no part of a way."""


@dataclass(frozen=True, eq=False)
class CommunicatingCourse(ArteryCourse):
    """The thinnest stretch of a posterior communicating artery.

    Attributes
    ----------
    way : ArteryCourse
        All of the way from the anterior to the posterior arteries.
    """

    way: ArteryCourse


class BodySide(Enum):
    """A side of the body."""

    LEFT = "left"
    RIGHT = "right"


def communicating_courses(
    tubes: Sequence[Tube], shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]
) -> dict[BodySide, CommunicatingCourse]:
    """Return the posterior communicating arteries of a volume.

    One is there if a way along vessels leads from the anterior to the posterior arteries on its
    side, as in `cowgan.measure.communicating.sides_joined`, that is not longer than 35 mm. Its
    course is the thinnest stretch of 6 mm of the shortest way.

    Parameters
    ----------
    tubes : sequence of Tube
        All vessels, see `cowgan.measure.branches.find_tubes`.
    shape : tuple of int
        Voxels (z, x, y) of a volume centred on the Circle of Willis, in the axes of
        `cowgan.volume`: left and anterior are at high indices.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).

    Returns
    -------
    dict of BodySide to CommunicatingCourse
        Of the arteries that are there.
    """
    if not tubes:
        return {}
    pieces = _Pieces(tubes)
    share = pieces.points_mm / (np.array(shape) * spacing_mm)
    front, back = share[:, 2] > FRONT, share[:, 2] < BACK
    found = {}
    for side, own in (
        (BodySide.RIGHT, share[:, 1] < 0.5 - MIDDLE),
        (BodySide.LEFT, share[:, 1] > 0.5 + MIDDLE),
    ):
        way = pieces.shortest_way(own & front, own & back, own)
        if len(way) and pieces.steps_mm[way].sum() <= _LONGEST_MM:
            thinnest = pieces.course(_thinnest(pieces.radius_mm[way], pieces.steps_mm[way], way))
            found[side] = CommunicatingCourse(**vars(thinnest), way=pieces.course(way))
    return found


def gap_between(
    tubes: Sequence[Tube],
    side: BodySide,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
) -> NDArray[np.float64] | None:
    """Return the ends of the shortest gap between anterior and posterior arteries of a side.

    Parameters
    ----------
    tubes, shape, spacing_mm
        As for `communicating_courses`.
    side : BodySide
        A side without communicating artery.

    Returns
    -------
    ndarray, shape (2, 3), or None
        Points on centrelines along (z, x, y) in mm, the anterior one first; None if there are no
        anterior or no posterior arteries.
    """
    if not tubes:
        return None
    pieces = _Pieces(tubes)
    share = pieces.points_mm / (np.array(shape) * spacing_mm)
    own = share[:, 1] < 0.5 - MIDDLE if side is BodySide.RIGHT else share[:, 1] > 0.5 + MIDDLE
    front = pieces.points_mm[pieces.reached(own & (share[:, 2] > FRONT), own)]
    back = pieces.points_mm[pieces.reached(own & (share[:, 2] < BACK), own)]
    if not len(front) or not len(back):
        return None
    distance, nearest = cKDTree(back).query(front)
    at = int(np.argmin(distance))
    return np.stack([front[at], back[nearest[at]]])


class _Pieces:
    """The pieces of all centrelines as a graph, in which tubes meet at their nodes."""

    def __init__(self, tubes: Sequence[Tube]) -> None:
        curves = [tube.curve_mm for tube in tubes]
        self.points_mm = np.concatenate([(curve[1:] + curve[:-1]) / 2 for curve in curves])
        self.radius_mm = np.concatenate([tube.radius_mm for tube in tubes])
        self.length_mm = np.concatenate([tube.length_mm for tube in tubes])
        self.steps_mm = self.length_mm.clip(max=_LONGEST_PIECE_MM)
        self._edges = np.array(list(self._joined(tubes)))

    def _joined(self, tubes: Sequence[Tube]) -> Iterator[tuple[int, int]]:
        """Yield the pieces that follow each other, and those that lie at a node, after them."""
        first, count = 0, len(self.points_mm)
        for tube in tubes:
            last = first + len(tube.length_mm) - 1
            yield from pairwise(range(first, last + 1))
            yield first, count + tube.nodes[0]
            yield last, count + tube.nodes[1]
            first = last + 1

    def shortest_way(
        self, start: NDArray[np.bool_], end: NDArray[np.bool_], within: NDArray[np.bool_]
    ) -> NDArray[np.intp]:
        """Return the pieces of the shortest way between two sets of pieces; none without one."""
        starts, ends, count = np.flatnonzero(start), np.flatnonzero(end), len(within)
        if not len(starts) or not len(ends):
            return np.empty(0, np.intp)
        distance, before, _ = dijkstra(
            self._graph(within),
            directed=False,
            indices=starts,
            return_predecessors=True,
            min_only=True,
        )
        at = ends[np.argmin(distance[ends])]
        if not np.isfinite(distance[at]):
            return np.empty(0, np.intp)
        way = []
        while at >= 0:
            way.append(at)
            at = before[at]
        return np.array([piece for piece in way if piece < count])

    def reached(self, start: NDArray[np.bool_], within: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the pieces to which a way leads from some."""
        number = connected_components(self._graph(within), directed=False)[1][: len(within)]
        return within & np.isin(number, number[start])

    def _graph(self, within: NDArray[np.bool_]) -> csr_array:
        """Return the distances of the pieces and nodes that follow each other within a part."""
        nodes = max(int(self._edges.max()) + 1 - len(within), 0)
        allowed = np.concatenate([within, np.ones(nodes, bool)])
        edges = self._edges[allowed[self._edges].all(axis=1)]
        half = np.concatenate([self.steps_mm, np.zeros(nodes)]) / 2
        shape = 2 * (len(allowed),)
        return coo_array((half[edges].sum(axis=1), tuple(edges.T)), shape=shape).tocsr()

    def course(self, pieces: NDArray[np.intp]) -> ArteryCourse:
        """Return some pieces as the course of an artery."""
        return ArteryCourse(self.points_mm[pieces], self.radius_mm[pieces], self.steps_mm[pieces])


def _thinnest(
    radius: NDArray[np.float64], steps: NDArray[np.float64], way: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return the stretch of a way with the least mean radius, all of it if it is short."""
    covered = np.concatenate([[0.0], np.cumsum(steps)])
    weighted = np.concatenate([[0.0], np.cumsum(steps * radius)])
    first = np.arange(len(way))
    last = np.searchsorted(covered, covered[:-1] + _STRETCH_MM)
    first, last = first[last < len(covered)], last[last < len(covered)]
    if not len(first):
        return way
    mean = (weighted[last] - weighted[first]) / (covered[last] - covered[first])
    best = int(np.argmin(mean))
    return way[first[best] : last[best]]
