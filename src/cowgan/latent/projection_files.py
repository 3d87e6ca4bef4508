"""The files of a projection."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.checkpoint import Checkpoint
from cowgan.documents import read_json
from cowgan.errors import CowganError
from cowgan.files import atomic_path, sha256_of, write_json
from cowgan.folders import folder_in_the_making
from cowgan.latent.inversion import Finding, LatentProjection
from cowgan.latent.model_stamp import ModelStamp
from cowgan.latent.projection_quality import ProjectionQuality, projection_quality
from cowgan.latent.tuning import Tuning, load_tuning, save_tuning
from cowgan.pictures import png_bytes
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume import Volume, image_sha256, write_nifti
from cowgan.volume.contact_sheet import contact_sheet
from cowgan.volume.intensity import to_grey
from cowgan.volume.projection import Plane, mip

STATE, REPORT, TUNING = "state.json", "report.json", "tuning.safetensors"
PROJECTED, SCAN, PICTURE = "projected.nii.gz", "scan.nii.gz", "comparison.png"

_NEEDED_BYTES = 40_000_000
_DIFFERENCE_WHITE = 0.25
"""Absolute difference of intensity that is shown as white."""


@dataclass(frozen=True, eq=False)
class ProjectionReport:
    """A projection and how good it is.

    Attributes
    ----------
    projection : LatentProjection
        What was found.
    qualities : tuple of ProjectionQuality
        Of each finding.
    """

    projection: LatentProjection
    qualities: tuple[ProjectionQuality, ...]

    @classmethod
    def of(cls, projection: LatentProjection) -> "ProjectionReport":
        """Measure every finding of a projection."""
        return cls(
            projection,
            tuple(
                projection_quality(projection.target, finding.volume)
                for finding in projection.findings
            ),
        )

    def to_dict(self, scan: Path | str, checkpoint: Checkpoint) -> dict[str, Any]:
        """Return the content of ``report.json``; the figures of the result are on top."""
        result = self.projection.result
        return {
            **asdict(self.qualities[-1]),
            "stage": result.stage,
            "complete": self.projection.complete,
            "steps": len(result.losses),
            "coverage": round(float(self.projection.target.inside.mean()), 4),
            "stages": {
                finding.stage: asdict(quality)
                for finding, quality in zip(self.projection.findings, self.qualities, strict=True)
            },
            "losses": [round(loss, 5) for loss in result.losses],
            "scan": (
                {"file": scan.name, "sha256": image_sha256(scan)}
                if isinstance(scan, Path)
                else {"name": scan}
            ),
            "checkpoint": asdict(ModelStamp.of(checkpoint)),
            "remarks": list(self.projection.target.remarks),
        }


def write_projection(
    folder: Path, scan: Path | str, projection: LatentProjection, checkpoint: Checkpoint
) -> ProjectionReport:
    """Write a projection to a new folder.

    It holds ``state.json`` (the latent state), ``projected.nii.gz`` and ``scan.nii.gz`` (both on
    the model's grid at the place of the scan), ``comparison.png``, ``report.json`` and, of pivotal
    tuning, ``tuning.safetensors``.

    Parameters
    ----------
    folder : Path
        Must not exist.
    scan : Path or str
        The projected file, or the name of what is in no file.
    projection : LatentProjection
        The result.
    checkpoint : Checkpoint
        The model.

    Raises
    ------
    CowganError
        The folder exists or cannot be written.
    """
    report = ProjectionReport.of(projection)
    name = scan.name if isinstance(scan, Path) else scan
    content = report.to_dict(scan, checkpoint)
    result, target = projection.result, projection.target
    tuned = tuned_model(checkpoint, result, name)
    provenance = Synthesizer(tuned, "cpu").provenance(result.state)
    provenance["projection"] = {"scan": content["scan"], "stage": result.stage}
    with folder_in_the_making(folder, _NEEDED_BYTES) as part:
        write_json(part / STATE, result.state.to_dict())
        if result.tuning is not None:
            save_tuning(result.tuning.named(name), part / TUNING)
            provenance["checkpoint"]["tuning_sha256"] = sha256_of(part / TUNING)
        placed = Volume(result.volume.data, target.volume.affine, provenance)
        write_nifti(placed, part / PROJECTED)
        write_nifti(target.volume, part / SCAN)
        with atomic_path(part / PICTURE) as temporary:
            temporary.write_bytes(png_bytes(comparison_picture(target.volume, placed)))
        write_json(part / REPORT, content)
    return report


def read_projection(folder: Path, checkpoint: Checkpoint) -> tuple[LatentState, Tuning | None]:
    """Read the state of a projection, and its tuning if it has one.

    Raises
    ------
    CowganError
        The folder holds no projection, or one of another model.
    """
    if not (folder / STATE).is_file():
        raise CowganError(f"{folder} holds no projection of cowgan project.")
    report = read_json(folder / REPORT, dict[str, Any])
    model = report.get("checkpoint")
    if not isinstance(model, dict) or model.get("sha256") != checkpoint.sha256:
        raise CowganError(f"The projection in {folder} belongs to another model.")
    state = LatentState.from_dict(read_json(folder / STATE, dict[str, Any]))
    tuning = folder / TUNING
    return state, load_tuning(tuning) if tuning.exists() else None


def tuned_model(checkpoint: Checkpoint, finding: Finding, scan: str) -> Checkpoint:
    """Return the model that makes the volume of a finding, tuned to the scan if it was."""
    if finding.tuning is None:
        return checkpoint
    return finding.tuning.named(scan).tuned(checkpoint)


def comparison_picture(
    scan: Volume,
    projected: Volume,
    planes: Sequence[Plane] = ("axial", "coronal", "sagittal"),
) -> NDArray[np.uint8]:
    """Return MIPs of scan, projection and their difference, one row for each plane."""
    difference = Volume(np.abs(projected.data - scan.data), scan.affine)
    shown = ((scan, 1.0), (projected, 1.0), (difference, _DIFFERENCE_WHITE))
    rows = [
        [to_grey(mip(volume, plane, isotropic=True), 0, white) for volume, white in shown]
        for plane in planes
    ]
    width = max(picture.shape[1] for pictures in rows for picture in pictures)
    return np.concatenate(
        [
            contact_sheet([_padded(picture, width) for picture in pictures], 3, 2)
            for pictures in rows
        ]
    )


def _padded(picture: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    return np.pad(picture, ((0, 0), (0, width - picture.shape[1])))
