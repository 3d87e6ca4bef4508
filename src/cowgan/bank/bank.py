"""The training bank: volumes of one size in a memory-mapped file.

A bank is a folder with ``volumes.npy`` (voxels), ``bank.json`` (description, subjects and
provenance) and ``cases.csv`` (the cases as a table, usable as the split table of another bank).
`cowgan.bank.from_nifti` and `cowgan.bank.from_simulation` make banks.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cowgan.archives import read_npy_header
from cowgan.bank.description import VOXELS_FILE, BankCase, BankDescription, read_description
from cowgan.bank.encoding import decode, stored_dtype
from cowgan.bank.split import Side
from cowgan.errors import CowganError
from cowgan.files import open_regular
from cowgan.progress import Progress, Silent, advance
from cowgan.text import dimensions
from cowgan.volume import Volume

__all__ = ["Bank", "BankCase"]


class Bank:
    """A bank opened for reading by `Bank.open`.

    It may be shared by threads, inherited by forked processes and pickled; an unpickled copy
    opens the same files again.

    Attributes
    ----------
    path : Path
        The folder, absolute.
    description : BankDescription
        The content of ``bank.json``.
    sha256 : str
        Hash of voxels and split; see `BankDescription.sha256`.
    """

    def __init__(self, path: Path, description: BankDescription, voxels: NDArray[Any]) -> None:
        self.path = path
        self.description = description
        self.sha256 = description.sha256
        self._voxels = voxels

    @classmethod
    def open(cls, path: Path) -> "Bank":
        """Open a bank; its voxels are not read.

        Parameters
        ----------
        path : path-like
            The folder.

        Raises
        ------
        CowganError
            The folder holds no bank, a newer version wrote it, it is damaged, or its
            voxels are incomplete.
        """
        path = Path(path).absolute()
        description = read_description(path)
        return cls(path, description, _map_voxels(path / VOXELS_FILE, description))

    def __len__(self) -> int:
        return len(self.cases)

    def __repr__(self) -> str:
        size = dimensions(self.shape)
        return f"<Bank of {len(self)} volumes, {size} (z, x, y), {self.description.voxel_type}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.path, self.sha256)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels of a volume along (z, x, y)."""
        return self.description.shape

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel size along (z, x, y) in mm."""
        return self.description.spacing_mm

    @property
    def cases(self) -> Sequence[BankCase]:
        """Descriptions of the volumes, in their order."""
        return self.description.cases

    @property
    def warnings(self) -> Sequence[str]:
        """Sentences on suspected leakage across the split."""
        return self.description.warnings

    @property
    def training(self) -> NDArray[np.intp]:
        """Indices of the training volumes, ascending."""
        return self._indices("training")

    @property
    def holdout(self) -> NDArray[np.intp]:
        """Indices of the held-out volumes, ascending; they share no subject with `training`."""
        return self._indices("holdout")

    def read(
        self, indices: ArrayLike, out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Read volumes, in the given order.

        Parameters
        ----------
        indices : sequence of int, length n
            From 0 to ``len(bank) - 1``; may repeat.
        out : ndarray, shape (n, 1, z, x, y), float32, optional
            C-contiguous array to fill instead of a new one.

        Returns
        -------
        ndarray, shape (n, 1, z, x, y), float32
            C-contiguous intensities from 0 to 1.

        Raises
        ------
        CowganError
            An index is not a whole number or out of range.
        ValueError
            `out` has another shape or type.
        """
        wanted = self._checked(indices)
        shape = (len(wanted), 1, *self.shape)
        if out is None:
            out = np.empty(shape, np.float32)
        elif out.shape != shape or out.dtype != np.float32 or not out.flags.c_contiguous:
            raise ValueError(f"out must be a C-contiguous float32 array of shape {shape}")
        # One volume at a time, which stays in the processor's cache while it is decoded.
        for place, index in zip(out, wanted, strict=True):
            decode(self._voxels[index], place[0])
        return out

    def volume(self, index: int) -> Volume:
        """Return one volume with its affine and provenance.

        Raises
        ------
        CowganError
            The index is out of range.
        """
        case = self.cases[int(self._checked([index])[0])]
        provenance = {
            **case.provenance,
            "bank": {
                "sha256": self.sha256,
                "index": int(index),
                "name": case.name,
                "copy": case.copy,
                "subject": case.subject,
                "split": case.split,
            },
        }
        return Volume(self.read([index])[0, 0], case.affine, provenance)

    def verify(self, progress: Progress | None = None) -> None:
        """Read every voxel and compare with the hashes in ``bank.json``.

        Raises
        ------
        CowganError
            A volume has changed since it was written.
        Cancelled
            The user cancelled.
        """
        progress = progress or Silent()
        for done, (case, stored) in enumerate(zip(self.cases, self._voxels, strict=True), 1):
            found = voxels_sha256(stored)
            if found != case.sha256:
                raise CowganError(
                    f"The bank {self.path} is damaged: the volume {case.name} (copy {case.copy}) "
                    "has changed since it was written.",
                    f"index {done - 1}, sha256 {found}, expected {case.sha256}",
                )
            advance(progress, done, len(self), case.name)

    def _indices(self, side: Side) -> NDArray[np.intp]:
        return np.flatnonzero([case.split == side for case in self.cases])

    def _checked(self, indices: ArrayLike) -> NDArray[np.intp]:
        wanted = np.atleast_1d(np.asarray(indices))
        if wanted.ndim != 1 or (wanted.size and wanted.dtype.kind not in "iu"):
            raise CowganError("Indices of volumes must be a list of whole numbers.")
        beyond = wanted[(wanted < 0) | (wanted >= len(self))]
        if beyond.size:
            raise CowganError(
                f"There is no volume {beyond[0]}; the bank has {len(self)}, counted from 0."
            )
        return wanted.astype(np.intp)


def voxels_sha256(stored: NDArray[Any]) -> str:
    """Return the hash of stored voxels as 64 hexadecimal digits."""
    return hashlib.sha256(np.ascontiguousarray(stored).data).hexdigest()


def _reopen(path: Path, sha256: str) -> Bank:
    bank = Bank.open(path)
    if bank.sha256 != sha256:
        raise CowganError(f"The bank {path} was replaced by another one while it was in use.")
    return bank


def _map_voxels(path: Path, description: BankDescription) -> NDArray[Any]:
    """Return the stored voxels, shape (case, z, x, y), memory-mapped read-only."""
    shape = (len(description.cases), *description.shape)
    dtype = stored_dtype(description.voxel_type)
    try:
        with open_regular(path) as file:
            stated = read_npy_header(file)
            expected_bytes = file.tell() + int(np.prod(shape, dtype=object)) * dtype.itemsize
            found_bytes = os.fstat(file.fileno()).st_size
            if stated != (shape, False, dtype):
                raise CowganError(
                    f"{path} does not belong to the bank beside it.", f"header {stated}"
                )
            if found_bytes != expected_bytes:
                raise CowganError(
                    f"{path} is incomplete or damaged: it has {found_bytes:,} bytes, "
                    f"and {expected_bytes:,} are needed."
                )
            return np.memmap(file, dtype, "r", file.tell(), shape)
    except (OSError, ValueError) as error:
        raise CowganError(f"{path} is damaged or not an array.", repr(error)) from error
