import numpy as np
import pytest

from cowgan.simulate.flow import REFERENCE_RADIUS_MM, trace_flow
from cowgan.skeleton import Skeleton, skeletonize_mask

SPACING = (0.62, 0.61875, 0.61875)


def straight(n: int = 60, radius_mm: float = 1.5) -> Skeleton:
    voxels = np.column_stack([np.arange(n), np.full(n, 9), np.full(n, 9)])
    return Skeleton(voxels, SPACING, np.full(n, radius_mm))


def test_blood_takes_length_over_velocity() -> None:
    flow = trace_flow(straight(), 300.0, 0.9)
    above_inflow = 59 * SPACING[0] - 3.0
    assert flow.arrival_ms.max() == pytest.approx(1e3 * above_inflow / 300.0, rel=0.03)
    assert (np.diff(flow.arrival_ms) >= 0).all()


@pytest.mark.parametrize("exponent", [0.5, 1.0])
def test_thin_arteries_are_slow(exponent: float) -> None:
    wide, thin = (trace_flow(straight(radius_mm=r), 300.0, exponent) for r in (1.5, 0.75))
    assert wide.speed_mm_s == pytest.approx(300.0)
    assert thin.speed_mm_s == pytest.approx(300.0 * (0.75 / REFERENCE_RADIUS_MM) ** exponent)


def test_every_torn_off_piece_is_fed_from_its_neighbour() -> None:
    mask = np.zeros((40, 20, 20), bool)
    mask[:15, 8:12, 8:12] = mask[18:26, 8:12, 8:12] = mask[30:, 8:12, 8:12] = True
    skeleton = skeletonize_mask(mask, SPACING)
    assert len(set(skeleton.component)) == 3
    flow = trace_flow(skeleton, 300.0, 0.9)
    assert np.isfinite(flow.arrival_ms).all()
    ends = [flow.arrival_ms[skeleton.component == part].max() for part in (0, 1, 2)]
    assert ends == sorted(ends), "later pieces are reached later"


def test_only_bends_of_wide_arteries_count() -> None:
    n = 20
    up = np.column_stack([np.arange(n), np.full(n, 5), np.full(n, 5)])
    across = np.column_stack([np.full(n, n - 1), np.full(n, 5), 5 + np.arange(1, n + 1)])
    voxels = np.concatenate([up, across])
    voxels = voxels[np.lexsort(voxels.T[::-1])]
    corner = int(np.flatnonzero((voxels == (n - 1, 5, 5)).all(axis=1))[0])
    wide = trace_flow(Skeleton(voxels, SPACING, np.full(len(voxels), 2.2)), 300.0, 0.9)
    assert abs(wide.bend.argmax() - corner) <= 3
    assert wide.bend.max() == pytest.approx(1, abs=0.1)
    thin = trace_flow(Skeleton(voxels, SPACING, np.full(len(voxels), 1.0)), 300.0, 0.9)
    assert thin.bend.max() == 0
