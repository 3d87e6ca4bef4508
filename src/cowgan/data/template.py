"""Templates: average heads for registration, with the centre of their circle."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.data.case_records import software_versions
from cowgan.data.registration import PASS_SCORE, Registration, Target, register
from cowgan.data.roi import find_centre_mm
from cowgan.data.scans import Case, SetAside, find_scans, read_case, read_scan
from cowgan.documents import checked
from cowgan.errors import CowganError
from cowgan.files import sha256_of
from cowgan.pool import run_all
from cowgan.progress import Progress, Silent, advance
from cowgan.volume import DEFAULT_SPACING_MM, Units, Volume, image_sha256, write_nifti
from cowgan.volume.averaging import shrink
from cowgan.volume.intensity import rescale
from cowgan.volume.itk import simpleitk
from cowgan.volume.resampling import Grid, resample

ROUNDS = 3
_DRAFT_MM = 1.25
_CANDIDATES = 3
_JUDGES = 6
_LEAST_SHARE = 0.5


@dataclass(frozen=True)
class Template:
    """A template read from its file.

    Parameters
    ----------
    volume : Volume
        Average head; 0 where too few scans contributed.
    centre_mm : ndarray, shape (3,), or None
        Centre of its region of interest in RAS millimetres, from its sidecar.
    sha256 : str
        SHA-256 of the file.
    """

    volume: Volume
    centre_mm: NDArray[np.float64] | None
    sha256: str


@dataclass(frozen=True)
class TemplateSummary:
    """The results of building a template.

    Parameters
    ----------
    path : Path
        The template.
    reference : str
        The scan to which the others were first registered.
    scores : dict of str to float
        Last registration score of each contributing scan.
    left_out : dict of str to str
        Reasons why scans did not contribute.
    centre_mm : list of float
        Centre of the region of interest in RAS millimetres.
    set_aside : list of SetAside
        Files not taken as scans, with reasons.
    remarks : dict of str to list of str
        Remarks on each contributing scan; see `Volume.remarks`.
    """

    path: Path
    reference: str
    scores: dict[str, float]
    left_out: dict[str, str]
    centre_mm: list[float]
    set_aside: list[SetAside]
    remarks: dict[str, list[str]]


@dataclass(frozen=True)
class _StoredTemplate:
    """The entries of a template's provenance that are read."""

    roi_centre_mm: tuple[float, float, float] | None = None


def read_template(path: Path) -> Template:
    """Read a template and its region of interest.

    Raises
    ------
    CowganError
        As for `cowgan.data.scans.read_scan`.
    """
    volume = read_scan(path)
    stored = checked(
        volume.provenance.get("template", {}),
        _StoredTemplate,
        f"The history of {Path(path).name}",
        other_versions=True,
    )
    centre = None if stored.roi_centre_mm is None else np.array(stored.roi_centre_mm)
    return Template(volume, centre, sha256_of(path))


def build_template(
    inputs: Sequence[Path],
    out: Path,
    jobs: int | None = None,
    progress: Progress | None = None,
    *,
    rounds: int = ROUNDS,
    overwrite: bool = False,
    take: Sequence[str] = (),
    units: Units | None = None,
) -> TemplateSummary:
    """Average scans that are registered rigidly to their own average (Aydin et al. 2024).

    The first reference is the scan that agrees best with others. After every round the average is
    moved to the mean pose of all scans, so that it is not biased towards the pose of any scan.

    Parameters
    ----------
    inputs : sequence of Path
        Scans, or folders of scans; at least two.
    out : Path
        File to write, .nii or .nii.gz; its JSON sidecar holds the region of interest.
    jobs : int, optional
        Number of processes; by default one per core.
    progress : Progress, optional
        Updated after every scan of every round.
    rounds : int
        Number of rounds of registration and averaging.
    overwrite : bool
        Whether an existing template may be replaced.
    take : sequence of str
        See `cowgan.data.scans.find_scans`.
    units : {"mm", "m", "um"}, optional
        Unit of lengths in the scans, overriding the files.

    Returns
    -------
    TemplateSummary

    Raises
    ------
    CowganError
        Fewer than two scans could be read and registered, or the file cannot be written.
    Cancelled
        The user cancelled; no file is written.
    """
    simpleitk()
    out = Path(out)
    if out.exists() and not overwrite:
        raise CowganError(f"{out} exists already; allow overwriting to replace it.")
    found = find_scans(inputs, take=take, progress=progress).require_cases(inputs)
    cases = [case for case in found.cases if case.path.resolve() != out.resolve()]
    with tempfile.TemporaryDirectory(prefix="cowgan-template-") as drafts:
        builder = _Builder(cases, Path(drafts), jobs, progress or Silent(), rounds, units)
        volume, summary = builder.build(out, found.set_aside)
    write_nifti(volume, out)
    return summary


