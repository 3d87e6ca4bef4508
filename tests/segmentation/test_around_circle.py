"""Segmentation of the surroundings of the circle in a large scan."""

import numpy as np
import pytest

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.segmentation.around_circle import segment_around_circle
from cowgan.segmentation.segmenter import Segmentation, extent_of
from cowgan.simulate import make_anatomy, simulate_tof
from cowgan.volume import DEFAULT_SPACING_MM, Volume
from cowgan.volume.volume import default_affine

KNOWN_MM = extent_of((32, 128, 128), DEFAULT_SPACING_MM)
BEFORE = (25, 60, 60)
"""Voxels of the head that lie before the circle's volume along each axis."""


class Marker:
    """Marks each voxel by its brightness, and keeps what it was given."""

    given: Volume | None = None

    def __call__(self, volume: Volume) -> Segmentation:
        self.given = volume
        labels = (volume.data > 0.5).astype(np.uint8)
        probabilities = np.stack([1 - labels, labels]).astype(np.float16)
        uncertainty = np.full(volume.shape, 0.25, np.float32)
        return Segmentation(labels, TERRITORIES, probabilities, uncertainty, None)


@pytest.fixture(scope="module")
def head() -> Volume:
    around = [(before, before) for before in BEFORE]
    return simulate_tof(np.pad(make_anatomy(3).occupancy, around), seed=3)


def test_the_circle_of_a_head_is_segmented_and_nothing_else(head) -> None:
    marker = Marker()
    found = segment_around_circle(marker, head, KNOWN_MM)
    assert marker.given is not None
    assert marker.given.shape == tuple(round(1.4 * n) for n in (32, 128, 128))
    assert found.labels.shape == found.uncertainty.shape == head.shape
    inside = found.uncertainty > 0
    np.testing.assert_array_equal(found.labels > 0, (head.data > 0.5) & inside)
    assert found.probabilities is not None
    np.testing.assert_array_equal(found.probabilities.argmax(0), found.labels)
    # Of the volume with the arteries, most lies in the part.
    middle = tuple(slice(n, -n) for n in BEFORE)
    assert inside[middle].mean() > 0.75
    assert "Only the surroundings" in found.remarks[-1]


def test_the_part_lies_where_it_was_in_the_head(head) -> None:
    marker = Marker()
    found = segment_around_circle(marker, head, KNOWN_MM)
    assert marker.given is not None
    first = np.argwhere(found.uncertainty > 0)[0]
    z, x, y = first
    expected_mm = head.affine @ [x, y, z, 1]
    np.testing.assert_allclose(marker.given.affine[:, 3], expected_mm, atol=1e-9)


def test_a_volume_of_the_usual_size_is_left_as_it_is() -> None:
    data = np.random.default_rng(0).random((32, 128, 128), np.float32)
    volume = Volume(data, default_affine(data.shape, DEFAULT_SPACING_MM))
    marker = Marker()
    assert not segment_around_circle(marker, volume, KNOWN_MM).remarks
    assert marker.given is volume


def test_a_scan_without_arteries_is_segmented_as_a_whole() -> None:
    data = np.zeros((60, 250, 250), np.float32)
    volume = Volume(data, default_affine(data.shape, DEFAULT_SPACING_MM))
    marker = Marker()
    segment_around_circle(marker, volume, KNOWN_MM)
    assert marker.given is volume


@pytest.mark.parametrize("shape", [(32, 128, 400), (90, 90, 90)])
def test_a_scan_that_is_large_along_some_axes_keeps_the_others(shape) -> None:
    occupancy = np.zeros(shape, np.float32)
    low = [(n - m) // 2 for n, m in zip(shape, (32, 90, 90), strict=True)]
    z, x, y = (slice(n, n + m) for n, m in zip(low, (32, 90, 90), strict=True))
    occupancy[z, x, y] = make_anatomy(3).occupancy[:, 19:109, 19:109]
    marker = Marker()
    segment_around_circle(marker, simulate_tof(occupancy, seed=1), KNOWN_MM)
    assert marker.given is not None
    limits = (round(1.4 * n) for n in (32, 128, 128))
    assert marker.given.shape == tuple(min(n, m) for n, m in zip(shape, limits, strict=True))
