import analytic_shapes as shapes
import numpy as np
import pytest

from cowgan.measure.centreline import arc_length, prune, smooth, trace
from cowgan.skeleton import Skeleton, skeletonize_mask

SPACING_MM = (1.0, 1.0, 1.0)


def drawn(*rows: str, radius_mm: float = 0.5) -> Skeleton:
    """Return a flat skeleton drawn with # signs."""
    voxels = np.argwhere(np.array([[c == "#" for c in row] for row in rows])[None])
    return Skeleton(voxels, SPACING_MM, np.full(len(voxels), radius_mm))


def test_nothing_has_no_branches():
    empty = skeletonize_mask(np.zeros((3, 3, 3), bool), SPACING_MM)
    assert prune(trace(empty)) == []


def test_a_chain_is_one_branch_from_end_to_end():
    (branch,) = trace(drawn("#    ", " #   ", "  ###"))
    assert branch.free == (True, True)
    assert len(branch.points_mm) == 5
    assert branch.length_mm == pytest.approx(2 + 2 * np.sqrt(2))


def test_a_single_voxel_is_a_branch_of_no_length():
    (branch,) = trace(drawn("#"))
    assert branch.length_mm == 0
    assert branch.free == (True, True)


def test_a_ring_is_one_closed_branch():
    (branch,) = trace(drawn(" ## ", "#  #", "#  #", " ## "))
    assert branch.closed
    assert branch.free == (False, False)
    assert branch.length_mm == pytest.approx(4 + 4 * np.sqrt(2))


def test_a_cross_has_four_branches_at_one_node():
    branches = trace(
        drawn("   #   ", "   #   ", "   #   ", "#######", "   #   ", "   #   ", "   #   ")
    )
    assert len(branches) == 4
    junctions = {
        node for b in branches for node, free in zip(b.nodes, b.free, strict=True) if not free
    }
    assert len(junctions) == 1
    assert sum(b.length_mm for b in branches) == pytest.approx(12)


def test_a_ladder_is_cut_at_its_junctions():
    bar = "#" * 10
    branches = trace(drawn(bar, *["  #    #  "] * 6, bar))
    ends = sum(sum(b.free) for b in branches)
    assert (len(branches), ends) == (8, 4)


def test_every_voxel_that_is_no_junction_is_on_one_branch():
    mask = shapes.tree([(shapes.helix(4, 4, 1.5), 1.0), (shapes.line(12), 1.2)], seed=3)
    skeleton = skeletonize_mask(mask, SPACING_MM)
    degree = np.diff(skeleton.links_mm.indptr)
    plain = {tuple(p) for p in skeleton.points_mm[degree <= 2]}
    found = [tuple(p) for b in trace(skeleton) for p in b.points_mm if tuple(p) in plain]
    assert plain == set(found)


def test_a_spur_goes_and_the_rest_is_joined():
    skeleton = drawn("    #    ", "#########", radius_mm=1.5)
    (branch,) = prune(trace(skeleton))
    assert branch.free == (True, True)
    assert branch.length_mm == pytest.approx(8, abs=0.5)


def test_a_branch_longer_than_the_vessel_is_wide_stays():
    rows = ["    #    "] * 6 + ["#########"]
    assert len(prune(trace(drawn(*rows, radius_mm=1.5)))) == 3


def test_the_fork_of_a_flat_end_goes_as_a_whole():
    skeleton = drawn(
        "#           #", " #         # ", "  #########  ", " #         # ", "#           #"
    )
    skeleton = Skeleton(skeleton.voxels, SPACING_MM, np.full(len(skeleton), 2.5))
    (branch,) = prune(trace(skeleton))
    assert branch.free == (True, True)
    assert branch.length_mm == pytest.approx(8, abs=1)


def test_a_star_of_spurs_keeps_a_way_through():
    (branch,) = prune(trace(drawn("#   #", " # # ", "  #  ", "  #  ", radius_mm=5)))
    assert branch.length_mm > 2


def test_smoothing_takes_the_stairs_off_a_line_and_leaves_a_bend():
    stairs = trace(drawn(*((" " * (i // 3) + "#").ljust(10) for i in range(30))))[0]
    straight = np.linalg.norm(stairs.points_mm[-1] - stairs.points_mm[0])
    assert stairs.length_mm > 1.05 * straight
    assert arc_length(smooth(stairs, 1.0))[-1] == pytest.approx(straight, rel=0.01)
    ring = trace(skeletonize_mask(shapes.tube(shapes.circle(6), 1.0, (0.6,) * 3).mask, (0.6,) * 3))
    assert arc_length(smooth(ring[0], 0.6))[-1] == pytest.approx(2 * np.pi * 6, rel=0.02)


def test_smoothing_keeps_junctions_in_place():
    rows = ["    #    "] * 8 + ["#########"]
    branches = trace(drawn(*rows))
    (node,) = {
        node for b in branches for node, free in zip(b.nodes, b.free, strict=True) if not free
    }
    ends = []
    for branch in branches:
        curve = smooth(branch, 1.0)
        ends.append(curve[0] if branch.nodes[0] == node else curve[-1])
    assert np.allclose(ends, ends[0], atol=0.05)
