"""Writing of banks from recipes, each of which makes one volume."""

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.label_schemes import label_scheme
from cowgan.bank.bank import Bank, stored_sha256
from cowgan.bank.description import (
    CASES_FILE,
    DESCRIPTION_FILE,
    LABELS_FILE,
    VOXELS_FILE,
    BankCase,
    BankDescription,
)
from cowgan.bank.encoding import DEFAULT_VOXEL_TYPE, VoxelType, decode, encode, stored_dtype
from cowgan.bank.leakage import (
    Coarse,
    Leak,
    coarse_picture,
    find_same_names,
    find_same_scans,
    warnings_of,
)
from cowgan.bank.split import Assignment, SplitRule
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.folders import folder_in_the_making
from cowgan.pool import map_in_order
from cowgan.progress import Progress, Silent, advance
from cowgan.tables import TableWriter
from cowgan.text import dimensions
from cowgan.volume import Volume

_SPACING_TOLERANCE_MM = 1e-3
_SPACING_DECIMALS = 6
_BANK_FILES = {VOXELS_FILE, LABELS_FILE, DESCRIPTION_FILE, CASES_FILE}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class LabelledVolume(Volume):
    """A volume with a label map on its grid.

    Parameters
    ----------
    labels : ndarray, shape (z, x, y), uint8
        Values of the scheme.
    label_scheme : str
        Its name in `cowgan.anatomy.label_schemes.LABEL_SCHEMES`.

    Raises
    ------
    CowganError
        As for `cowgan.volume.Volume`; or the scheme is unknown or does not have a label, or the
        label map has another size or type.
    """

    labels: NDArray[np.uint8]
    label_scheme: str

    def __post_init__(self) -> None:
        super().__post_init__()
        label_scheme(self.label_scheme).require(self.labels)
        if self.labels.shape != self.shape or self.labels.dtype != np.uint8:
            raise CowganError("A label map needs the size of its volume and 8 bits per voxel.")


class VolumeRecipe(Protocol):
    """A recipe that makes one volume of a bank, in any process; picklable."""

    @property
    def name(self) -> str:
        """The file or anatomy."""

    @property
    def copy(self) -> int:
        """Number among the volumes made from it, from 0."""

    def make(self) -> Volume:
        """Return the volume, with intensities from 0 to 1.

        If it is a `LabelledVolume`, so are all of the bank, in one scheme.
        """


@dataclass(frozen=True)
class BankOptions:
    """Storage and split settings of a bank.

    Parameters
    ----------
    split : SplitRule
        Rule of the split.
    voxel_type : {"uint8", "uint16", "float16"}
        Storage type of intensities.
    jobs : int
        Number of processes; the bank does not depend on it.
    overwrite : bool
        Whether an existing bank may be replaced.
    """

    split: SplitRule = field(default_factory=SplitRule)
    voxel_type: VoxelType = DEFAULT_VOXEL_TYPE
    jobs: int = 1
    overwrite: bool = False


@dataclass(frozen=True)
class _Made:
    """An encoded volume."""

    arrays: dict[str, NDArray[Any]]
    label_scheme: str | None
    coarse: Coarse
    sha256: str
    spacing_mm: tuple[float, float, float]
    affine: NDArray[np.float64]
    provenance: dict[str, Any]

    @property
    def shape(self) -> tuple[int, int, int]:
        nz, nx, ny = self.arrays[VOXELS_FILE].shape
        return nz, nx, ny


def write_bank(
    target: Path,
    recipes: Sequence[VolumeRecipe],
    options: BankOptions | None = None,
    origin: dict[str, Any] | None = None,
    progress: Progress | None = None,
) -> Bank:
    """Make the volume of every recipe and write them as a bank.

    Parameters
    ----------
    target : Path
        The bank's folder, which appears when all volumes are written.
    recipes : sequence of VolumeRecipe
        One volume each, in the order of the bank.
    options : BankOptions, optional
        Storage and split settings.
    origin : dict, optional
        Origin of the bank, for ``bank.json``.
    progress : Progress, optional
        Updated after every volume.

    Returns
    -------
    Bank
        Opened for reading; its `warnings` describe suspected leakage.

    Raises
    ------
    CowganError
        A volume cannot be made or does not match the others, or the target exists or cannot be
        written. No files are left behind.
    Cancelled
        The user cancelled; no files are left behind.
    """
    options, progress = options or BankOptions(), progress or Silent()
    if not recipes:
        raise CowganError("A bank needs at least one volume.")
    twice = [key for key, count in Counter((r.name, r.copy) for r in recipes).items() if count > 1]
    if twice:
        raise CowganError(f"Two volumes of the bank would be called {twice[0][0]}.")
    stored_dtype(options.voxel_type)
    check = partial(refuse_target, overwrite=options.overwrite)
    check(target)
    assignments = options.split.assign(recipe.name for recipe in recipes)
    make = partial(_make, voxel_type=options.voxel_type)
    advance(progress, 0, len(recipes))
    with closing(map_in_order(make, recipes, options.jobs)) as made:
        first = next(made)
        needed_bytes = sum(array.nbytes for array in first.arrays.values()) * len(recipes)
        with folder_in_the_making(target, needed_bytes, check) as folder:
            cases: list[BankCase] = []
            coarse: list[Coarse] = []
            with ExitStack() as opened:
                files = {}
                for name, array in first.arrays.items():
                    files[name] = opened.enter_context((folder / name).open("wb"))
                    _write_header(files[name], (len(recipes), *array.shape), array.dtype)
                for recipe, one in zip(recipes, chain([first], made), strict=True):
                    _refuse_misfit(recipe.name, one, recipes[0].name, first)
                    # Written and not memory-mapped, since a full disk would then kill the process.
                    for name, file in files.items():
                        file.write(one.arrays[name].data)
                    cases.append(_case(recipe, assignments[recipe.name], one))
                    coarse.append(one.coarse)
                    advance(progress, len(cases), len(recipes), recipe.name)
            leaks = _same_scans(folder / VOXELS_FILE, cases, coarse, progress)
            leaks += find_same_names(assignments)
            description = BankDescription(
                first.shape,
                first.spacing_mm,
                options.voxel_type,
                cases,
                {**(origin or {}), "split": options.split.to_dict()},
                warnings_of(leaks),
                label_scheme=first.label_scheme,
            )
            write_json(folder / DESCRIPTION_FILE, description.to_dict())
            _write_table(folder / CASES_FILE, cases)
    return Bank.open(target)


