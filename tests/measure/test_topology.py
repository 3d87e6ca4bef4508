import numpy as np
import pytest
from scipy.ndimage import generate_binary_structure, label

from cowgan.measure.topology import Topology, topology


def empty() -> np.ndarray:
    return np.zeros((12, 12, 12), bool)


def frame() -> np.ndarray:
    mask = empty()
    mask[3:6, 2:10, 2:10] = True
    mask[3:6, 4:8, 4:8] = False
    return mask


def hollow() -> np.ndarray:
    mask = empty()
    mask[2:9, 2:9, 2:9] = True
    mask[4:7, 4:7, 4:7] = False
    return mask


def test_nothing_has_no_shape():
    assert topology(empty()) == Topology(0, 0, 0)


def test_everything_is_one_piece():
    assert topology(~empty()) == Topology(1, 0, 0)


def test_a_frame_has_one_loop():
    assert topology(frame()) == Topology(1, 1, 0)


def test_a_hollow_is_a_cavity_and_no_loop():
    assert topology(hollow()) == Topology(1, 0, 1)


def test_a_figure_of_eight_has_two_loops():
    mask = frame()
    mask[3:6, 5:7, 4:8] = True
    assert topology(mask) == Topology(1, 2, 0)


def test_a_hollow_torus_has_two_loops_around_its_cavity():
    mask = empty()
    mask[2:7, 1:11, 1:11] = True
    mask[:, 5:7, 5:7] = False
    mask[3:6, 2:10, 2:10] = False
    mask[2:7, 4:8, 4:8] = True
    mask[:, 5:7, 5:7] = False
    assert topology(mask) == Topology(1, 2, 1)


def test_pieces_add_up():
    mask = np.concatenate([frame(), hollow(), frame()])
    assert topology(mask) == Topology(3, 2, 1)


def test_diagonal_neighbours_are_one_piece():
    mask = empty()
    mask[3, 3, 3] = mask[4, 4, 4] = True
    assert topology(mask).components == 1


@pytest.mark.parametrize("seed", range(5))
def test_random_masks_agree_with_the_euler_characteristic_of_cubes(seed):
    mask = np.random.default_rng(seed).random((9, 9, 9)) < 0.4
    found = topology(mask)
    padded = np.pad(mask, 1)
    # Corners, edges, faces and cubes of the union of closed voxels.
    cells = np.zeros(np.array(padded.shape) * 2 + 1, bool)
    for z, x, y in np.argwhere(padded):
        cells[2 * z : 2 * z + 3, 2 * x : 2 * x + 3, 2 * y : 2 * y + 3] = True
    dimension = sum(np.ix_(*[np.arange(n) % 2 for n in cells.shape]))
    euler = sum((-1) ** d * int(cells[dimension == d].sum()) for d in range(4))
    assert found.components == label(mask, generate_binary_structure(3, 3))[1]
    assert found.components - found.loops + found.cavities == euler
