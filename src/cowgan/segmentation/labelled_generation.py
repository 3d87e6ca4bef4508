"""Generation of many volumes with their label maps, in one or several processes."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from cowgan.documents import parse_json
from cowgan.errors import Cancelled, CowganError
from cowgan.files import sha256_of
from cowgan.progress import Progress, Silent
from cowgan.segmentation.pair_layouts import PairLayout
from cowgan.segmentation.prediction import MANIFEST, SET_ASIDE
from cowgan.segmentation.volume_labellers import GeneratedWithLabels, VolumeLabeller
from cowgan.synthesis import LatentState
from cowgan.tables import read_table, write_table
from cowgan.training.distributed import SINGLE_PROCESS, ProcessGroup
from cowgan.volume import sidecar_path, write_labels, write_nifti
from cowgan.volume.sidecar import Sidecar, open_sidecar


@dataclass(frozen=True)
class GeneratedPair:
    """One row of the manifest.

    Parameters
    ----------
    image, labels : str
        The files, below the folder.
    scheme : str
        Meaning of the labels.
    seed : int
        Seed of the volume.
    psi : float
        Truncation.
    noise_seed : int or None
        Seed of the noise; None without noise.
    vessel_mm3 : float
        Volume of all arteries.
    uncertainty, agreement : float or None
        See `cowgan.segmentation.volume_labellers.GeneratedWithLabels`.
    image_sha256, labels_sha256, checkpoint_sha256 : str
        Hashes of the files and of the model.
    """

    image: str
    labels: str
    scheme: str
    seed: int
    psi: float
    noise_seed: int | None
    vessel_mm3: float
    uncertainty: float | None
    agreement: float | None
    image_sha256: str
    labels_sha256: str
    checkpoint_sha256: str | None


_QUALITY = "quality"
"""Entry of a label map's history that is known only once the map is made."""

_COLUMNS = [field.name for field in fields(GeneratedPair)]


