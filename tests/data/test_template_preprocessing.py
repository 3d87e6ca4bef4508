"""Tests of preprocessing with a template of other subjects, on realistic scans."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter

from cowgan.data.case_records import CaseRecord
from cowgan.data.preprocess import PreprocessConfig, preprocess
from cowgan.data.template import build_template
from cowgan.volume import Volume, write_nifti
from cowgan.volume.itk import to_itk
from cowgan.volume.resampling import Grid, resample

_PLACED_MM = 4.0
"""Voxels are 1.9 mm here, and people differ."""


def _on_grid(volume: Volume, spacing_mm: tuple[float, float, float]) -> Volume:
    """Return the same field of view in other voxels (z, x, y)."""
    old = np.array(volume.spacing_mm)
    shape = tuple(np.maximum(np.round(np.array(volume.shape) * old / spacing_mm), 2).astype(int))
    affine = volume.affine.copy()
    affine[:3, :3] *= (np.array(spacing_mm) / old)[[1, 2, 0]]
    grid = Grid(shape, affine)
    affine[:3, 3] += Grid(volume.shape, volume.affine).centre_mm - grid.centre_mm
    return Volume(resample(volume, Grid(shape, affine)).data, affine)


def _slab(volume: Volume, start: int, stop: int) -> Volume:
    affine = volume.affine.copy()
    affine[:3, 3] += start * affine[:3, 2]
    return Volume(volume.data[start:stop], affine)


def _write_top_down(volume: Volume, path: Path) -> None:
    """Write the uppermost slice first, and rows from front to back, as MetaImage."""
    image = sitk.Flip(to_itk(volume.data, volume.affine), [False, True, True])
    sitk.WriteImage(image, str(path))


def _inverted(volume: Volume) -> Volume:
    noise = np.random.default_rng(0).normal(0, 20, volume.shape)
    return Volume(volume.data.max() - volume.data + noise, volume.affine)


def _black_blood(volume: Volume) -> Volume:
    """Return the head with arteries that are dark, as in T1w and T2w."""
    blurred = gaussian_filter(volume.data, 2)
    bright = volume.data > 1.4 * blurred
    return Volume(np.where(bright, 0.3 * blurred, volume.data), volume.affine)


@pytest.fixture(scope="module")
def scans(head, move, rigid, tmp_path_factory) -> tuple[Path, np.ndarray, np.ndarray]:
    """Return a folder of one head as seven scanners show it, and where two of them moved it to."""
    folder = tmp_path_factory.mktemp("scans")
    moved, matrix = move(head, rigid((6, -5, 7), (6, -8, 5)), whole=True)
    write_nifti(moved, folder / "plain.nii.gz")
    _write_top_down(_on_grid(moved, (3.2, 1.4, 1.4)), folder / "anisotropic-top-down.mha")
    oblique = rigid((18, 6, -8), (12, 5, -30))
    write_nifti(Volume(moved.data, oblique @ moved.affine), folder / "oblique.nii.gz")
    write_nifti(_slab(moved, 6, 42), folder / "slab.nii.gz")
    write_nifti(_slab(moved, 38, len(moved.data)), folder / "above.nii.gz")
    write_nifti(_inverted(moved), folder / "inverted.nii.gz")
    write_nifti(_black_blood(moved), folder / "black-blood.nii.gz")
    return folder, matrix, oblique @ matrix


@pytest.fixture(scope="module")
def records(scans, other_heads, move, rigid, tmp_path_factory) -> dict[str, CaseRecord]:
    """Return what becomes of them with a template that others were averaged to."""
    people = tmp_path_factory.mktemp("people")
    poses = [rigid((4, 0, 3), (3, 0, 2)), rigid((-3, 4, 0), (-4, 2, 0))]
    for number, (other, pose) in enumerate(zip(other_heads, poses, strict=True)):
        write_nifti(move(other, pose, whole=True)[0], people / f"p{number}.nii.gz")
    template = tmp_path_factory.mktemp("template") / "template.nii.gz"
    build_template([people], template, jobs=1, rounds=1)
    out = tmp_path_factory.mktemp("out")
    summary = preprocess([scans[0]], out, PreprocessConfig(template, jobs=1))
    return {record.name: record for record in summary.records}


def _circle_mm(record: CaseRecord, moved_to: np.ndarray) -> np.ndarray:
    """Return where the circle, at the origin before the head was moved, lies in the template."""
    return (np.array(record.to_template) @ moved_to @ [0, 0, 0, 1])[:3]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_registration_undoes_the_position_of_the_head(scans, records):
    _, moved, tilted = scans
    plain = _circle_mm(records["plain"], moved)
    outcomes = {name: (one.status, one.score, one.reason) for name, one in records.items()}
    for name, matrix in (("anisotropic-top-down", moved), ("oblique", tilted), ("slab", moved)):
        assert records[name].status == "done", outcomes
        assert np.linalg.norm(_circle_mm(records[name], matrix) - plain) < _PLACED_MM, name


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["above", "inverted", "black-blood"])
def test_unusable_scans_are_set_aside_with_the_reason(records, name):
    assert records[name].status == "rejected"
    assert records[name].reason.endswith(".")
    assert not records[name].output
