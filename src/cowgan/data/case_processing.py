"""The preprocessing of one scan: read, register, interpolate once, scale, and record."""

from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cowgan.data.case_records import CaseRecord, software_versions
from cowgan.data.contrast import LEAST_CONTRAST, artery_contrast
from cowgan.data.quality import picture_path, write_picture
from cowgan.data.registration import PASS_SCORE, Registration, Target, register
from cowgan.data.roi import find_centre_mm, is_region, region_around
from cowgan.data.scans import Case, read_case
from cowgan.data.skull_strip import SkullStrip, Tool, brain_mask
from cowgan.data.template import read_template
from cowgan.documents import checked
from cowgan.errors import CowganError
from cowgan.files import sha256_of
from cowgan.volume import Units, Volume, image_sha256, sidecar_path, write_nifti
from cowgan.volume.intensity import Scaling, rescale
from cowgan.volume.resampling import Grid, Resampled, resample
from cowgan.volume.sidecar import open_sidecar

Roi = Literal["template", "auto", "paper"]

LEAST_COVERAGE = 0.8
"""Scans that cover less of the region of interest are rejected."""

ALREADY_REGION = "It already is a region of interest, and was neither registered nor cut."
"""Start of the remark on scans that are copied without registration."""

PIPELINE = 3
"""Version of the algorithm: increased when the same parameters give other volumes."""


@dataclass(frozen=True)
class PreprocessConfig:
    """Preprocessing settings.

    Parameters
    ----------
    template : Path, optional
        Head that scans are registered to; see `build_template`. Without one, each scan
        keeps its own axes and `roi` must be ``"auto"``.
    roi : {"template", "auto", "paper"} or (float, float, float)
        Middle of the region of interest: as the template's sidecar says; found by its
        arteries (in the template, or without one in each scan); the paper's voxels of its
        template; or a point in RAS millimetres of the template.
    intensity : {"robust", "minmax"}
        See `rescale`.
    skull_strip : {"auto", "none", "synthstrip", "hd-bet"}
        Program whose brain mask is used for registration; see `find_tool`.
    pass_score : float
        Registrations with a lower score are rejected; see `Registration.score`.
    jobs : int, optional
        How many processes; by default as many as the computer has cores.
    overwrite : bool
        Repeat cases whose earlier results are still valid.
    take : tuple of str
        Patterns of further files to take as scans; see `cowgan.data.scans.find_scans`.
    units : {"mm", "m", "um"}, optional
        Unit of lengths in the scans, overriding the files.
    """

    template: Path | None = None
    roi: Roi | tuple[float, float, float] = "template"
    intensity: Scaling = "robust"
    skull_strip: SkullStrip = "auto"
    pass_score: float = PASS_SCORE
    jobs: int | None = None
    overwrite: bool = False
    take: tuple[str, ...] = ()
    units: Units | None = None


@dataclass(frozen=True)
class CaseTask:
    """A case, and its record from an earlier run."""

    case: Case
    earlier: CaseRecord | None

    def __hash__(self) -> int:
        return hash(self.case)


@dataclass(frozen=True)
class CaseOutcome:
    """The record of a case; `kept` if it is the valid record of an earlier run."""

    record: CaseRecord
    kept: bool = False


