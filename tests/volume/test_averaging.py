import numpy as np

from cowgan.volume.averaging import block_means, cell_means


def test_blocks_are_averaged_and_an_incomplete_one_is_left_out():
    data = np.arange(5 * 4 * 7, dtype=np.float32).reshape(5, 4, 7)
    means = block_means(data, (2, 4, 3))
    assert means.shape == (2, 1, 2)
    assert means[1, 0, 1] == data[2:4, :, 3:6].mean()


def test_cells_of_different_sizes_are_averaged_each_by_its_own_voxels():
    data = np.random.RandomState(0).uniform(size=(5, 4, 7)).astype(np.float32)
    means = cell_means(data, [np.array([0, 3]), np.array([0]), np.array([0, 1, 5])])
    assert means.shape == (2, 1, 3)
    np.testing.assert_allclose(means[1, 0, 2], data[3:, :, 5:].mean(), rtol=1e-6)
