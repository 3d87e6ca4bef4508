"""Background tasks of the study panel; touches no widget."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cowgan.errors import Cancelled, CowganError
from cowgan.files import read_bytes
from cowgan.progress import Progress
from cowgan.turing.analysis import analyse
from cowgan.turing.blinding.figure_data import FigureData, figure_data
from cowgan.turing.derivatives import write_derivatives
from cowgan.turing.reading.package import JOURNAL_FILE, Package
from cowgan.turing.reading.records import LARGEST_BYTES
from cowgan.turing.report import report_paths, require_libraries, write_report
from cowgan.turing.statistics.verdict import Verdict
from cowgan.turing.study import start_codes
from cowgan.turing.study.collection import ReaderProgress, collect, journal_path, progress
from cowgan.turing.study.study import DERIVATIVES, Study
from cowgan.turing.study.unblinding import Unblinding, read_unblinding


@dataclass(frozen=True)
class StudyStatus:
    """A study and the progress of its readers.

    Parameters
    ----------
    study : Study
        The study.
    readers : list of ReaderProgress
        Progress of each reader.
    unblinding : Unblinding or None
        Record of the unblinding.
    starts : dict of str to Start
        Start codes that were noted, and whether the journals agree.
    refused : CowganError or None
        Why journals could not be collected.
    """

    study: Study
    readers: list[ReaderProgress]
    unblinding: Unblinding | None
    starts: dict[str, start_codes.Start]
    refused: CowganError | None = None

    @property
    def unfinished(self) -> list[str]:
        """Readers who may still return answers."""
        unfinished = ("not returned", "under way")
        return [reader.reader for reader in self.readers if reader.state in unfinished]


def open_study(folder: Path, progress: Progress) -> StudyStatus:
    """Open a study.

    Raises
    ------
    CowganError
        The folder holds no study, or the study is damaged.
    """
    return study_status(Study.open(folder), progress)


def study_status(study: Study, job: Progress, returned: Sequence[Path] = ()) -> StudyStatus:
    """Collect new journals, and return the status of a study.

    Raises
    ------
    CowganError
        A journal that was collected before is damaged.
    Cancelled
        The user cancelled; nothing was collected.
    """
    refused = None
    if study.frozen or returned:
        try:
            collect(study, [*_read_here(study), *returned], job)
        except Cancelled:
            raise
        except CowganError as error:
            refused = error
    starts = {reader: start_codes.start_of(study, reader) for reader in study.readers}
    return StudyStatus(study, progress(study), read_unblinding(study), starts, refused)


def collect_returned(study: Study, paths: Sequence[Path], job: Progress) -> StudyStatus:
    """Collect returned packages, and return the status as `study_status` does."""
    return study_status(study, job, paths)


def note_start(study: Study, reader: str, code: str, job: Progress) -> StudyStatus:
    """Note the start code that a reader reports before reading.

    Raises
    ------
    CowganError
        As for `cowgan.turing.study.start_codes.note_start`.
    """
    start_codes.note_start(study, reader, code)
    return study_status(study, job)


def check(study: Study, job: Progress) -> tuple[StudyStatus, list[str]]:
    """Audit a study again, and return its status and leaks.

    Raises
    ------
    CowganError, Cancelled
        As for `Study.check`.
    """
    leaks = study.check(job).leaks
    return study_status(study, job), leaks


def freeze(study: Study, reason: str | None, job: Progress) -> StudyStatus:
    """Freeze a study, despite leaks if a reason is given.

    Raises
    ------
    CowganError
        As for `Study.freeze`.
    """
    return study_status(study.freeze(reason), job)


def zip_package(study: Study, reader: str, target: Path, job: Progress) -> Path:
    """Write a package as a zip file, and return its path.

    Raises
    ------
    CowganError, Cancelled
        As for `Study.zip_package`.
    """
    study.zip_package(reader, target, job)
    return target


def figure_data_of(study: Study, job: Progress) -> FigureData:
    """Return the data of the audit's figures; all packages hold the same volumes.

    Raises
    ------
    CowganError, Cancelled
        As for `cowgan.turing.blinding.figure_data.figure_data`.
    """
    reader = study.readers[0]
    package = Package(study.package_folder(reader), study.manifest(reader))
    return figure_data(package, study.key, study.audit, progress=job)


def _read_here(study: Study) -> list[Path]:
    """Return packages in the study's folder with answers that are not collected yet."""
    found = []
    for reader in study.readers:
        folder = study.package_folder(reader)
        journal, kept = folder / JOURNAL_FILE, journal_path(study, reader)
        if journal.exists():
            known = read_bytes(kept, LARGEST_BYTES) if kept.exists() else b""
            if not known.startswith(read_bytes(journal, LARGEST_BYTES)):
                found.append(folder)
    return found


@dataclass(frozen=True)
class StudyResult:
    """Result of an analysis.

    Parameters
    ----------
    status : StudyStatus
        The unblinded study.
    verdicts : tuple of Verdict
        Its verdicts.
    """

    status: StudyStatus
    verdicts: tuple[Verdict, ...]


def report_files(study: Study) -> list[Path]:
    """Return the paths of the report, as HTML and as PDF."""
    return report_paths(_report(study))


def analyse_study(study: Study, early: bool, progress: Progress) -> StudyResult:
    """Unblind a study if necessary, analyse it, and write tables and report.

    Raises
    ------
    CowganError, Cancelled
        As for `cowgan.turing.analysis.analyse`, and for writing.
    """
    # Before unblinding, which cannot be undone.
    require_libraries()
    analysis = analyse(study, early=early, progress=progress)
    write_derivatives(analysis)
    write_report(analysis, _report(study))
    return StudyResult(study_status(study, progress), analysis.panel.verdicts)


def _report(study: Study) -> Path:
    return study.folder / DERIVATIVES / "report"
