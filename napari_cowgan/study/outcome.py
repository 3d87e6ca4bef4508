"""Analysing a study and writing its report; touches no widget."""

from dataclasses import dataclass
from pathlib import Path

from cowgan.progress import Progress
from cowgan.turing.analysis import analyse
from cowgan.turing.derivatives import write_derivatives
from cowgan.turing.report import report_paths, require_libraries, write_report
from cowgan.turing.statistics.verdict import Verdict
from cowgan.turing.study import DERIVATIVES, Study
from napari_cowgan.study.work import Standing, standing


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
