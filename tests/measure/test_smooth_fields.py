"""Tests of block averages against the same averages on voxels."""

import analytic_shapes as shapes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, label, zoom
from skimage.measure import euler_number

import cowgan.measure.smooth_fields as blocks_module
from cowgan.measure import measure
from cowgan.measure.smooth_fields import BlockGrid
from cowgan.measure.topology import topology
from cowgan.volume import Volume, default_affine

FINE_MM = (0.31, 0.24, 0.2)


def test_means_count_every_voxel_once():
    image = np.random.default_rng(0).random((7, 11, 13), np.float32)
    blocks = BlockGrid(image.shape, FINE_MM)
    assert blocks.shape == (4, 6, 5)
    np.testing.assert_allclose(blocks.mean(image)[1, 2, 3], image[2:4, 4:6, 9:12].mean(), rtol=1e-5)
    np.testing.assert_allclose(
        blocks.mean(image)[-1, -1, -1], image[6:, 10:, 12:].mean(), rtol=1e-5
    )
    every = blocks.share(blocks.index(np.arange(image.size)), image.ravel())
    np.testing.assert_allclose(every, blocks.mean(image), rtol=1e-4)


def test_voxels_of_the_usual_size_are_blocks_of_their_own():
    image = np.random.default_rng(0).random((5, 6, 7), np.float32)
    blocks = BlockGrid(image.shape, (0.62, 0.61875, 0.61875))
    np.testing.assert_array_equal(blocks.mean(image), image)
    smooth = blocks.smooth(image, 1.25)
    sigma = 1.25 / np.array((0.62, 0.61875, 0.61875))
    np.testing.assert_allclose(smooth, gaussian_filter(image, sigma, truncate=2))
    np.testing.assert_array_equal(blocks.at(smooth, np.arange(image.size)), smooth.ravel())


@pytest.mark.parametrize("reach_mm", [1.25, 2.0, 3.0])
def test_smoothing_on_blocks_is_that_on_voxels(reach_mm):
    image = np.random.default_rng(1).random((60, 70, 80), np.float32)
    blocks = BlockGrid(image.shape, FINE_MM)
    found = blocks.at(blocks.smooth(blocks.mean(image), reach_mm), np.arange(image.size))
    exact = gaussian_filter(image, reach_mm / np.array(FINE_MM), truncate=2)
    spread = exact.std()
    assert np.abs(found.reshape(image.shape) - exact).mean() < 0.15 * spread


def test_a_fine_volume_measures_as_without_blocks(monkeypatch):
    ring = np.pad(shapes.tube(shapes.circle(8), 1.4, seed=1).mask, 5).astype(np.float32)
    fine = zoom(ring, 2, order=1)
    image = 100 + 600 * fine + np.random.default_rng(0).normal(0, 20, fine.shape)
    volume = Volume(image, default_affine(fine.shape, (0.31, 0.31, 0.31)))
    on_blocks = measure(volume)
    monkeypatch.setattr(blocks_module, "BLOCK_MM", 0.0)
    exact = measure(volume)
    assert on_blocks.volume_mm3 == pytest.approx(exact.volume_mm3, rel=5e-3)
    assert on_blocks.length_mm == pytest.approx(exact.length_mm, rel=5e-3)
    assert on_blocks.radius.mean_mm == pytest.approx(exact.radius.mean_mm, rel=5e-3)
    assert (on_blocks.components, on_blocks.loops) == (exact.components, exact.loops) == (1, 1)


@settings(max_examples=40, deadline=None)
@given(
    share=st.floats(0.05, 0.95),
    shape=st.tuples(*[st.integers(1, 12)] * 3),
    seed=st.integers(0, 99),
    slab=st.integers(1, 400),
)
def test_the_euler_number_is_that_of_the_whole_however_it_is_cut(share, shape, seed, slab):
    from pytest import MonkeyPatch

    mask = np.random.default_rng(seed).random(shape) < share
    with MonkeyPatch.context() as patch:
        patch.setattr("cowgan.measure.topology._SLAB_VOXELS", slab)
        found = topology(mask)
    padded = np.pad(mask, 1)
    assert found.components - found.loops + found.cavities == (
        euler_number(padded, 3) if mask.any() else 0
    )
    assert found.components == label(padded, np.ones((3, 3, 3)))[1]
