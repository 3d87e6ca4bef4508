"""The training bank: volumes of one size in a memory-mapped file.

A bank is a folder with ``volumes.npy`` (voxels), ``bank.json`` (description, subjects and
provenance) and ``cases.csv`` (the cases as a table, usable as the split table of another bank). A
bank of simulated volumes may also have ``labels.npy`` (a label map of each volume).
`cowgan.bank.from_nifti` and `cowgan.bank.from_simulation` make banks.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cowgan.anatomy.label_schemes import LabelScheme, label_scheme
from cowgan.archives import read_npy_header
from cowgan.bank.description import (
    LABELS_FILE,
    VOXELS_FILE,
    BankCase,
    BankDescription,
    read_description,
)
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
        Hash of voxels, labels and split; see `BankDescription.sha256`.
    """

    def __init__(
        self,
        path: Path,
        description: BankDescription,
        voxels: NDArray[Any],
        labels: NDArray[np.uint8] | None = None,
    ) -> None:
        self.path = path
        self.description = description
        self.sha256 = description.sha256
        self._voxels = voxels
        self._labels = labels

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
            voxels or labels are incomplete.
        """
        path = Path(path).absolute()
        description = read_description(path)
        shape = (len(description.cases), *description.shape)
        voxels = _mapped(path / VOXELS_FILE, shape, stored_dtype(description.voxel_type))
        labels = None
        if description.label_scheme is not None:
            labels = _mapped(path / LABELS_FILE, shape, np.dtype(np.uint8))
        return cls(path, description, voxels, labels)

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
    def label_scheme(self) -> LabelScheme | None:
        """Meaning of the labels; none if the bank has no labels."""
        name = self.description.label_scheme
        return None if name is None else label_scheme(name)

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

    def read_labels(self, indices: ArrayLike) -> NDArray[np.uint8]:
        """Read the label maps of volumes, in the given order.

        Parameters
        ----------
        indices : sequence of int, length n
            As for `read`.

        Returns
        -------
        ndarray, shape (n, z, x, y), uint8
            Values of `label_scheme`.

        Raises
        ------
        CowganError
            The bank has no labels, an index is invalid as for `read`, or a label is not in the
            scheme.
        """
        scheme = self.label_scheme
        if self._labels is None or scheme is None:
            raise CowganError(f"The bank {self.path} has no labels.")
        labels: NDArray[np.uint8] = self._labels[self._checked(indices)]
        scheme.require(labels)
        return labels

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
        """Read every voxel and label and compare with the hashes in ``bank.json``.

        Raises
        ------
        CowganError
            A volume or its labels have changed since they were written.
        Cancelled
            The user cancelled.
        """
        progress = progress or Silent()
        arrays = [self._voxels] if self._labels is None else [self._voxels, self._labels]
        for done, (case, *stored) in enumerate(zip(self.cases, *arrays, strict=True), 1):
            found = stored_sha256(stored)
            if found != case.sha256:
                raise CowganError(
                    f"The bank {self.path} is damaged: the case {case.name} (copy {case.copy}) "
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


def stored_sha256(arrays: Iterable[NDArray[Any]]) -> str:
    """Return the hash of the stored voxels of a case, and of its labels if it has them.

    It has 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _reopen(path: Path, sha256: str) -> Bank:
    bank = Bank.open(path)
    if bank.sha256 != sha256:
        raise CowganError(f"The bank {path} was replaced by another one while it was in use.")
    return bank


def _mapped(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return a stored array, memory-mapped read-only."""
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
