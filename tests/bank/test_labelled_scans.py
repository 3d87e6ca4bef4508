"""Tests of banks of scans with their label maps."""

from pathlib import Path

import numpy as np
import pytest
from command_line import cowgan
from scipy.ndimage import map_coordinates

from cowgan.bank.bank import Bank
from cowgan.bank.from_nifti import LabelFolder, bank_from_nifti
from cowgan.errors import CowganError
from cowgan.simulate import make_phantom
from cowgan.volume import Volume, default_affine, write_labels, write_nifti

SHAPE = (4, 6, 5)


@pytest.fixture
def folders(tmp_path) -> Path:
    """Return a folder of three scans and their label maps."""
    random = np.random.RandomState(0)
    affine = default_affine(SHAPE)
    for name in ("a", "b", "c"):
        write_nifti(Volume(random.rand(*SHAPE), affine), tmp_path / "scans" / f"{name}.nii.gz")
        labels = random.choice(np.array([0, 2, 5], np.uint8), SHAPE)
        write_labels(labels, affine, tmp_path / "maps" / f"{name}_dseg.nii.gz")
        np.save(tmp_path / f"{name}.npy", labels)
    return tmp_path


def build(folder: Path, scheme: str = "territories") -> Bank:
    maps = LabelFolder(folder / "maps", scheme)
    return bank_from_nifti([folder / "scans"], folder / "bank", labels=maps)


def test_label_maps_are_stored_with_their_scans(folders) -> None:
    bank = build(folders)
    for i, case in enumerate(bank.cases):
        assert np.array_equal(bank.read_labels([i])[0], np.load(folders / f"{case.name}.npy"))
    assert bank.label_scheme is not None
    assert bank.label_scheme.name == "territories"


def test_label_maps_follow_scans_through_preprocessing(tmp_path) -> None:
    """Expert label maps lie on the grid of the whole scan, and a bank holds a part of it."""
    phantom, labels, _ = make_phantom(0)
    room = Volume(np.pad(phantom.data, 12, mode="reflect"), phantom.affine)
    affine = room.affine.copy()
    affine[:3, :3] *= 0.9
    affine[:3, 3] += [7, -5, 3]
    whole = np.pad(labels, 12)
    write_nifti(Volume(room.data, affine), tmp_path / "scans" / "one.nii.gz")
    write_labels(whole, affine, tmp_path / "maps" / "one.nii.gz")
    done = cowgan(
        *("preprocess", tmp_path / "scans", "--out", tmp_path / "volumes"), *("--roi", "auto")
    )
    assert done.returncode == 0, done.stderr
    done = cowgan(
        *("build-bank", tmp_path / "volumes", "--labels", tmp_path / "maps"),
        *("--scheme", "topcow2024", "--out", tmp_path / "bank", "--holdout", 0),
    )
    assert done.returncode == 0, done.stderr
    bank = Bank.open(tmp_path / "bank")
    stored = bank.read_labels([0])[0]
    nearest = at_nearest_voxels(whole, affine, stored.shape, bank.cases[0].affine)
    assert agreement(stored, nearest) > 0.85
    for axis in range(3):
        for step in (-1, 1):
            moved = np.roll(nearest, step, axis)
            assert agreement(stored, moved) < agreement(stored, nearest) - 0.1


def at_nearest_voxels(
    labels: np.ndarray, affine: np.ndarray, shape: tuple[int, ...], grid: np.ndarray
) -> np.ndarray:
    """Return a label map on another grid, by the voxel of the map nearest to each of the grid."""
    indices = np.argwhere(np.ones(shape, bool))[:, [1, 2, 0]]
    places = indices @ grid[:3, :3].T + grid[:3, 3]
    x, y, z = np.linalg.solve(affine[:3, :3], (places - affine[:3, 3]).T)
    return map_coordinates(labels, [z, x, y], order=0, mode="constant").reshape(shape)


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Return the Dice coefficient of all labels, which must have the same values."""
    return 2 * np.sum((one == other) & (one > 0)) / (np.sum(one > 0) + np.sum(other > 0))


def test_label_maps_that_do_not_fit_are_refused(folders, single_sentence) -> None:
    maps = folders / "maps"

    def refused(scheme: str = "territories") -> str:
        with pytest.raises(CowganError) as refusal:
            build(folders, scheme)
        assert not (folders / "bank").exists()
        return single_sentence(refusal)

    assert "topcow2023" in refused("mine")
    labels = np.load(folders / "b.npy")
    write_labels(np.where(labels == 5, 9, labels), default_affine(SHAPE), maps / "b_dseg.nii.gz")
    assert "9" in refused()
    write_labels(np.zeros(SHAPE, np.uint8), default_affine(SHAPE), maps / "b_dseg.nii.gz")
    assert "empty" in refused()
    other = (4, 6, 6)
    write_labels(np.ones(other, np.uint8), default_affine(other), maps / "b_dseg.nii.gz")
    assert "differ in size" in refused()
    (maps / "b_dseg.nii.gz").unlink()
    assert "no label map for b" in refused()


def test_labels_need_a_scheme(folders) -> None:
    done = cowgan("build-bank", folders / "scans", "--labels", "maps", "--out", folders / "bank")
    assert done.returncode == 2
    assert "--labels and --scheme" in done.stderr
