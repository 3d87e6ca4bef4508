"""Tests of the sets of volumes that can be compared."""

import numpy as np
import pytest

from cowgan.checkpoint import BUNDLED
from cowgan.evaluation.volume_sets import FolderVolumes, GeneratedVolumes, on_grid_of
from cowgan.volume import Volume, default_affine, write_nifti


def folder_of(path, shape, spacing_mm, count=2):
    path.mkdir()
    for number in range(count):
        data = np.random.default_rng(number).random(shape, np.float32)
        write_nifti(Volume(data, default_affine(shape, spacing_mm)), path / f"v{number}.nii.gz")
    return FolderVolumes(path)


def test_a_finer_set_is_averaged_to_the_grid_of_a_coarser_one(tmp_path):
    fine = folder_of(tmp_path / "fine", (8, 16, 16), (0.5, 0.5, 0.5))
    coarse = folder_of(tmp_path / "coarse", (8, 8, 8), (0.5, 1.0, 1.0))
    averaged = on_grid_of(fine, coarse)
    expected = fine.volume(1).data.reshape(8, 8, 2, 8, 2).mean((2, 4))
    np.testing.assert_allclose(averaged.volume(1).data, expected, rtol=1e-6)
    assert averaged.volume(1).spacing_mm == pytest.approx((0.5, 1.0, 1.0))
    assert averaged.content(0) != fine.content(0)
    assert averaged.names == fine.names
    assert "1 x 2 x 2" in averaged.title


def test_other_grids_are_left_as_they_are(tmp_path):
    fine = folder_of(tmp_path / "fine", (8, 16, 16), (0.5, 0.5, 0.5))
    same = folder_of(tmp_path / "same", (8, 16, 16), (0.5, 0.5, 0.5))
    wider = folder_of(tmp_path / "wider", (8, 8, 8), (0.5, 0.5, 0.5))
    for other in (same, wider):
        assert on_grid_of(fine, other) is fine


def test_copies_of_a_file_have_the_same_content(tmp_path):
    one = folder_of(tmp_path / "one", (4, 4, 4), (1, 1, 1))
    other = folder_of(tmp_path / "other", (4, 4, 4), (1, 1, 1))
    assert [one.content(i) for i in range(2)] == [other.content(i) for i in range(2)]
    assert one.content(0) != one.content(1)


def test_the_content_of_a_generated_volume_is_known_without_making_it():
    volumes = GeneratedVolumes(BUNDLED, 3)
    contents = {volumes.content(i) for i in range(3)}
    contents |= {GeneratedVolumes(BUNDLED, 1, psi=0.7).content(0)}
    assert len(contents) == 4
    assert GeneratedVolumes(BUNDLED, 10).content(2) == volumes.content(2)
