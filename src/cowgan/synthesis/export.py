"""Export of volumes to a folder, with a manifest."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self, TextIO

from cowgan.documents import parse_json
from cowgan.errors import Cancelled, CowganError
from cowgan.files import sha256_of
from cowgan.progress import Progress, Silent, advance
from cowgan.synthesis.state import LatentState
from cowgan.synthesis.synthesizer import Synthesizer
from cowgan.tables import TableWriter, read_table, write_table
from cowgan.volume import write_nifti
from cowgan.volume.sidecar import open_sidecar, sidecar_path

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

    Files that already hold the requested volume are kept, so that repeating an export resumes
    it after it was cancelled or killed.

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
        Reports every volume.

    Returns
    -------
    list of ExportedVolume
        The rows of these states in ``manifest.csv``, which keeps those of earlier exports to
        the folder. A row is written as soon as its file is.

    Raises
    ------
    Cancelled
        The user cancelled; completed volumes stay, with a manifest of them.
    CowganError
        Seeds repeat, other files of these names exist, or the disk cannot be written. The
        manifest lists the completed volumes.
    """
    progress = progress or Silent()
    targets = [export_path(folder, state) for state in states]
    if len(set(targets)) < len(targets):
        raise CowganError("The same seed was asked for more than once.")
    manifest = Path(folder) / MANIFEST
    earlier = _read_manifest(manifest)
    finished = {
        target: sha256
        for state, target in zip(states, targets, strict=True)
        if (sha256 := _finished_sha256(target, state, synthesizer)) is not None
    }
    existing = [path for path in targets if path.exists() and path not in finished]
    if existing and not overwrite:
        raise CowganError(
            f"{existing[0].name} exists already in {folder}; choose another folder, or allow "
            "overwriting."
        )
    advance(progress, 0, len(states))
    if not states:
        return []
    missing = [s for s, target in zip(states, targets, strict=True) if target not in finished]
    volumes = synthesizer.render_many(missing)
    exported: list[ExportedVolume] = []
    with _Manifest(manifest, earlier) as rows:
        try:
            for state, target in zip(states, targets, strict=True):
                if target not in finished:
                    write_nifti(next(volumes), target)
                exported.append(
                    ExportedVolume(
                        target.name,
                        state.seed,
                        state.psi,
                        state.effective_noise_seed if state.noise else None,
                        finished.get(target) or sha256_of(target),
                        synthesizer.checkpoint.sha256,
                    )
                )
                rows.add(exported[-1])
                advance(progress, len(exported), len(states), target.name)
        except Cancelled:
            if len(exported) < len(states):
                raise
    return exported


def _finished_sha256(target: Path, state: LatentState, synthesizer: Synthesizer) -> str | None:
    """Return the SHA-256 of a file of this state from an earlier export, or None.

    A model that has not been saved has no SHA-256 to identify it by.
    """
    if synthesizer.checkpoint.sha256 is None or not target.exists():
        return None
    try:
        beside = open_sidecar(sidecar_path(target))
        found = sha256_of(target)
    except (OSError, CowganError):
        return None
    wanted = parse_json(json.dumps(synthesizer.provenance(state)), object, "The history")
    return found if (beside.provenance, beside.image_sha256) == (wanted, found) else None


class _Manifest:
    """Appends rows to a manifest one by one, so that a kill loses none.

    The last row of a file counts. The manifest is created with the first row.
    """

    def __init__(self, path: Path, rows: Sequence[dict[str, str]]) -> None:
        self._path = path
        self._rows: dict[str, dict[str, Any]] = {str(row["file"]): row for row in rows}
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
            self._write()

    def add(self, volume: ExportedVolume) -> None:
        row = vars(volume)
        self._rows.pop(volume.file, None)
        self._rows[volume.file] = row
        try:
            if self._file is None:
                self._write()
                # A row is one write of a whole line.
                self._file = self._path.open("a", buffering=1, newline="", encoding="utf-8")
            else:
                TableWriter(self._file, _COLUMNS).write(row)
        except OSError as error:
            raise CowganError(
                f"{self._path} could not be written: {error.strerror or error}.", repr(error)
            ) from error

    def _write(self) -> None:
        write_table(self._path, _COLUMNS, self._rows.values())


def _read_manifest(path: Path) -> list[dict[str, str]]:
    """Return the rows of earlier exports to the same folder."""
    if not path.exists():
        return []
    columns, rows = read_table(path)
    if columns == _COLUMNS and rows and not _is_whole(rows[-1]):
        # A full disk may have cut the last row short.
        del rows[-1]
    if columns != _COLUMNS or not all(map(_is_whole, rows)):
        raise CowganError(f"{path} is not a manifest of this program; choose another folder.")
    return rows


def _is_whole(row: dict[str, str]) -> bool:
    return bool(row["file"] and re.fullmatch("[0-9a-f]{64}", row["sha256"]))