@dataclass(frozen=True, eq=False)
class LabelledGeneration:
    """Generates volumes with label maps into a folder.

    Parameters
    ----------
    labeller : VolumeLabeller
        Makes the pairs.
    layout : PairLayout
        Where they lie.
    folder : Path
        Created if needed.
    least_agreement : float
        Pairs on which an ensemble agrees less go to the folder ``set_aside``, in the same layout.
    overwrite : bool
        Whether other files of these names may be replaced.
    """

    labeller: VolumeLabeller
    layout: PairLayout
    folder: Path
    least_agreement: float = 0.0
    overwrite: bool = False

    def run(
        self,
        states: Sequence[LatentState],
        progress: Progress | None = None,
        processes: ProcessGroup = SINGLE_PROCESS,
    ) -> list[GeneratedPair]:
        """Generate the pairs of some states; called by all processes, which share the work.

        A label map is complete before its image appears, so that there is no image without labels.
        Pairs that are complete already are kept: repeating a run resumes it after it was cancelled
        or killed. The files do not depend on the number of processes.

        Parameters
        ----------
        states : sequence of LatentState
            One pair each; their seeds must differ.
        progress : Progress, optional
            Updated after every pair.
        processes : ProcessGroup
            The processes; the first writes ``manifest.csv`` and the layout's description.

        Returns
        -------
        list of GeneratedPair
            The rows of these states.

        Raises
        ------
        CowganError
            Seeds repeat, other files of these names exist, the folder holds labels of another
            scheme, or it cannot be written.
        Cancelled
            The user cancelled; complete pairs stay, with a manifest of them.
        """
        progress = progress or Silent()
        if len({state.seed for state in states}) < len(states):
            raise CowganError("The same seed was asked for more than once.")
        earlier = self._earlier_rows()
        own = processes.share(states)
        missing = [state for state in own if self._complete_row(state) is None]
        # No process writes before all have seen what there was.
        processes.synchronise()
        rounds = math.ceil(len(states) / processes.count)
        for number in range(rounds):
            progress.report(min(len(states), number * processes.count), len(states))
            if processes.synchronise(progress.cancelled):
                if processes.is_leader:
                    self._write_manifest(states, earlier)
                raise Cancelled
            if number < len(own) and own[number] in missing:
                self._write(own[number], self.labeller(own[number]))
        processes.synchronise()
        rows = self._write_manifest(states, earlier) if processes.is_leader else []
        progress.report(len(states), len(states))
        return rows

    def _complete_row(self, state: LatentState) -> GeneratedPair | None:
        """Return the row of a pair that is whole and where it belongs.

        Raises `CowganError` if other files have its names.
        """
        for aside in (False, True):
            row, files = self._row(state, aside), self._files(state, aside)
            if row is not None and (row.image_sha256, row.labels_sha256) == tuple(
                map(sha256_of, files)
            ):
                return row
            there = [path for path in files if path.exists()]
            # A killed run leaves a label map of its own without an image.
            left = len(there) == 1 and any(self._sidecars(state, aside))
            if there and not left and not self.overwrite:
                raise CowganError(
                    f"{there[0].name} exists already in {self.folder}; choose another folder, or "
                    "allow overwriting."
                )
        return None

    def _row(self, state: LatentState, aside: bool) -> GeneratedPair | None:
        """Return the row of a pair by its sidecars; None unless both are those of the state."""
        image, labels = self._files(state, aside)
        of_image, of_labels = self._sidecars(state, aside)
        if of_image is None or of_labels is None:
            return None
        quality = of_labels.provenance[_QUALITY]
        if self._is_doubted(quality["agreement"]) != aside:
            return None
        return GeneratedPair(
            image.relative_to(self.folder).as_posix(),
            labels.relative_to(self.folder).as_posix(),
            self.labeller.scheme.name,
            state.seed,
            state.psi,
            state.effective_noise_seed if state.noise else None,
            quality["vessel_mm3"],
            quality["uncertainty"],
            quality["agreement"],
            of_image.image_sha256,
            of_labels.image_sha256,
            self.labeller.synthesizer.checkpoint.sha256,
        )

    def _sidecars(self, state: LatentState, aside: bool) -> tuple[Sidecar | None, Sidecar | None]:
        """Return the sidecars of image and label map, each if it and its file are of a state."""
        image, labels = self._files(state, aside)
        return (
            _sidecar(image, self._image_history(state)),
            _sidecar(labels, self._label_history(state)),
        )

    def _write(self, state: LatentState, made: GeneratedWithLabels) -> None:
        aside = self._is_doubted(made.agreement)
        for path in self._files(state, not aside):
            for file in (path, sidecar_path(path)):
                file.unlink(missing_ok=True)
        image, labels = self._files(state, aside)
        voxel_mm3 = math.prod(made.volume.spacing_mm)
        quality = {
            "vessel_mm3": round(float(np.count_nonzero(made.labels)) * voxel_mm3, 2),
            "uncertainty": made.uncertainty,
            "agreement": made.agreement,
        }
        write_labels(
            self.layout.stored(made.labels),
            made.volume.affine,
            labels,
            {**self._label_history(state), _QUALITY: quality},
        )
        self.layout.describe_labels(labels)
        write_nifti(made.volume, image)

    def _files(self, state: LatentState, aside: bool) -> tuple[Path, Path]:
        root = self.folder / SET_ASIDE if aside else self.folder
        image, labels = self.layout.paths(state.seed)
        return root / image, root / labels

    def _is_doubted(self, agreement: float | None) -> bool:
        return agreement is not None and agreement < self.least_agreement

    def _image_history(self, state: LatentState) -> dict[str, Any]:
        return self.labeller.synthesizer.provenance(state)

    def _label_history(self, state: LatentState) -> dict[str, Any]:
        return {
            **self._image_history(state),
            "labels": self.layout.meaning,
            "labelled_by": self.labeller.provenance,
        }

    def _earlier_rows(self) -> list[dict[str, Any]]:
        """Return the manifest of earlier runs into the folder."""
        manifest = self.folder / MANIFEST
        if not manifest.exists():
            return []
        columns, rows = read_table(manifest)
        if columns != _COLUMNS:
            raise CowganError(
                f"{manifest} does not list generated pairs; choose another folder for these."
            )
        schemes = {row["scheme"] for row in rows} - {self.labeller.scheme.name}
        if schemes:
            raise CowganError(
                f"{self.folder} holds labels of {min(schemes)}, not of "
                f"{self.labeller.scheme.name}; choose another folder for these."
            )
        return list(rows)

    def _write_manifest(
        self, states: Sequence[LatentState], earlier: Sequence[dict[str, Any]]
    ) -> list[GeneratedPair]:
        """Write manifest and description of all pairs; return the rows of those of some states."""
        rows = [
            row
            for state in states
            if (row := self._row(state, False) or self._row(state, True)) is not None
        ]
        seeds = {str(row.seed) for row in rows}
        listed = [row for row in earlier if row["seed"] not in seeds] + [vars(row) for row in rows]
        listed.sort(key=lambda row: int(row["seed"]))
        write_table(self.folder / MANIFEST, _COLUMNS, listed)
        kept = sum(not row["image"].startswith(f"{SET_ASIDE}/") for row in listed)
        licence = self.labeller.synthesizer.checkpoint.card.licence
        self.layout.describe(self.folder, kept, licence)
        return rows


def _sidecar(path: Path, wanted: dict[str, Any]) -> Sidecar | None:
    """Return the sidecar of a file whose history is as wanted; None if there is none."""
    try:
        beside = open_sidecar(sidecar_path(path))
    except CowganError:
        return None
    found = {name: one for name, one in beside.provenance.items() if name != _QUALITY}
    same = found == parse_json(json.dumps(wanted), object, "The history")
    return beside if same and path.exists() else None
