"""Training banks of preprocessed scans."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cowgan.bank.bank import Bank
from cowgan.bank.scaling import BankScaling, scale
from cowgan.bank.writing import BankOptions, write_bank
from cowgan.data.scans import Case, find_scans, read_case
from cowgan.errors import CowganError
from cowgan.progress import Progress
from cowgan.volume import Units, Volume, image_sha256


def bank_from_nifti(
    inputs: Sequence[Path],
    target: Path,
    scaling: BankScaling = "none",
    options: BankOptions | None = None,
    progress: Progress | None = None,
    take: Sequence[str] = (),
    units: Units | None = None,
) -> Bank:
    """Make a bank of scans of one size, in the order of their names.

    Parameters
    ----------
    inputs : sequence of path-like
        Files, and folders that are searched; see `cowgan.data.scans.find_scans`. All volumes
        must have the same size and voxel size.
    target : path-like
        The bank's folder.
    scaling : {"none", "robust", "minmax"}
        ``"none"`` asks for intensities from 0 to 1; ``"robust"`` maps the percentiles 0.1
        and 99.9 of each volume to 0 and 1 and clips; ``"minmax"`` its extremes (the paper).
    options, progress
        As for `cowgan.bank.writing.write_bank`.
    take : sequence of str
        As for `cowgan.data.scans.find_scans`.
    units : {"mm", "m", "um"}, optional
        Unit of lengths in the scans, overriding the files.

    Raises
    ------
    CowganError
        A file cannot be read, holds labels, does not match the others or is not scaled, or the
        target exists or cannot be written. No files are left behind.
    Cancelled
        The user cancelled; no files are left behind.
    """
    found = find_scans(inputs, take=take, progress=progress).require_cases(inputs)
    cases = sorted(found.cases, key=lambda case: case.name)
    recipes = [NiftiRecipe(case, scaling, units=units) for case in cases]
    origin: dict[str, Any] = {"kind": "nifti", "scaling": scaling}
    if found.set_aside:
        # A bank must not contain absolute paths of the computer it was made on.
        aside = [{"file": one.place, "reason": one.reason} for one in found.set_aside]
        origin["set_aside"] = aside
    return write_bank(Path(target), recipes, options, origin, progress)


@dataclass(frozen=True)
class NiftiRecipe:
    """The recipe of a volume that is read from a file."""

    case: Case
    scaling: BankScaling
    copy: int = 0
    units: Units | None = None

    @property
    def name(self) -> str:
        """Name of the case."""
        return self.case.name

    def make(self) -> Volume:
        """Read and scale the volume; its last source records the SHA-256 of the file."""
        volume = read_case(self.case, self.units)
        *earlier, source = volume.provenance["sources"]
        sources = [*earlier, {**source, "sha256": image_sha256(self.case.path)}]
        volume = replace(volume, provenance={**volume.provenance, "sources": sources})
        try:
            return scale(volume, self.scaling)
        except CowganError as error:
            raise CowganError(f"{self.case.path.name}: {error.sentence}", error.detail) from error
