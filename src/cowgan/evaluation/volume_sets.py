"""Sets of volumes to compare: a side of a bank, a folder, or what a model generates."""

from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cowgan.bank.bank import Bank
from cowgan.bank.description import DESCRIPTION_FILE
from cowgan.bank.split import Side
from cowgan.data.scans import find_scans, is_scan_folder, read_case
from cowgan.data.subjects import first_of_each, subject_of
from cowgan.errors import CowganError
from cowgan.text import dimensions
from cowgan.volume import Volume, image_sha256
from cowgan.volume.averaging import average_blocks
from cowgan.volume.volume_set import VolumeSet

if TYPE_CHECKING:
    from cowgan.synthesis import Synthesizer

DEFAULT_COUNT = 200
"""Volumes that a model generates for a comparison."""


class BankVolumes:
    """One side of a training bank.

    Parameters
    ----------
    bank : Bank
        An open bank.
    side : {"training", "holdout"}
        Which side.
    """

    def __init__(self, bank: Bank, side: Side) -> None:
        self._bank = bank
        self._indices = (bank.training if side == "training" else bank.holdout).tolist()
        cases = [bank.cases[index] for index in self._indices]
        self.title: str = f"{side} side of {bank.path.name}"
        self.subjects: Sequence[str] = [case.subject for case in cases]
        self.names: Sequence[str] = [
            f"{case.name} (copy {case.copy})" if case.copy else case.name for case in cases
        ]

    def volume(self, index: int) -> Volume:
        """Return one volume."""
        return self._bank.volume(self._indices[index])

    def content(self, index: int) -> str:
        """Return a hash of the bank and the volume's place in it."""
        return _hash_of(self._bank.sha256, self._indices[index])


class FolderVolumes:
    """The scans of a folder and its subfolders, see `cowgan.data.scans.find_scans`.

    Parameters
    ----------
    folder : Path
        Searched to any depth.

    Raises
    ------
    CowganError
        The folder is missing or holds no scan.
    """

    def __init__(self, folder: Path) -> None:
        found = find_scans([folder]).require_cases([folder])
        self._cases = sorted(found.cases, key=lambda case: case.name)
        self._contents: dict[int, str] = {}
        self.title: str = str(folder)
        self.names: Sequence[str] = [case.name for case in self._cases]
        self.subjects: Sequence[str] = [subject_of(name) for name in self.names]

    def volume(self, index: int) -> Volume:
        """Return one volume."""
        return read_case(self._cases[index])

    def content(self, index: int) -> str:
        """Return the hash of the volume's files, which are read once."""
        if index not in self._contents:
            self._contents[index] = image_sha256(self._cases[index].path)
        return self._contents[index]


class GeneratedVolumes:
    """What a model makes of the first seeds, without truncation.

    Parameters
    ----------
    checkpoint : Path
        What `cowgan.checkpoint.load` reads.
    count : int
        Number of volumes.
    psi : float
        Truncation; 1 is none.
    """

    def __init__(self, checkpoint: Path, count: int = DEFAULT_COUNT, psi: float = 1.0) -> None:
        if count < 1:
            raise CowganError(f"At least one volume must be generated, not {count}.")
        self._path, self._psi = Path(checkpoint), psi
        self.title: str = f"{count} volumes of {self._path.name}"
        self.names: Sequence[str] = [f"seed {seed}" for seed in range(count)]
        self.subjects = self.names

    def volume(self, index: int) -> Volume:
        """Return the volume of one seed."""
        from cowgan.synthesis import LatentState

        return self._synthesizer.render(LatentState(seed=index, psi=self._psi))

    def content(self, index: int) -> str:
        """Return a hash of the model, the seed and the truncation."""
        return _hash_of(self._synthesizer.checkpoint.sha256, index, self._psi)

    def __getstate__(self) -> dict[str, object]:
        # Each process loads the model for itself.
        return {name: value for name, value in vars(self).items() if name != "_synthesizer"}

    @cached_property
    def _synthesizer(self) -> "Synthesizer":
        from cowgan.checkpoint import load
        from cowgan.synthesis import Synthesizer

        return Synthesizer(load(self._path))


class FirstVolumes:
    """The first volume of each subject of a set.

    Parameters
    ----------
    volumes : VolumeSet
        With several volumes of some subjects.
    """

    def __init__(self, volumes: VolumeSet) -> None:
        self._volumes = volumes
        self._indices = first_of_each(volumes.subjects)
        self.title: str = volumes.title
        self.names: Sequence[str] = [volumes.names[index] for index in self._indices]
        self.subjects: Sequence[str] = [volumes.subjects[index] for index in self._indices]

    def volume(self, index: int) -> Volume:
        """Return one volume."""
        return self._volumes.volume(self._indices[index])

    def content(self, index: int) -> str:
        """Return the hash of the volume."""
        return self._volumes.content(self._indices[index])


class AveragedVolumes:
    """A set on a coarser grid: blocks of voxels averaged.

    Parameters
    ----------
    volumes : VolumeSet
        On the finer grid.
    counts : tuple of int
        Voxels of a block along (z, x, y).
    """

    def __init__(self, volumes: VolumeSet, counts: tuple[int, int, int]) -> None:
        self._volumes, self._counts = volumes, counts
        self.title: str = f"{volumes.title}, averaged over {dimensions(counts)} voxels"
        self.names, self.subjects = volumes.names, volumes.subjects

    def volume(self, index: int) -> Volume:
        """Return one volume."""
        return average_blocks(self._volumes.volume(index), self._counts)

    def content(self, index: int) -> str:
        """Return a hash of the volume and the blocks."""
        return _hash_of(self._volumes.content(index), self._counts)


def on_grid_of(volumes: VolumeSet, other: VolumeSet) -> VolumeSet:
    """Return a set, averaged if its grid is finer by whole numbers than that of another.

    The first volume of each tells its grid.
    """
    if not volumes.names or not other.names:
        return volumes
    fine, coarse = volumes.volume(0), other.volume(0)
    counts = np.divide(fine.shape, coarse.shape)
    same_extent = np.allclose(counts, np.divide(coarse.spacing_mm, fine.spacing_mm), rtol=0.01)
    if not same_extent or (counts % 1).any() or (counts == 1).all():
        return volumes
    nz, nx, ny = counts.astype(int).tolist()
    return AveragedVolumes(volumes, (nz, nx, ny))


def open_generated(path: Path, count: int | None = None, psi: float = 1.0) -> VolumeSet:
    """Return a folder of volumes as it is, and anything else as a model's volumes.

    Raises
    ------
    CowganError
        There is neither, or a number was asked of a folder.
    """
    path = Path(path)
    if is_scan_folder(path):
        if count is not None:
            raise CowganError("All volumes of a folder are compared; name no number with it.")
        return FolderVolumes(path)
    return GeneratedVolumes(path, count or DEFAULT_COUNT, psi)


def open_training(path: Path) -> tuple[VolumeSet, VolumeSet | None]:
    """Return the training volumes of a bank or folder, and the holdout of a bank if it has one.

    Raises
    ------
    CowganError
        There is neither, or the bank holds no training volume.
    """
    path = Path(path)
    if not (path / DESCRIPTION_FILE).exists():
        return FolderVolumes(path), None
    bank = Bank.open(path)
    training, holdout = BankVolumes(bank, "training"), BankVolumes(bank, "holdout")
    if not training.names:
        raise CowganError(f"The training side of the bank {path} is empty.")
    return training, holdout if holdout.names else None


def _hash_of(*parts: object) -> str:
    return sha256(repr(parts).encode()).hexdigest()
