"""What the data panel does in the background; touches no widget."""

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
from napari_cowgan.widgets.settings import is_there

PREPARED = "done"
"""Outcome of a case that has become a volume."""
READY = "ready"
"""Outcome of a scan that will be prepared."""
LEFT_OUT = "left out"
"""Outcome of what lies among the scans and is not taken for one."""

_OUTCOMES = {"done": PREPARED, "rejected": "set aside", "failed": "failed"}
_COLOURS = {"done": "#74c68c", "rejected": "#f0b252", "failed": "#ee6c64"}
_NOT_YET_IN_MANIFEST = "finished"
_READY, _LEFT_OUT = "#8fa3bf", "#8a8a8a"
_LOOK_EVERY_S = 1.0


@dataclass(frozen=True)
class CaseRow:
    """One line of the list.

    Parameters
    ----------
    name : str
        The case.
    outcome : str
        One or two words for what became of it.
    score : float or None
        How well it lies on the template, 0 to 1.
    colour : str
        Repeats the outcome for the eye.
    reason : str
        One sentence, if something is to be said.
    path : Path or None
        The volume to show.
    file : Path or None
        What is prepared only if the person says so.
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
    """What a folder holds, before anything is prepared.

    Parameters
    ----------
    rows : list of CaseRow
        Scans first, then what is left out.
    sentence : str
        How many there are of both.
    """

    rows: list[CaseRow]
    sentence: str


Tell = Callable[[Sequence[CaseRow]], None]


def quality_page(out: Path) -> Path:
    """Return where preprocessing writes its page of projections and scores."""
    return out / PAGE


def prepared_cases(out: Path, *, left_out: bool = True) -> list[CaseRow]:
    """Return what earlier runs left in a folder of results; empty if there is nothing.

    Parameters
    ----------
    out : Path
        The folder.
    left_out : bool
        Also what the last of them did not take for scans.

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
    """Return what a folder holds, called as it was when it was prepared before.

    Raises
    ------
    CowganError
        The folder does not exist, or holds nothing like a scan.
    Cancelled
        The person stopped.
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
        counts += "; tick those that should be taken too"
    return Listing(rows, f"{counts}.")


def prepare(
    scans: Sequence[Path], out: Path, config: PreprocessConfig, tell: Tell, progress: Progress
) -> str:
    """Preprocess files and folders, tell what becomes of each case, and return a sentence.

    Raises
    ------
    CowganError
        As for `cowgan.data.preprocess.preprocess`.
    """
    summary = preprocess(scans, out, config, _Follower(out, progress, tell))
    tell([*_rows(summary.records, out), *_left_out(summary.set_aside)])
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
    """Average scans into a template, and return a sentence.

    Raises
    ------
    CowganError
        As for `cowgan.data.template.build_template`.
    """
    from cowgan.data import template

    # The dialog has asked whether to replace a file.
    summary = template.build_template(scans, path, jobs, progress, overwrite=True, units=units)
    left_out = f", {len(summary.left_out)} left out" if summary.left_out else ""
    return f"Saved a template of {len(summary.scores)} scans{left_out} to {path}"


def build_bank(out: Path, folder: Path, jobs: int, progress: Progress) -> str:
    """Put the prepared volumes into a training bank, and return a sentence.

    Raises
    ------
    CowganError
        As for `cowgan.bank.from_nifti.bank_from_nifti`.
    """
    from cowgan.bank.from_nifti import bank_from_nifti
    from cowgan.bank.writing import BankOptions

    volumes = [out / record.output for record in read_manifest(out).values() if record.output]
    bank = bank_from_nifti(volumes, folder, options=BankOptions(jobs=jobs), progress=progress)
    told = f"Saved a bank of {len(bank)} volumes, {len(bank.holdout)} of them held out, to {folder}"
    return "\n".join([told, *bank.warnings])


class _Follower:
    """Passes progress on, and tells of the cases that are finished so far.

    What became of them is read in the manifest, which is written every few seconds.
    """

    def __init__(self, out: Path, progress: Progress, tell: Tell) -> None:
        self._out = out
        self._progress = progress
        self._tell = tell
        self._finished: set[str] = set()
        self._looked_at = 0.0

    @property
    def cancelled(self) -> bool:
        return self._progress.cancelled

    def report(self, done: int, total: int, message: str = "") -> None:
        """Take the name of a case that is finished as message."""
        self._progress.report(done, total, message)
        if not message:
            return
        self._finished.add(message)
        self._tell([CaseRow(message, _NOT_YET_IN_MANIFEST)])
        if time.monotonic() - self._looked_at >= _LOOK_EVERY_S:
            self._looked_at = time.monotonic()
            known = read_manifest(self._out).values()
            self._tell(_rows([one for one in known if one.name in self._finished], self._out))


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
    """Return what can be shown of a case: the prepared volume, or else the scan itself."""
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
    """Return the names of an earlier run; none if the folder is not one of results."""
    try:
        return {record.input: record.name for record in read_manifest(out).values()}
    except CowganError:
        return {}