def _make(recipe: VolumeRecipe, voxel_type: VoxelType) -> _Made:
    volume = recipe.make()
    try:
        voxels = encode(volume.data, voxel_type)
    except CowganError as error:
        raise CowganError(f"The volume {recipe.name}: {error.sentence}", error.detail) from error
    sz, sx, sy = (round(mm, _SPACING_DECIMALS) for mm in volume.spacing_mm)
    arrays = {VOXELS_FILE: np.ascontiguousarray(voxels)}
    scheme = None
    if isinstance(volume, LabelledVolume):
        arrays[LABELS_FILE] = np.ascontiguousarray(volume.labels)
        scheme = volume.label_scheme
    return _Made(
        arrays,
        scheme,
        coarse_picture(volume.data),
        stored_sha256(arrays.values()),
        (sz, sx, sy),
        volume.affine,
        volume.provenance,
    )


def _same_scans(
    path: Path, cases: Sequence[BankCase], coarse: Sequence[Coarse], progress: Progress
) -> list[Leak]:
    # Closed on return, since an open file cannot be moved on Windows.
    stored = np.load(path, mmap_mode="r")

    def read(index: int) -> NDArray[np.float32]:
        volume = np.empty(stored.shape[1:], np.float32)
        decode(stored[index], volume)
        return volume

    names = [case.name for case in cases]
    held_out = [case.split == "holdout" for case in cases]
    return find_same_scans(coarse, names, held_out, read, progress)


def _case(recipe: VolumeRecipe, assigned: Assignment, made: _Made) -> BankCase:
    return BankCase(
        recipe.name,
        recipe.copy,
        assigned.subject,
        assigned.split,
        made.sha256,
        made.affine,
        made.provenance,
    )


def _refuse_misfit(name: str, made: _Made, first_name: str, first: _Made) -> None:
    if made.shape != first.shape:
        raise CowganError(
            f"All volumes of a bank need the same size, but {name} has {dimensions(made.shape)} "
            f"voxels (z, x, y) and {first_name} has {dimensions(first.shape)}."
        )
    if not np.allclose(made.spacing_mm, first.spacing_mm, rtol=0, atol=_SPACING_TOLERANCE_MM):
        own, other = (dimensions(one.spacing_mm, ".6g") for one in (made, first))
        raise CowganError(
            f"All volumes of a bank need the same voxel size, but that of {name} is {own} mm "
            f"(z, x, y) and that of {first_name} {other} mm."
        )
    if made.label_scheme != first.label_scheme:
        own_scheme, other_scheme = (one.label_scheme or "none" for one in (made, first))
        raise CowganError(
            f"All volumes of a bank need labels of the same scheme, but that of {name} is "
            f"{own_scheme} and that of {first_name} {other_scheme}."
        )


def _write_header(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _write_table(path: Path, cases: Sequence[BankCase]) -> None:
    # One line per case, not per copy, as needed for the split table of another bank.
    rows = {case.name: (case.subject, case.split) for case in cases}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = TableWriter(file, ("case", "subject", "split"))
        writer.write_header()
        for name, (subject, split) in rows.items():
            writer.write({"case": name, "subject": subject, "split": split})


def refuse_target(target: Path, overwrite: bool) -> None:
    """Raise `CowganError` unless a bank may be written to `target`.

    An empty folder is always accepted. With `overwrite`, a bank may be replaced, even a damaged
    one, but never a folder with other files.
    """
    target = Path(target)
    if not os.path.lexists(target):
        return
    if not target.is_dir() or target.is_symlink():
        raise CowganError(f"{target} is a file or a link and not a folder; choose another name.")
    found = {path.name for path in target.iterdir()}
    if not found <= _BANK_FILES:
        raise CowganError(
            f"{target} holds files that are not part of a bank; choose another folder."
        )
    if found and not overwrite:
        raise CowganError(f"{target} exists already; choose another name or allow overwriting.")
