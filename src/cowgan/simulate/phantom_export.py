"""Export of phantoms to a folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cowgan.anatomy.arteries import LABEL_SCHEME
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.progress import Progress, Silent, advance
from cowgan.simulate.phantom import make_phantom
from cowgan.volume import write_labels, write_nifti


@dataclass(frozen=True)
class PhantomFiles:
    """The files of an exported phantom."""

    seed: int
    variant: str
    volume: Path
    labels: Path
    truth: Path


def phantom_files(folder: Path, seed: int) -> tuple[Path, Path, Path]:
    """Return the volume, label map and truth file of a seed."""
    stem = f"phantom_{seed:06d}"
    return (
        Path(folder) / f"{stem}.nii.gz",
        Path(folder) / f"{stem}_label.nii.gz",
        Path(folder) / f"{stem}_truth.json",
    )


def export_phantoms(
    seeds: Sequence[int],
    folder: Path,
    variant: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
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

    Raises
    ------
    Cancelled
        The user cancelled; finished phantoms are kept.
    CowganError
        Files exist already, cannot be written, or the variant is unknown.
    """
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
        volume, labels, truth = make_phantom(seed, variant)
        paths = phantom_files(folder, seed)
        write_nifti(volume, paths[0])
        provenance = {**volume.provenance, "labels": LABEL_SCHEME}
        write_labels(labels, volume.affine, paths[1], provenance)
        write_json(paths[2], truth.to_dict())
        written.append(PhantomFiles(seed, truth.variant, *paths))
        advance(progress, len(written), len(seeds), paths[0].name)
    return written