@dataclass(frozen=True)
class _Draft:
    """The SHA-256 and remarks of a scan whose draft is stored."""

    sha256: str
    remarks: tuple[str, ...]


class _Builder:
    def __init__(
        self,
        cases: list[Case],
        folder: Path,
        jobs: int | None,
        progress: Progress,
        rounds: int,
        units: Units | None,
    ) -> None:
        self.cases = cases
        self.folder = folder
        self.jobs = jobs
        self.progress = progress
        self.rounds = rounds
        self.units = units
        self.left_out: dict[str, str] = {}
        self.done = 0
        self.total = len(cases) * (rounds + 2)

    def build(self, out: Path, set_aside: list[SetAside]) -> tuple[Volume, TemplateSummary]:
        drafts = self._write_drafts()
        reference = self._choose_reference()
        average: Volume = _read_draft(self._draft(reference))
        found: dict[Case, Registration] = {}
        for _ in range(self.rounds):
            found = self._register_all(average)
            average = self._average(found, _DRAFT_MM, draft=True)
        final = self._average(found, DEFAULT_SPACING_MM[0], draft=False)
        centre = find_centre_mm(final).round(2).tolist()
        scores = {case.name: round(result.score, 4) for case, result in found.items()}
        remarks = {case.name: list(drafts[case].remarks) for case in found}
        summary = TemplateSummary(
            out, reference.name, scores, self.left_out, centre, set_aside, remarks
        )
        provenance: dict[str, Any] = {
            "template": {
                "roi_centre_mm": centre,
                "rounds": self.rounds,
                "reference": reference.name,
                "scans": [
                    {
                        "name": case.name,
                        "sha256": drafts[case].sha256,
                        "score": scores[case.name],
                    }
                    for case in found
                ],
                "left_out": self.left_out,
                "software": software_versions(),
            }
        }
        return Volume(final.data, final.affine, provenance), summary

    def _draft(self, case: Case) -> Path:
        return self.folder / f"{case.name}.npz"

    def _run(self, work: Any, cases: Sequence[Case]) -> dict[Case, Any]:
        """Return the results of the cases that succeed, in the order of the cases."""
        results: dict[Case, Any] = {}
        for case, result in run_all(work, cases, self.jobs, self.progress):
            self.done += 1
            if isinstance(result, CowganError):
                self.left_out[case.name] = result.sentence
            else:
                results[case] = result
            advance(self.progress, min(self.done, self.total), self.total, case.name)
        advance(self.progress, min(self.done, self.total), self.total)
        self.cases = [case for case in self.cases if case.name not in self.left_out]
        if len(self.cases) < 2:
            reasons = "\n".join(f"{name}: {why}" for name, why in self.left_out.items())
            raise CowganError(
                "A template needs at least two scans that can be read and registered.", reasons
            )
        return {case: results[case] for case in self.cases if case in results}

    def _write_drafts(self) -> "dict[Case, _Draft]":
        return self._run(_WriteDraft(self.folder, self.units), self.cases)

    def _choose_reference(self) -> Case:
        """Return the candidate to which other scans register best."""
        step = max(1, len(self.cases) // _JUDGES)
        judges = self.cases[::step][:_JUDGES]
        candidates = judges[:: max(1, len(judges) // _CANDIDATES)][:_CANDIDATES]
        agreement = {}
        for candidate in candidates:
            others = [case for case in judges if case != candidate]
            work = _RegisterDraft(self.folder, self._draft(candidate), coarse=True)
            scores = []
            for _, result in run_all(work, others, self.jobs, self.progress):
                scores.append(0.0 if isinstance(result, CowganError) else result.score)
                advance(self.progress, min(self.done, self.total), self.total)
            advance(self.progress, min(self.done, self.total), self.total)
            agreement[candidate] = float(np.mean(scores))
        return max(agreement, key=lambda case: agreement[case])

    def _register_all(self, average: Volume) -> dict[Case, Registration]:
        path = self.folder / "_average.npz"
        _write_draft(average, path)
        found = self._run(_RegisterDraft(self.folder, path), self.cases)
        for case, result in found.items():
            if result.score < PASS_SCORE:
                self.left_out[case.name] = f"Registration score {result.score:.2f} is too low."
        self.cases = [case for case in self.cases if case.name not in self.left_out]
        passed = {case: found[case] for case in self.cases}
        if len(passed) < 2:
            raise CowganError("Too few scans could be registered to each other for a template.")
        return passed

    def _average(self, found: dict[Case, Registration], voxel_mm: float, *, draft: bool) -> Volume:
        drafts = {case: _read_draft(self._draft(case)) for case in found}
        to_mean = _to_mean_pose(
            [found[case].to_input for case in found],
            [Grid(volume.shape, volume.affine) for volume in drafts.values()],
        )
        maps = {case: found[case].to_input @ to_mean for case in found}
        grid = _common_grid(drafts, maps, voxel_mm)
        total = np.zeros(grid.shape, np.float32)
        weight = np.zeros(grid.shape, np.uint16)
        for case, to_input in maps.items():
            volume = drafts[case] if draft else _scaled(read_case(case, self.units))
            part = resample(volume, grid, to_input, order=1)
            total += part.data
            weight += part.inside
            self.done += 0 if draft else 1
            advance(self.progress, min(self.done, self.total), self.total, case.name)
        enough = weight >= max(1, _LEAST_SHARE * len(found))
        average = np.where(enough, total / np.maximum(weight, 1), 0).astype(np.float32)
        return _cropped(Volume(average, grid.affine), enough)


@dataclass(frozen=True)
class _WriteDraft:
    folder: Path
    units: Units | None

    def __call__(self, case: Case) -> _Draft:
        digest = image_sha256(case.path)
        scan = read_case(case, self.units)
        _write_draft(shrink(_scaled(scan), _DRAFT_MM), self.folder / f"{case.name}.npz")
        return _Draft(digest, scan.remarks)


@dataclass(frozen=True)
class _RegisterDraft:
    folder: Path
    target: Path
    coarse: bool = False

    def __call__(self, case: Case) -> Registration:
        target = Target(_read_draft(self.target))
        return register(_read_draft(self.folder / f"{case.name}.npz"), target, coarse=self.coarse)


def _scaled(volume: Volume) -> Volume:
    return Volume(rescale(volume.data), volume.affine)


def _write_draft(volume: Volume, path: Path) -> None:
    np.savez(path, data=volume.data, affine=volume.affine)


def _read_draft(path: Path) -> Volume:
    with np.load(path) as stored:
        return Volume(stored["data"], stored["affine"])


def _to_mean_pose(
    to_input: Sequence[NDArray[np.float64]], grids: Sequence[Grid]
) -> NDArray[np.float64]:
    """Return the map from the mean pose of all scans to the present template.

    In the mean pose, the mean rotation of the scans relative to their scanner axes is zero, and
    the origin is the mean of their centres.
    """
    left, _, right = np.linalg.svd(np.sum([matrix[:3, :3] for matrix in to_input], axis=0))
    rotation = left @ np.diag([1, 1, np.linalg.det(left @ right)]) @ right
    middles = [
        np.linalg.solve(matrix, [*grid.centre_mm, 1.0])[:3]
        for matrix, grid in zip(to_input, grids, strict=True)
    ]
    pose = np.eye(4)
    pose[:3, :3] = rotation.T
    pose[:3, 3] = np.mean(middles, axis=0)
    return pose


def _common_grid(
    volumes: dict[Case, Volume], maps: dict[Case, NDArray[np.float64]], voxel_mm: float
) -> Grid:
    """Return an axis-aligned grid around the origin that contains every scan."""
    reach = np.zeros(3)
    for case, volume in volumes.items():
        nz, nx, ny = volume.shape
        corners = np.array(np.meshgrid((0, nx - 1), (0, ny - 1), (0, nz - 1))).reshape(3, -1)
        to_template = np.linalg.inv(maps[case]) @ volume.affine
        placed = to_template[:3, :3] @ corners + to_template[:3, 3:]
        reach = np.maximum(reach, np.abs(placed).max(axis=1))
    sz, sx, sy = np.array(DEFAULT_SPACING_MM) * voxel_mm / DEFAULT_SPACING_MM[0]
    nx, ny, nz = np.ceil(2 * reach / [sx, sy, sz]).astype(int) + 1
    affine = np.diag([-sx, sy, sz, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.array([nx, ny, nz]) - 1) / 2)
    return Grid((int(nz), int(nx), int(ny)), affine)


def _cropped(volume: Volume, enough: NDArray[np.bool_]) -> Volume:
    """Crop a volume to the voxels covered by enough scans."""
    bounds = []
    for axis in range(3):
        seen = np.flatnonzero(enough.any(axis=tuple(a for a in range(3) if a != axis)))
        bounds.append((int(seen[0]), int(seen[-1]) + 1))
    shift = np.eye(4)
    shift[:3, 3] = [bounds[1][0], bounds[2][0], bounds[0][0]]
    part = volume.data[tuple(slice(*bound) for bound in bounds)]
    return Volume(np.ascontiguousarray(part), volume.affine @ shift)
