"""Volumes in a folder that a network can be trained on; touches no widget."""

from dataclasses import dataclass
from math import gcd
from pathlib import Path

from cowgan.bank.bank import Bank
from cowgan.bank.description import DESCRIPTION_FILE
from cowgan.bank.from_nifti import bank_from_nifti
from cowgan.bank.scaling import BankScaling
from cowgan.data.scans import find_scans, read_case
from cowgan.errors import CowganError
from cowgan.progress import Progress

VolumeSize = tuple[int, int]
"""Slices, and voxels along x and y, of a generated volume."""

_SMALLEST, _LARGEST, _FEWEST_SLICES = 8, 1024, 4


@dataclass(frozen=True)
class VolumeSource:
    """Volumes to train on.

    Parameters
    ----------
    path : Path
        A bank, or a folder of NIfTI files.
    is_bank : bool
        Whether it is a bank.
    shape : tuple of int
        Shape (z, x, y) of each volume in voxels.
    sentence : str
        Description for the user.
    """

    path: Path
    is_bank: bool
    shape: tuple[int, int, int]
    sentence: str

    @property
    def sizes(self) -> list[VolumeSize]:
        """Sizes of networks that can learn from these volumes, finest first."""
        slices, x, y = self.shape
        edge = _power_of_two_in(gcd(x, y))
        depth = _power_of_two_in(slices)
        sizes = []
        while edge >= _SMALLEST:
            if edge <= _LARGEST and depth >= _FEWEST_SLICES:
                sizes.append((min(depth, edge), edge))
            edge //= 2
        return sizes


def inspect_source(path: Path) -> VolumeSource:
    """Return the volumes that a folder holds.

    Raises
    ------
    CowganError
        It holds neither a bank nor NIfTI files, or volumes of a size that no network has.
    """
    if (path / DESCRIPTION_FILE).exists():
        bank = Bank.open(path)
        sentence = f"Bank of {len(bank)} volumes, {shape_text(bank.shape)} voxels; "
        source = VolumeSource(
            path, True, bank.shape, f"{sentence}{len(bank.training)} to train on."
        )
    else:
        cases = find_scans([path]).require_cases([path]).cases
        shape = read_case(cases[0]).shape
        sentence = f"{len(cases)} scans, {shape_text(shape)} voxels; a bank is made of them first."
        source = VolumeSource(path, False, shape, sentence)
    if not source.sizes:
        raise CowganError(
            f"Volumes of {shape_text(source.shape)} voxels fit no network: slices, rows and "
            "columns must be divisible by 4, 8 and 8; the Data panel prepares such volumes."
        )
    return source


def bank_of(source: VolumeSource, folder: Path, scaling: BankScaling, progress: Progress) -> Bank:
    """Return the bank of a source, converting NIfTI files to one in `folder` first.

    Raises
    ------
    CowganError, Cancelled
        As for `cowgan.bank.from_nifti.bank_from_nifti`.
    """
    if source.is_bank:
        return Bank.open(source.path)
    return bank_from_nifti([source.path], folder, scaling, progress=progress)


def size_text(size: VolumeSize) -> str:
    """Return a size in words, as (z, x, y)."""
    depth, columns = size
    return shape_text((depth, columns, columns))


def _power_of_two_in(number: int) -> int:
    """Return the largest power of two that divides a number."""
    return number & -number


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape in words, such as "32 × 128 × 128"."""
    return " × ".join(str(n) for n in shape)
