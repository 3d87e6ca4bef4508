"""From scans of any kind to volumes of one kind, as in Aydin et al. 2024.

Each scan is read in canonical orientation, registered rigidly to a template, and
interpolated once, straight onto the grid of the region of interest.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cowgan.data.case_records import (
    CaseRecord,
    read_manifest,
    software_versions,
    write_manifest,
)
from cowgan.data.contrast import LEAST_CONTRAST, artery_contrast
from cowgan.data.quality import picture_path, write_picture, write_quality_pages
from cowgan.data.registration import PASS_SCORE, Registration, Target, register
from cowgan.data.roi import find_centre_mm, is_region, paper_centre_mm, region_around
from cowgan.data.scans import Case, FoundScans, SetAside, find_scans, read_case
from cowgan.data.skull_strip import SkullStrip, Tool, brain_mask, find_tool
from cowgan.data.template import Template, read_template
from cowgan.documents import checked
from cowgan.errors import Cancelled, CowganError
from cowgan.files import sha256_of
from cowgan.pool import run_all
from cowgan.progress import Progress, Silent
from cowgan.volume import Units, Volume, image_sha256, sidecar_path, write_nifti
from cowgan.volume.intensity import Scaling, rescale
from cowgan.volume.itk import simpleitk
from cowgan.volume.resampling import Grid, Resampled, resample
from cowgan.volume.sidecar import open_sidecar

Roi = Literal["template", "auto", "paper"]

LEAST_COVERAGE = 0.8
"""Scans that show a smaller share of the region of interest are set aside."""

ALREADY_REGION = "It already is a region of interest, and was neither registered nor cut."
"""Begins the remark on scans that are taken over."""

_PIPELINE = 3
"""Counts changes that give other volumes for the same parameters."""
_SAVE_EVERY_S = 2.0


@dataclass(frozen=True)
class PreprocessConfig:
    """How to preprocess.

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
        Program whose brain mask drives the registration; see `find_tool`.
    pass_score : float
        Registrations that score less are set aside; see `Registration.score`.
    jobs : int, optional
        How many processes; by default as many as the computer has cores.
    overwrite : bool
        Do again what is already there and still right.
    take : tuple of str
        Patterns of files that are taken as scans though they do not seem to be any; see
        `cowgan.data.scans.find_scans`.
    units : {"mm", "m", "um"}, optional
        What lengths in the scans are in, whatever they state.
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
class PreprocessSummary:
    """What a run did.

    Parameters
    ----------
    folder : Path
        Where the volumes are.
    records : list of CaseRecord
        What became of each scan of this run.
    kept : int
        How many of them had been done before and were still right.
    quality_page : Path
        HTML page to look at.
    skull_strip : str
        Program that drove the registrations, or ``"none"``.
    set_aside : list of SetAside
        What lies among the scans and was not taken, and why.
    """

    folder: Path
    records: list[CaseRecord]
    kept: int
    quality_page: Path
    skull_strip: str
    set_aside: list[SetAside]

    def count(self, status: str) -> int:
        """Return how many scans have a status: ``"done"``, ``"rejected"``, ``"failed"``."""
        return sum(record.status == status for record in self.records)


def preprocess(
    inputs: Sequence[Path],
    out: Path,
    config: PreprocessConfig | None = None,
    progress: Progress | None = None,
) -> PreprocessSummary:
    """Turn scans into volumes of 32 x 128 x 128 voxels (z, x, y) around the circle.

    The folder receives one NIfTI and one JSON file per scan, ``manifest.json``,
    ``manifest.csv``, ``failed.csv``, ``quality.html`` and ``quality.png``. A run that was
    interrupted in any way can be repeated: scans whose content, parameters and output are
    unchanged are not done again. One run at a time may use a folder.

    Parameters
    ----------
    inputs : sequence of Path
        Scans, and folders of scans; nothing is ever written there.
    out : Path
        Folder for the volumes; not inside an input folder, nor the other way round.
    config : PreprocessConfig, optional
        By default ``PreprocessConfig()``, which needs a template.
    progress : Progress, optional
        Told after every scan.

    Returns
    -------
    PreprocessSummary
        Scans that cannot be read or registered are listed in it; they stop nothing.

    Raises
    ------
    Cancelled
        The person stopped; what was begun was finished, and all of it is kept.
    CowganError
        The configuration makes no sense, there are no scans, the folders overlap, or the
        output cannot be written.
    """
    config = config or PreprocessConfig()
    progress = progress or Silent()
    out = Path(out).resolve()
    _refuse_overlap(inputs, out)
    work = _prepare(config, out)
    records = read_manifest(out)
    known = {record.input: record.name for record in records.values()}
    found = find_scans(inputs, known, config.take, progress).require_cases(inputs)
    cases, set_aside = _apart_from(found, out, config.template)
    _remove_remains(out)
    run = _Run(out, records, set_aside, work.about, progress, len(cases))
    tasks = [_Task(case, records.get(case.name)) for case in cases]
    try:
        run.report()
        for task, result in run_all(work, tasks, config.jobs, progress):
            run.add(task.case, result)
    finally:
        run.save()
    if progress.cancelled and len(run.finished) < len(cases):
        raise Cancelled
    page = run.write_pages()
    return PreprocessSummary(out, run.finished, run.kept, page, work.tool_name, set_aside)


