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
from cowgan.volume import Volume, read_volume
from cowgan.volume.formats import has_nifti_suffix, image_stem

_LABEL_ENDINGS = ("_label", "_labels", "_dseg", "_mask")


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
        Files, and folders that are searched with their subfolders, label maps left out. All
        volumes must have the same size and voxel size. A case is named by its path within
        the folder.
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
    files = find_nifti(inputs, images_only=True)
    recipes = [NiftiRecipe(name, path, scaling) for name, path in files.items()]
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
        volume = read_volume(self.path)
        *earlier, source = volume.provenance["sources"]
        sources = [*earlier, {**source, "sha256": sha256_of(self.path)}]
        volume = replace(volume, provenance={**volume.provenance, "sources": sources})
        try:
            return scale(volume, self.scaling)
        except CowganError as error:
            raise CowganError(f"{self.path.name}: {error.sentence}", error.detail) from error


def find_nifti(inputs: Sequence[Path], images_only: bool = False) -> dict[str, Path]:
    """Return the NIfTI files that files and folders hold, by case name and sorted by it.

    Parameters
    ----------
    inputs : sequence of Path
        Files, and folders that are searched to any depth.
    images_only : bool
        Leave out the label maps of folders, known by names that end in ``_label``,
        ``_labels``, ``_dseg`` or ``_mask``.

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
        paths = [given]
        if given.is_dir():
            every = sorted(filter(_is_nifti, given.rglob("*")))
            paths = [path for path in every if not (images_only and _is_label_map(path))]
        for path in paths:
            name = path.relative_to(folder).with_name(image_stem(path)).as_posix()
            if found.setdefault(name, path) != path:
                raise CowganError(f"Two files are called {name}: {found[name]} and {path}.")
    if not found:
        wanted = "NIfTI files other than label maps" if images_only else "NIfTI files"
        raise CowganError(f"There are no {wanted} in {', '.join(map(str, inputs))}.")
    return dict(sorted(found.items()))


def _is_label_map(path: Path) -> bool:
    return image_stem(path).lower().endswith(_LABEL_ENDINGS)


def _is_nifti(path: Path) -> bool:
    return has_nifti_suffix(path) and not path.name.startswith(".") and path.is_file()