@dataclass(frozen=True)
class CaseProcessor:
    """Preprocesses one case; sent to every process."""

    config: PreprocessConfig
    out: Path
    parameters: dict[str, Any]
    centre_mm: NDArray[np.float64] | None
    tool: Tool | None
    about: str

    @property
    def tool_name(self) -> str:
        """The skull stripping program, or ``"none"``."""
        return "none" if self.tool is None else self.tool.name

    def __call__(self, task: CaseTask) -> CaseOutcome:
        """Preprocess a case unless an earlier result is still valid."""
        case = task.case
        digest = image_sha256(case.path)
        target = self.out / f"{case.name}.nii.gz"
        earlier = task.earlier or _record_beside(target)
        if target.exists() and earlier is None:
            raise CowganError(
                f"{target.name} exists in the output folder and was not made by preprocessing."
            )
        # A rejected case that is now named by the user may be accepted.
        again = self.config.overwrite or (case.named and earlier and earlier.status == "rejected")
        if earlier is not None and not again and self._is_current(earlier, digest):
            return CaseOutcome(earlier, kept=True)
        record, volume = self._volume(case, digest)
        if volume is not None:
            write_picture(volume, picture_path(self.out, case.name))
        if record.status != "done" or volume is None:
            remove_output(self.out, case.name, earlier)
            return CaseOutcome(record)
        history = {"preprocessing": {**asdict(record), "input": case.path.name}}
        write_nifti(Volume(volume.data, volume.affine, volume.provenance | history), target)
        return CaseOutcome(replace(record, output_sha256=sha256_of(target)))

    def _is_current(self, earlier: CaseRecord, digest: str) -> bool:
        if earlier.input_sha256 != digest or earlier.parameters != self.parameters:
            return False
        if earlier.status == "rejected":
            return True
        target = self.out / earlier.output
        return (
            earlier.status == "done"
            and sidecar_path(target).exists()
            and target.is_file()
            and sha256_of(target) == earlier.output_sha256
        )

    def _volume(self, case: Case, digest: str) -> tuple[CaseRecord, Volume | None]:
        """Return the record of a scan, and its region of interest."""
        scan = read_case(case, self.config.units)
        if is_region(scan):
            return self._taken_over(case, digest, scan)
        if self.centre_mm is None:
            registration = Registration(np.eye(4), 1.0)
            centre, shown = find_centre_mm(scan), None
            grid = region_around(centre, scan.affine)
        else:
            target, grid, shown = _target(self.config.template, tuple(self.centre_mm.tolist()))
            mask = None if self.tool is None else brain_mask(scan, self.tool)
            registration = register(scan, target, mask)
            centre = self.centre_mm
        part = resample(scan, grid, registration.to_input)
        record = self._record(
            case,
            digest,
            scan,
            output=f"{case.name}.nii.gz",
            score=None if self.centre_mm is None else round(registration.score, 4),
            coverage=round(part.coverage, 4),
            centre_mm=np.round(centre, 3).tolist(),
            skull_strip=self.tool_name,
            to_template=registration.to_template.tolist(),
        )
        reason = self._reason_against(registration, part, None if case.named else shown)
        if reason:
            record = replace(record, status="rejected", reason=reason, output="")
        if part.coverage == 0:
            return record, None
        data = rescale(part.data, self.config.intensity, part.inside)
        return record, Volume(data, grid.affine, scan.provenance)

    def _record(self, case: Case, digest: str, scan: Volume, **more: Any) -> CaseRecord:
        record = CaseRecord(
            case.name,
            "done",
            input_sha256=digest,
            remarks=list(scan.remarks),
            parameters=self.parameters,
            source=(scan.provenance.get("sources") or [{}])[-1],
            software=software_versions(),
        )
        return replace(record, **more)

    def _taken_over(self, case: Case, digest: str, scan: Volume) -> tuple[CaseRecord, Volume]:
        """Return a scan that already is a region of interest."""
        scaled = bool(scan.data.min() >= 0 and scan.data.max() <= 1)
        data = scan.data if scaled else rescale(scan.data, self.config.intensity)
        record = self._record(
            case,
            digest,
            scan,
            output=f"{case.name}.nii.gz",
            coverage=1.0,
            centre_mm=np.round(Grid(scan.shape, scan.affine).centre_mm, 3).tolist(),
        )
        scaling = (
            "Its intensities stayed as they are." if scaled else "Its intensities were scaled."
        )
        record = replace(record, remarks=[*record.remarks, f"{ALREADY_REGION} {scaling}"])
        return record, Volume(data, scan.affine, scan.provenance)

    def _reason_against(
        self, registration: Registration, part: Resampled, template: NDArray[np.float32] | None
    ) -> str:
        """Return why a scan is rejected; contrast is judged only with a template."""
        if registration.score < self.config.pass_score:
            return (
                f"The registration scores {registration.score:.2f}, less than "
                f"{self.config.pass_score:g}."
            )
        if part.coverage < LEAST_COVERAGE:
            return f"The scan shows only {part.coverage:.0%} of the region of interest."
        if template is not None and (
            artery_contrast(part.data, part.inside, template) < LEAST_CONTRAST
        ):
            return (
                "No bright arteries lie where the template has them, so it may be no TOF MRA; "
                "name the file to take it."
            )
        return ""


@lru_cache(maxsize=1)
def _target(
    template: Path, centre_mm: tuple[float, float, float]
) -> tuple[Target, Grid, NDArray[np.float32]]:
    """Return the registration target and its region, prepared once per process."""
    volume = read_template(template).volume
    centre = np.array(centre_mm)
    grid = region_around(centre, volume.affine)
    return Target(volume, centre), grid, resample(volume, grid).data


def _record_beside(target: Path) -> CaseRecord | None:
    """Return the record in the sidecar of an output that is in no manifest, after a killed run."""
    try:
        beside = open_sidecar(sidecar_path(target))
        stored = beside.provenance.get("preprocessing")
        record = checked(stored, CaseRecord, "The record", other_versions=True)
    except CowganError:
        return None
    return replace(record, output_sha256=beside.image_sha256)


def remove_output(out: Path, name: str, earlier: CaseRecord | None) -> None:
    """Remove the earlier output of a scan that is no longer accepted."""
    if earlier is None or earlier.status != "done":
        return
    target = out / f"{name}.nii.gz"
    for path in (target, sidecar_path(target)):
        path.unlink(missing_ok=True)
