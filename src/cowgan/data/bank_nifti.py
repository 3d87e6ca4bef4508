"""A training bank from preprocessed scans."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cowgan.data.bank import Bank
from cowgan.data.bank_intensity import BankScaling, scale
from cowgan.data.bank_writing import BankOptions, write_bank
from cowgan.errors import CowganError
from cowgan.files import sha256_of
from cowgan.progress import Progress
from cowgan.volume import Volume, read_nifti
from cowgan.volume.sidecar import has_nifti_suffix, nifti_stem


def bank_from_nifti(
    inputs: Sequence[Path],
    target: Path,
    scaling: BankScaling = "none",
    options: BankOptions | None = None,
    progress: Progress | None = None,
) -> Bank:
    """Make a bank of NIfTI files, in the order of their names.

    Parameters
    ----------
    inputs : sequence of path-like
        Files, and folders that are searched with their subfolders. All volumes must have
        the same size and voxel size. A case is named by its path within the folder.
    target : path-like
        The bank's folder.
    scaling : {"none", "robust", "minmax"}
        ``"none"`` asks for intensities from 0 to 1; ``"robust"`` maps the percentiles 0.1
        and 99.9 of each volume to 0 and 1 and clips; ``"minmax"`` its extremes (the paper).
    options, progress
        As for `cowgan.data.bank_writing.write_bank`.

    Raises
    ------
    CowganError
        A file cannot be read, does not fit the others or is not scaled; the sentence names
        it. Or the target exists or cannot be written. Nothing is left behind.
    Cancelled
        The person stopped; nothing is left behind.
    """
    recipes = [NiftiRecipe(name, path, scaling) for name, path in find_nifti(inputs).items()]
    origin = {"kind": "nifti", "scaling": scaling}
    return write_bank(Path(target), recipes, options, origin, progress)


@dataclass(frozen=True)
class NiftiRecipe:
    """One file as it is."""

    name: str
    path: Path
    scaling: BankScaling
    copy: int = 0

    def make(self) -> Volume:
        """Read and scale the volume; its last source then names the file's SHA-256."""
        volume = read_nifti(self.path)
        *earlier, source = volume.provenance["sources"]
        sources = [*earlier, {**source, "sha256": sha256_of(self.path)}]
        volume = replace(volume, provenance={**volume.provenance, "sources": sources})
        try:
            return scale(volume, self.scaling)
        except CowganError as error:
            raise CowganError(f"{self.path.name}: {error.sentence}", error.detail) from error


def find_nifti(inputs: Sequence[Path]) -> dict[str, Path]:
    """Return the NIfTI files that files and folders hold, by case name and sorted by it.

    Raises
    ------
    CowganError
        Something does not exist, nothing is found, or two files have the same case name.
    """
    found: dict[str, Path] = {}
    for given in map(Path, inputs):
        if not given.exists():
            raise CowganError(f"{given} does not exist.")
        folder = given if given.is_dir() else given.parent
        for path in sorted(filter(_is_nifti, given.rglob("*"))) if given.is_dir() else [given]:
            name = path.relative_to(folder).with_name(nifti_stem(path)).as_posix()
            if found.setdefault(name, path) != path:
                raise CowganError(f"Two files are called {name}: {found[name]} and {path}.")
    if not found:
        raise CowganError(f"There are no .nii or .nii.gz files in {', '.join(map(str, inputs))}.")
    return dict(sorted(found.items()))


def _is_nifti(path: Path) -> bool:
    return has_nifti_suffix(path) and not path.name.startswith(".") and path.is_file()
