"""Background tasks of the data panel; touches no widget."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cowgan.data.case_records import MANIFEST_JSON, CaseRecord, read_manifest, read_set_aside
from cowgan.data.preprocess import PreprocessConfig, preprocess
from cowgan.data.quality import PAGE
from cowgan.data.scans import SetAside, find_scans
from cowgan.errors import CowganError
from cowgan.progress import Progress
from cowgan.volume import Units
from cowgan.volume.formats import is_image_name
from napari_cowgan.widgets.remembered import is_there

PREPARED = "done"
"""Outcome of a case that was prepared."""
READY = "ready"
"""Outcome of a scan that will be prepared."""
LEFT_OUT = "left out"
"""Outcome of a file that is not taken for a scan."""

_OUTCOMES = {"done": PREPARED, "rejected": "set aside", "failed": "failed"}
_COLOURS = {"done": "#74c68c", "rejected": "#f0b252", "failed": "#ee6c64"}
_NOT_YET_IN_MANIFEST = "finished"
_READY, _LEFT_OUT = "#8fa3bf", "#8a8a8a"
_READ_EVERY_S = 1.0


@dataclass(frozen=True)
class CaseRow:
    """One row of the case list.

    Parameters
    ----------
    name : str
        Name of the case.
    outcome : str
        One or two words.
    score : float or None
        Quality of the registration, 0 to 1.
    colour : str
        Colour of the outcome.
    reason : str
        Explanation in one sentence; empty if none is needed.
    path : Path or None
        Volume to show.
    file : Path or None
        Skipped file that can be checked to be prepared too.
    """

    name: str
    outcome: str
    score: float | None = None
    colour: str = ""
    reason: str = ""
    path: Path | None = None
    file: Path | None = None


@dataclass(frozen=True)
class Listing:
    """Scans found in a folder.

    Parameters
    ----------
    rows : list of CaseRow
        Scans first, then skipped files.
    sentence : str
        Numbers of both.
    """

    rows: list[CaseRow]
    sentence: str


ReportRows = Callable[[Sequence[CaseRow]], None]


def quality_page(out: Path) -> Path:
    """Return the path of the page of projections and scores that preprocessing writes."""
    return out / PAGE


def prepared_cases(out: Path, *, left_out: bool = True) -> list[CaseRow]:
    """Return the cases that earlier runs prepared; empty if there are none.

    Parameters
    ----------
    out : Path
        Folder of results.
    left_out : bool
        Include files that the last run skipped.

    Raises
    ------
    CowganError
        As for `cowgan.data.case_records.read_manifest`.
    """
    if not is_there(out / MANIFEST_JSON):
        return []
    rows = _rows(read_manifest(out).values(), out)
    return [*rows, *_left_out(read_set_aside(out))] if left_out else rows


def list_scans(scans: Path, out: Path | None, progress: Progress) -> Listing:
    """Search a folder for scans, named as in earlier results.

    Raises
    ------
    CowganError
        The folder does not exist, or holds no scans.
    Cancelled
        The user cancelled.
    """
    known = {} if out is None else _names_in(out)
    found = find_scans([scans], known, progress=progress)
    ready = [CaseRow(c.name, READY, path=_shown(c.path), colour=_READY) for c in found.cases]
    rows = [*ready, *_left_out(found.set_aside)]
    if not rows:
        found.require_cases([scans])
    counts = f"{len(ready) or 'No'} scan{'s' * (len(ready) != 1)} to prepare"
    if found.set_aside:
        counts += f", {len(found.set_aside)} left out"
    if any(row.file for row in rows):
        counts += "; check those that should be prepared too"
    return Listing(rows, f"{counts}.")


def prepare(
    scans: Sequence[Path],
    out: Path,
    config: PreprocessConfig,
    report: ReportRows,
    progress: Progress,
) -> str:
    """Preprocess files and folders, report each case, and return a summary in one sentence.

    Raises
    ------
    CowganError
        As for `cowgan.data.preprocess.preprocess`.
    """
    summary = preprocess(scans, out, config, _RowReporter(out, progress, report))
    report([*_rows(summary.records, out), *_left_out(summary.set_aside)])
    counts = [
        f"{summary.count(status)} {outcome}"
        for status, outcome in _OUTCOMES.items()
        if summary.count(status) or status == "done"
    ]
    kept = f" ({summary.kept} from before)" if summary.kept else ""
    if summary.set_aside:
        counts.append(f"{len(summary.set_aside)} {LEFT_OUT}")
    return f"Scans: {', '.join(counts)}{kept}."


def build_template(
    scans: Sequence[Path], path: Path, jobs: int, units: Units | None, progress: Progress
) -> str:
    """Average scans into a template, and return a summary in one sentence.

    Raises
    ------
    CowganError
        As for `cowgan.data.template.build_template`.
    """
    from cowgan.data import template

    # The dialog has asked whether to overwrite the file.
    summary = template.build_template(scans, path, jobs, progress, overwrite=True, units=units)
    left_out = f", {len(summary.left_out)} left out" if summary.left_out else ""
    return f"Saved a template of {len(summary.scores)} scans{left_out} to {path}"


def build_bank(out: Path, folder: Path, jobs: int, progress: Progress) -> str:
    """Store the prepared volumes as a training bank, and return a summary.

    Raises
    ------
    CowganError
        As for `cowgan.bank.from_nifti.bank_from_nifti`.
    """
    from cowgan.bank.from_nifti import bank_from_nifti
    from cowgan.bank.writing import BankOptions

    volumes = [out / record.output for record in read_manifest(out).values() if record.output]
    bank = bank_from_nifti(volumes, folder, options=BankOptions(jobs=jobs), progress=progress)
    summary = (
        f"Saved a bank of {len(bank)} volumes, {len(bank.holdout)} of them held out, to {folder}"
    )
    return "\n".join([summary, *bank.warnings])


class _RowReporter:
    """Passes progress on, and reports cases as they finish.

    Their outcomes are read from the manifest, which is written every few seconds.
    """

    def __init__(self, out: Path, progress: Progress, report_rows: ReportRows) -> None:
        self._out = out
        self._progress = progress
        self._report_rows = report_rows
        self._finished: set[str] = set()
        self._read_at = 0.0

    @property
    def cancelled(self) -> bool:
        return self._progress.cancelled

    def report(self, done: int, total: int, message: str = "") -> None:
        """Report a finished case, whose name is the message."""
        self._progress.report(done, total, message)
        if not message:
            return
        self._finished.add(message)
        self._report_rows([CaseRow(message, _NOT_YET_IN_MANIFEST)])
        if time.monotonic() - self._read_at >= _READ_EVERY_S:
            self._read_at = time.monotonic()
            known = read_manifest(self._out).values()
            self._report_rows(
                _rows([one for one in known if one.name in self._finished], self._out)
            )


def _rows(records: Iterable[CaseRecord], out: Path) -> list[CaseRow]:
    return [
        CaseRow(
            record.name,
            _OUTCOMES[record.status],
            record.score,
            _COLOURS[record.status],
            record.reason or " ".join(record.remarks),
            _picture(record, out),
        )
        for record in records
    ]


def _picture(record: CaseRecord, out: Path) -> Path | None:
    """Return the volume to show for a case: the prepared one, or else the scan."""
    if record.output:
        return out / record.output
    return _shown(Path(record.input))


def _shown(scan: Path) -> Path | None:
    return scan if is_image_name(scan) else None


def _left_out(set_aside: Iterable[SetAside]) -> list[CaseRow]:
    return [
        CaseRow(
            one.place,
            LEFT_OUT,
            colour=_LEFT_OUT,
            reason=one.reason,
            path=_shown(Path(one.path)) if one.may_be_taken else None,
            file=Path(one.path) if one.may_be_taken else None,
        )
        for one in set_aside
    ]


def _names_in(out: Path) -> dict[str, str]:
    """Return the names of cases in earlier results; empty if there are none."""
    try:
        return {record.input: record.name for record in read_manifest(out).values()}
    except CowganError:
        return {}
