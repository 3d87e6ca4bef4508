"""What a folder holds that a network could be trained on; touches no widget."""

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

Size = tuple[int, int]
"""Slices, and voxels along x and y, of what a network makes."""

_SMALLEST, _LARGEST, _FEWEST_SLICES = 8, 1024, 4


@dataclass(frozen=True)
class Source:
    """Volumes to train on.

    Parameters
    ----------
    path : Path
        A bank, or a folder of NIfTI files that a bank is made of first.
    is_bank : bool
        Which of the two it is.
    shape : tuple of int
        Voxels of each volume along (z, x, y).
    sentence : str
        What there is, in words.
    """

    path: Path
    is_bank: bool
    shape: tuple[int, int, int]
    sentence: str

    @property
    def sizes(self) -> list[Size]:
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


def look_into(path: Path) -> Source:
    """Return what a folder offers.

    Raises
    ------
    CowganError
        It holds neither a bank nor NIfTI files, or volumes of a size that no network has.
    """
    if (path / DESCRIPTION_FILE).exists():
        bank = Bank.open(path)
        sentence = f"Bank of {len(bank)} volumes, {_times(bank.shape)} voxels; "
        source = Source(path, True, bank.shape, f"{sentence}{len(bank.training)} to train on.")
    else:
        cases = find_scans([path]).require_cases([path]).cases
        shape = read_case(cases[0]).shape
        told = f"{len(cases)} scans, {_times(shape)} voxels; a bank is made of them first."
        source = Source(path, False, shape, told)
    if not source.sizes:
        raise CowganError(
            f"Volumes of {_times(source.shape)} voxels fit no network: slices, rows and columns "
            "must be divisible by 4, 8 and 8; the Data panel prepares such volumes."
        )
    return source


def bank_of(source: Source, folder: Path, scaling: BankScaling, progress: Progress) -> Bank:
    """Return the bank of a source; of NIfTI files, it is made in a folder.

    Raises
    ------
    CowganError, Cancelled
        As for `cowgan.bank.from_nifti.bank_from_nifti`.
    """
    if source.is_bank:
        return Bank.open(source.path)
    return bank_from_nifti([source.path], folder, scaling, progress=progress)


def _power_of_two_in(number: int) -> int:
    """Return the largest power of two that divides a number."""
    return number & -number


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(str(n) for n in shape)