def _refuse_overlap(inputs: Sequence[Path], out: Path) -> None:
    for given in map(Path, inputs):
        source = given.resolve()
        folder = source if given.is_dir() else source.parent
        if (
            out == folder
            or folder.is_relative_to(out)
            or (given.is_dir() and out.is_relative_to(source))
        ):
            raise CowganError(
                f"The output folder {out} must lie apart from the scans in {folder}, which are "
                "never changed."
            )


def _apart_from(
    found: FoundScans, out: Path, template: Path | None
) -> tuple[list[Case], list[SetAside]]:
    """Set aside what links among the scans lead to but was made of scans."""
    cases, set_aside = [], list(found.set_aside)
    for case in found.cases:
        real = case.path.resolve()
        if real.is_relative_to(out):
            reason = "It lies in the folder of the results."
        elif template is not None and real == Path(template).resolve():
            reason = "It is the template."
        else:
            cases.append(case)
            continue
        set_aside.append(SetAside(case.path.name, reason, str(case.path)))
    return cases, set_aside


def _prepare(config: PreprocessConfig, out: Path) -> "_Work":
    """Judge the configuration once, before any scan is read."""
    if config.jobs is not None and config.jobs < 1:
        raise CowganError("At least one process is needed.")
    rescale(np.array([0, 1], np.float32), config.intensity)
    if config.template is None:
        if config.roi != "auto":
            raise CowganError(
                "Without a template the region of interest can only be found by its arteries; "
                "name a template, or choose the region auto."
            )
        tool = None
        parameters: dict[str, Any] = {"template": None, "roi": "auto"}
        about = "Own axes of each scan; region of interest found by its arteries"
        centre = None
    else:
        simpleitk()
        template = read_template(config.template)
        centre = _centre_mm(config, template)
        tool = find_tool(config.skull_strip)
        stripped = "none" if tool is None else tool.name
        parameters = {
            "template": {"file": Path(config.template).name, "sha256": template.sha256},
            "roi": [round(float(mm), 3) for mm in centre],
            "skull_strip": stripped,
            "pass_score": config.pass_score,
        }
        about = (
            f"Registered to {Path(config.template).name}, skull stripping for it: {stripped}; "
            f"scores below {config.pass_score:g} are rejected"
        )
    parameters |= {"intensity": config.intensity, "pipeline": _PIPELINE}
    if config.units is not None:
        parameters["units"] = config.units
    about += f"; intensities {config.intensity}."
    return _Work(config, out, parameters, centre, tool, about)


def _centre_mm(config: PreprocessConfig, template: Template) -> NDArray[np.float64]:
    if config.roi == "auto":
        return find_centre_mm(template.volume)
    if config.roi == "paper":
        return paper_centre_mm(template.volume)
    if config.roi == "template":
        if template.centre_mm is None:
            raise CowganError(
                f"{Path(str(config.template)).name} does not say where its region of interest "
                "is; choose auto, paper, or a point in mm."
            )
        return template.centre_mm
    if isinstance(config.roi, str) or len(config.roi) != 3:
        raise CowganError(
            f"There is no region of interest {config.roi!r}; choose "
            f"{', '.join(get_args(Roi))} or a point in mm."
        )
    centre = np.array(config.roi, dtype=np.float64)
    grid = region_around(centre, template.volume.affine)
    if resample(template.volume, grid, order=0).coverage == 0:
        raise CowganError("The region of interest lies outside the template.")
    return centre


def _remove_remains(out: Path) -> None:
    """Remove the temporary files of a run that was killed."""
    for folder in (out, picture_path(out, "").parent):
        for path in folder.glob(".part-*"):
            with suppress(OSError):
                path.unlink()


