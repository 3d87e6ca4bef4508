"""Preprocessing of scans as in Aydin et al. 2024.

Each scan is read in canonical orientation, registered rigidly to a template, and
interpolated once, directly onto the grid of the region of interest.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from cowgan.data.case_processing import (
    PIPELINE,
    CaseOutcome,
    CaseProcessor,
    CaseTask,
    PreprocessConfig,
    Roi,
    remove_output,
)
from cowgan.data.case_records import (
    CaseRecord,
    read_manifest,
    write_manifest,
)
from cowgan.data.quality import picture_path, write_quality_pages
from cowgan.data.roi import find_centre_mm, paper_centre_mm, region_around
from cowgan.data.scans import Case, FoundScans, SetAside, find_scans
from cowgan.data.skull_strip import find_tool
from cowgan.data.template import Template, read_template
from cowgan.errors import Cancelled, CowganError
from cowgan.pool import run_all
from cowgan.progress import Progress, Silent
from cowgan.volume.intensity import rescale
from cowgan.volume.itk import simpleitk
from cowgan.volume.resampling import resample

__all__ = ["PreprocessConfig", "PreprocessSummary", "Roi", "preprocess"]

_SAVE_EVERY_S = 2.0


@dataclass(frozen=True)
class PreprocessSummary:
    """The results of a run.

    Parameters
    ----------
    folder : Path
        Where the volumes are.
    records : list of CaseRecord
        One per scan.
    kept : int
        How many of them an earlier run had finished and were still valid.
    quality_page : Path
        HTML page with pictures of all cases.
    skull_strip : str
        Program whose brain masks were used for registration, or ``"none"``.
    set_aside : list of SetAside
        Files that were not taken as scans, with reasons.
    """

    folder: Path
    records: list[CaseRecord]
    kept: int
    quality_page: Path
    skull_strip: str
    set_aside: list[SetAside]

    def count(self, status: str) -> int:
        """Return the number of scans with a status: ``"done"``, ``"rejected"``, ``"failed"``."""
        return sum(record.status == status for record in self.records)


def preprocess(
    inputs: Sequence[Path],
    out: Path,
    config: PreprocessConfig | None = None,
    progress: Progress | None = None,
) -> PreprocessSummary:
    """Turn scans into volumes of 32 x 128 x 128 voxels (z, x, y) around the circle.

    The folder receives one NIfTI and one JSON file per scan, ``manifest.json``,
    ``manifest.csv``, ``failed.csv``, ``quality.html`` and ``quality.png``. An interrupted run
    can be repeated: scans whose content, parameters and output are unchanged are skipped. Only
    one run at a time may use a folder.

    Parameters
    ----------
    inputs : sequence of Path
        Scans and folders of scans, which are never modified.
    out : Path
        Folder for the volumes. It must not contain an input folder or lie in one.
    config : PreprocessConfig, optional
        By default ``PreprocessConfig()``, which needs a template.
    progress : Progress, optional
        Updated after every scan.

    Returns
    -------
    PreprocessSummary
        Includes scans that could not be read or registered; these do not stop the run.

    Raises
    ------
    Cancelled
        The user cancelled; scans in progress were finished, and all results are kept.
    CowganError
        The configuration is invalid, there are no scans, the folders overlap, or the output
        cannot be written.
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
    tasks = [CaseTask(case, records.get(case.name)) for case in cases]
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
    """Set aside results and the template, which links among the scans may lead to."""
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


def _prepare(config: PreprocessConfig, out: Path) -> "CaseProcessor":
    """Check the configuration before any scan is read."""
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
    parameters |= {"intensity": config.intensity, "pipeline": PIPELINE}
    if config.units is not None:
        parameters["units"] = config.units
    about += f"; intensities {config.intensity}."
    return CaseProcessor(config, out, parameters, centre, tool, about)


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
    """The manifest of a run, updated as results arrive."""

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

    def add(self, case: Case, result: "CaseOutcome | CowganError") -> None:
        if isinstance(result, CowganError):
            record = CaseRecord(case.name, "failed", result.sentence, str(case.path))
            remove_output(self.out, case.name, self.records.get(case.name))
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
