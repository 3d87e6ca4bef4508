"""Training banks of preprocessed scans."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.label_schemes import LabelScheme, label_scheme
from cowgan.bank.bank import Bank
from cowgan.bank.scaling import BankScaling, scale
from cowgan.bank.writing import BankOptions, LabelledVolume, write_bank
from cowgan.data.image_pairs import find_maps_of
from cowgan.data.label_maps import difference_of_grids, labels_on_grid, require_labels
from cowgan.data.scans import Case, find_scans, read_case
from cowgan.errors import CowganError
from cowgan.progress import Progress
from cowgan.volume import Units, Volume, image_sha256, open_image
from cowgan.volume.resampling import Grid


@dataclass(frozen=True)
class LabelFolder:
    """Label maps with the names of scans.

    Parameters
    ----------
    folder : Path
        See `cowgan.data.image_pairs.find_maps_of`. A label map lies on the grid of its scan, or on
        that of the scan before `cowgan.data.preprocess`, and is then brought to the volume's.
    scheme : str
        Name of a scheme in `cowgan.anatomy.label_schemes.LABEL_SCHEMES`.
    """

    folder: Path
    scheme: str


def bank_from_nifti(
    inputs: Sequence[Path],
    target: Path,
    scaling: BankScaling = "none",
    options: BankOptions | None = None,
    progress: Progress | None = None,
    take: Sequence[str] = (),
    units: Units | None = None,
    labels: LabelFolder | None = None,
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
    labels : LabelFolder, optional
        Label maps of the scans.

    Raises
    ------
    CowganError
        A file cannot be read, holds labels, does not match the others or is not scaled; a label map
        is missing, does not fit its scan or is not one of the scheme; or the target exists or
        cannot be written. No files are left behind.
    Cancelled
        The user cancelled; no files are left behind.
    """
    found = find_scans(inputs, take=take, progress=progress).require_cases(inputs)
    cases = sorted(found.cases, key=lambda case: case.name)
    recipes = [NiftiRecipe(case, scaling, units=units) for case in cases]
    if labels is not None:
        maps = find_maps_of([case.name for case in cases], labels.folder)
        recipes = [
            replace(recipe, labels=maps[recipe.name], scheme=labels.scheme) for recipe in recipes
        ]
    origin: dict[str, Any] = {"kind": "nifti", "scaling": scaling}
    if found.set_aside:
        # A bank must not contain absolute paths of the computer it was made on.
        aside = [{"file": one.place, "reason": one.reason} for one in found.set_aside]
        origin["set_aside"] = aside
    return write_bank(Path(target), recipes, options, origin, progress)


@dataclass(frozen=True)
class NiftiRecipe:
    """The recipe of a volume that is read from a file, perhaps with its label map."""

    case: Case
    scaling: BankScaling
    copy: int = 0
    units: Units | None = None
    labels: Path | None = None
    scheme: str = ""

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
            scaled = scale(volume, self.scaling)
        except CowganError as error:
            raise CowganError(f"{self.case.path.name}: {error.sentence}", error.detail) from error
        if self.labels is None:
            return scaled
        labels = _labels_of(scaled, self.case, self.labels, label_scheme(self.scheme))
        return LabelledVolume(**vars(scaled), labels=labels, label_scheme=self.scheme)


def _labels_of(volume: Volume, case: Case, labels: Path, scheme: LabelScheme) -> NDArray[np.uint8]:
    """Return a label map of a volume, or of the scan that it was made of, on the volume's grid."""
    image, scan = open_image(labels), open_image(case.path)
    require_labels(image, scheme)
    found = image.labels()
    if difference := difference_of_grids(case.name, ("label map", image), ("scan", scan)):
        to_template = volume.provenance.get("preprocessing", {}).get("to_template")
        if to_template is None:
            raise CowganError(difference)
        if found.any():
            grid = Grid(volume.shape, volume.affine)
            found = labels_on_grid(found, image.affine, grid, np.array(to_template))
    if not found.any():
        raise CowganError(f"The label map {labels.name} is empty where its scan is.")
    return found