class _Run:
    """Keeps the manifest up to date while results arrive."""

    def __init__(
        self,
        out: Path,
        records: dict[str, CaseRecord],
        set_aside: list[SetAside],
        about: str,
        progress: Progress,
        total: int,
    ) -> None:
        self.out = out
        self.records = records
        self.set_aside = set_aside
        self.about = about
        self.progress = progress
        self.total = total
        self.finished: list[CaseRecord] = []
        self.kept = 0
        self._saved_at = monotonic()

    def add(self, case: Case, result: "_Outcome | CowganError") -> None:
        if isinstance(result, CowganError):
            record = CaseRecord(case.name, "failed", result.sentence, str(case.path))
            _remove_output(self.out, case.name, self.records.get(case.name))
        else:
            record = replace(result.record, input=str(case.path))
            self.kept += result.kept
        self.records[case.name] = record
        self.finished.append(record)
        if monotonic() - self._saved_at > _SAVE_EVERY_S:
            write_manifest(self.out, self.records.values(), self.set_aside)
            self._saved_at = monotonic()
        self.report(case.name)

    def report(self, message: str = "") -> None:
        self.progress.report(len(self.finished), self.total, message)

    def save(self) -> None:
        if self.finished:
            write_manifest(self.out, self.records.values(), self.set_aside)
            self.write_pages()

    def write_pages(self) -> Path:
        records = list(self.records.values())
        return write_quality_pages(self.out, records, self.about, self.set_aside)


@dataclass(frozen=True)
class _Task:
    case: Case
    earlier: CaseRecord | None

    def __hash__(self) -> int:
        return hash(self.case)


@dataclass(frozen=True)
class _Outcome:
    record: CaseRecord
    kept: bool = False


@dataclass(frozen=True)
class _Work:
    """Does one scan; sent to every process."""

    config: PreprocessConfig
    out: Path
    parameters: dict[str, Any]
    centre_mm: NDArray[np.float64] | None
    tool: Tool | None
    about: str

    @property
    def tool_name(self) -> str:
        return "none" if self.tool is None else self.tool.name

    def __call__(self, task: _Task) -> _Outcome:
        case = task.case
        digest = image_sha256(case.path)
        target = self.out / f"{case.name}.nii.gz"
        earlier = task.earlier or _record_beside(target)
        if target.exists() and earlier is None:
            raise CowganError(
                f"{target.name} exists in the output folder and was not made by preprocessing."
            )
        # What was set aside may be taken now that it is named.
        again = self.config.overwrite or (case.named and earlier and earlier.status == "rejected")
        if earlier is not None and not again and self._is_current(earlier, digest):
            return _Outcome(earlier, kept=True)
        record, volume = self._volume(case, digest)
        if volume is not None:
            write_picture(volume, picture_path(self.out, case.name))
        if record.status != "done" or volume is None:
            _remove_output(self.out, case.name, earlier)
            return _Outcome(record)
        history = {"preprocessing": {**asdict(record), "input": case.path.name}}
        write_nifti(Volume(volume.data, volume.affine, volume.provenance | history), target)
        return _Outcome(replace(record, output_sha256=sha256_of(target)))

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
        """Return the record of a scan, and what it looks like around the circle."""
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
        """Return a scan that already is a region of interest, and that needs no cutting."""
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
        told = "Its intensities stayed as they are." if scaled else "Its intensities were scaled."
        record = replace(record, remarks=[*record.remarks, f"{ALREADY_REGION} {told}"])
        return record, Volume(data, scan.affine, scan.provenance)

    def _reason_against(
        self, registration: Registration, part: Resampled, template: NDArray[np.float32] | None
    ) -> str:
        """Return why a scan is set aside; without a template, its contrast is not judged."""
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
    """Return what scans are registered to, and its region, prepared once per process."""
    volume = read_template(template).volume
    centre = np.array(centre_mm)
    grid = region_around(centre, volume.affine)
    return Target(volume, centre), grid, resample(volume, grid).data


def _record_beside(target: Path) -> CaseRecord | None:
    """Return the record in the sidecar of an output that no manifest lists.

    A run that was killed leaves such outputs.
    """
    try:
        beside = open_sidecar(sidecar_path(target))
        stored = beside.provenance.get("preprocessing")
        record = checked(stored, CaseRecord, "The record", other_versions=True)
    except CowganError:
        return None
    return replace(record, output_sha256=beside.image_sha256)


def _remove_output(out: Path, name: str, earlier: CaseRecord | None) -> None:
    """Remove what an earlier run made of a scan that is not accepted any more."""
    if earlier is None or earlier.status != "done":
        return
    target = out / f"{name}.nii.gz"
    for path in (target, sidecar_path(target)):
        path.unlink(missing_ok=True)
