"""What the study panel does in the background; touches no widget."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cowgan.errors import Cancelled, CowganError
from cowgan.files import read_bytes
from cowgan.progress import Progress
from cowgan.turing.analysis import analyse
from cowgan.turing.blinding.figure_data import FigureData, figure_data
from cowgan.turing.derivatives import write_derivatives
from cowgan.turing.reading.journal import LARGEST_BYTES
from cowgan.turing.reading.package import JOURNAL_FILE, Package
from cowgan.turing.report import report_paths, require_libraries, write_report
from cowgan.turing.statistics.verdict import Verdict
from cowgan.turing.study import start_codes
from cowgan.turing.study.collection import ReaderProgress, collect, journal_path, progress
from cowgan.turing.study.study import DERIVATIVES, Study
from cowgan.turing.study.unblinding import Unblinding, read_unblinding


@dataclass(frozen=True)
class Standing:
    """A study, and how far it is.

    Parameters
    ----------
    study : Study
        Which one.
    readers : list of ReaderProgress
        All of them.
    unblinding : Unblinding or None
        When the truth was set against the answers.
    starts : dict of str to Start
        Codes that readers told, and whether they came back with the same.
    refused : CowganError or None
        What of the journals that were to be collected was not, and why.
    """

    study: Study
    readers: list[ReaderProgress]
    unblinding: Unblinding | None
    starts: dict[str, start_codes.Start]
    refused: CowganError | None = None

    @property
    def unfinished(self) -> list[str]:
        """Readers from whom more can come."""
        waited_for = ("not returned", "under way")
        return [reader.reader for reader in self.readers if reader.state in waited_for]


def open_study(folder: Path, progress: Progress) -> Standing:
    """Open a study.

    Raises
    ------
    CowganError
        It is no study, or something in it is damaged.
    """
    return standing(Study.open(folder), progress)


def standing(study: Study, told: Progress, returned: Sequence[Path] = ()) -> Standing:
    """Return how far a study is, once what has come back or was read in its folder is collected.

    Raises
    ------
    CowganError
        A journal that was collected before is damaged.
    Cancelled
        The person stopped; nothing was collected.
    """
    refused = None
    if study.frozen or returned:
        try:
            collect(study, [*_read_here(study), *returned], told)
        except Cancelled:
            raise
        except CowganError as error:
            refused = error
    begun = {reader: start_codes.start_of(study, reader) for reader in study.readers}
    return Standing(study, progress(study), read_unblinding(study), begun, refused)


def collect_returned(study: Study, paths: Sequence[Path], told: Progress) -> Standing:
    """Collect returned packages, as `standing` does."""
    return standing(study, told, paths)


def note_start(study: Study, reader: str, code: str, told: Progress) -> Standing:
    """Note the start code that a reader tells.

    Raises
    ------
    CowganError
        As for `cowgan.turing.study.start_codes.note_start`.
    """
    start_codes.note_start(study, reader, code)
    return standing(study, told)


def check(study: Study, told: Progress) -> tuple[Standing, list[str]]:
    """Audit a study once more, and return what leaks.

    Raises
    ------
    CowganError, Cancelled
        As for `Study.check`.
    """
    leaks = study.check(told).leaks
    return standing(study, told), leaks


def freeze(study: Study, reason: str | None, told: Progress) -> Standing:
    """Freeze a study, in spite of leaks if there is a reason.

    Raises
    ------
    CowganError
        As for `Study.freeze`.
    """
    return standing(study.freeze(reason), told)


def zip_package(study: Study, reader: str, target: Path, told: Progress) -> Path:
    """Write a package as one file, and return its path.

    Raises
    ------
    CowganError, Cancelled
        As for `Study.zip_package`.
    """
    study.zip_package(reader, target, told)
    return target


def exhibits_of(study: Study, told: Progress) -> FigureData:
    """Return what the audit compared; all packages hold the same volumes.

    Raises
    ------
    CowganError, Cancelled
        As for `cowgan.turing.blinding.figure_data.figure_data`.
    """
    reader = study.readers[0]
    package = Package(study.package_folder(reader), study.manifest(reader))
    return figure_data(package, study.key, study.audit, progress=told)


def _read_here(study: Study) -> list[Path]:
    """Return packages in the study's own folder that know more than what was collected."""
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
class Result:
    """What an analysis came to.

    Parameters
    ----------
    standing : Standing
        The study, unblinded.
    verdicts : tuple of Verdict
        What may be said.
    """

    standing: Standing
    verdicts: tuple[Verdict, ...]


def report_files(study: Study) -> list[Path]:
    """Return where the report is written, as HTML and as PDF."""
    return report_paths(_report(study))


def analyse_study(study: Study, early: bool, progress: Progress) -> Result:
    """Unblind a study if that has not happened, analyse it, and write tables and report.

    Raises
    ------
    CowganError, Cancelled
        As for `cowgan.turing.analysis.analyse`, and for writing.
    """
    # Not after the study is unblinded, which cannot be undone.
    require_libraries()
    analysis = analyse(study, early=early, progress=progress)
    write_derivatives(analysis)
    write_report(analysis, _report(study))
    return Result(standing(study, progress), analysis.panel.verdicts)


def _report(study: Study) -> Path:
    return study.folder / DERIVATIVES / "report"
