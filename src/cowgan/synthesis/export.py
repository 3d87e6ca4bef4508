"""Writing many volumes to a folder, with a table of what they are."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cowgan.errors import Cancelled, CowganError
from cowgan.files import atomic_path, sha256_of
from cowgan.progress import Progress, Silent, advance
from cowgan.synthesis.state import LatentState
from cowgan.synthesis.synthesizer import Synthesizer
from cowgan.volume import write_nifti

MANIFEST = "manifest.csv"


@dataclass(frozen=True)
class ExportedVolume:
    """One row of the manifest."""

    file: str
    seed: int
    psi: float
    noise_seed: int | None
    sha256: str
    checkpoint_sha256: str | None


_COLUMNS = [field.name for field in fields(ExportedVolume)]


def export_path(folder: Path, state: LatentState) -> Path:
    """Return the file that a state is exported to in `folder`, named by its seed."""
    return Path(folder) / f"seed_{state.seed:06d}.nii.gz"


def export_volumes(
    synthesizer: Synthesizer,
    states: Sequence[LatentState],
    folder: Path,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> list[ExportedVolume]:
    """Render states to ``seed_N.nii.gz`` files with JSON sidecars and a manifest.

    Parameters
    ----------
    synthesizer : Synthesizer
        Renders the states.
    states : sequence of LatentState
        One file each; their seeds must differ.
    folder : Path
        Created if needed.
    overwrite : bool
        Whether files of an earlier export may be replaced.
    progress : Progress, optional
        Told after every volume.

    Returns
    -------
    list of ExportedVolume
        The new rows of ``manifest.csv``, which keeps those of earlier exports to the folder.

    Raises
    ------
    Cancelled
        The person stopped; volumes finished so far stay, with a manifest of them.
    CowganError
        Seeds repeat, files exist already, or the disk cannot be written. The manifest
        lists what was finished.
    """
    progress = progress or Silent()
    targets = [export_path(folder, state) for state in states]
    if len(set(targets)) < len(targets):
        raise CowganError("The same seed was asked for more than once.")
    manifest = Path(folder) / MANIFEST
    earlier = _read_manifest(manifest)
    existing = [path for path in targets if path.exists()]
    if existing and not overwrite:
        raise CowganError(
            f"{existing[0].name} exists already in {folder}; choose another folder, or allow "
            "overwriting."
        )
    exported: list[ExportedVolume] = []
    try:
        advance(progress, 0, len(states))
        volumes = synthesizer.render_many(states)
        for state, target, volume in zip(states, targets, volumes, strict=True):
            write_nifti(volume, target)
            exported.append(
                ExportedVolume(
                    target.name,
                    state.seed,
                    state.psi,
                    state.effective_noise_seed if state.noise else None,
                    sha256_of(target),
                    synthesizer.checkpoint.sha256,
                )
            )
            advance(progress, len(exported), len(states), target.name)
    except Cancelled:
        if len(exported) < len(states):
            raise
    finally:
        if exported:
            written = [vars(volume) for volume in exported]
            replaced = {volume.file for volume in exported}
            _write_manifest(
                manifest, [row for row in earlier if row["file"] not in replaced] + written
            )
    return exported


def _read_manifest(path: Path) -> list[dict[str, Any]]:
    """Return the rows of an earlier export to the same folder, which the new one continues."""
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except (OSError, ValueError, csv.Error) as error:
        raise CowganError(f"{path} could not be read: {error}.") from error
    if reader.fieldnames != _COLUMNS or any(None in row or None in row.values() for row in rows):
        raise CowganError(f"{path} is not a manifest of this program; choose another folder.")
    return rows


def _write_manifest(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
