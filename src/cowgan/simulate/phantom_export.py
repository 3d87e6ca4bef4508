"""Export of phantoms to a folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cowgan.anatomy.arteries import LABEL_SCHEME
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.progress import Progress, Silent, advance
from cowgan.simulate.disease import check_disease
from cowgan.simulate.phantom import make_anatomy, simulated
from cowgan.volume import write_labels, write_nifti


@dataclass(frozen=True)
class PhantomFiles:
    """The files of an exported phantom; a mask of aneurysms only where there are some."""

    seed: int
    variant: str
    volume: Path
    labels: Path
    truth: Path
    aneurysms: Path | None


def phantom_files(folder: Path, seed: int) -> tuple[Path, Path, Path, Path]:
    """Return the volume, label map, truth file and mask of aneurysms of a seed."""
    stem = f"phantom_{seed:06d}"
    return (
        Path(folder) / f"{stem}.nii.gz",
        Path(folder) / f"{stem}_label.nii.gz",
        Path(folder) / f"{stem}_truth.json",
        Path(folder) / f"{stem}_aneurysms_label.nii.gz",
    )


def export_phantoms(
    seeds: Sequence[int],
    folder: Path,
    variant: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    disease: str = "",
) -> list[PhantomFiles]:
    """Write TOF volume, label map and truth of each seed.

    Parameters
    ----------
    seeds : sequence of int
        One phantom each.
    folder : Path
        Created if needed.
    variant : str, optional
        The same anatomical variants for all; see `make_phantom`.
    overwrite : bool
        Whether files of an earlier export may be replaced.
    progress : Progress, optional
        Updated after every phantom.
    disease : str
        The same lesions for all; see `make_phantom`.

    Raises
    ------
    Cancelled
        The user cancelled; finished phantoms are kept.
    CowganError
        Files exist already, cannot be written, or the variant or a lesion is unknown or
        impossible; finished phantoms are kept.
    """
    wanted = check_disease(disease)
    progress = progress or Silent()
    for seed in seeds:
        existing = [path for path in phantom_files(folder, seed) if path.exists()]
        if existing and not overwrite:
            raise CowganError(
                f"{existing[0].name} exists already in {folder}; choose another folder, or allow "
                "overwriting."
            )
    written = []
    advance(progress, 0, len(seeds))
    for seed in seeds:
        try:
            anatomy = make_anatomy(seed, variant, wanted)
        except CowganError as error:
            raise CowganError(f"Seed {seed}: {error.sentence}", error.detail) from error
        volume, truth = simulated(anatomy), anatomy.truth
        image, labels, known, aneurysms = phantom_files(folder, seed)
        write_nifti(volume, image)
        provenance = {**volume.provenance, "labels": LABEL_SCHEME}
        write_labels(anatomy.labels, volume.affine, labels, provenance)
        mask = aneurysms if anatomy.aneurysms.any() else None
        if mask is not None:
            kind = {**volume.provenance, "labels": "aneurysms"}
            write_labels(anatomy.aneurysms.astype(np.uint8), volume.affine, mask, kind)
        write_json(known, truth.to_dict())
        written.append(PhantomFiles(seed, truth.variant, image, labels, known, mask))
        advance(progress, len(written), len(seeds), image.name)
    return written
