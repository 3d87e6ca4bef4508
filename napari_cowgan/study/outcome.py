"""Analysing a study and writing its report; touches no widget."""

from dataclasses import dataclass
from pathlib import Path

from cowgan.progress import Progress
from cowgan.turing.statistics.verdict import Verdict
from cowgan.turing.study import Study
from napari_cowgan.study.work import Standing, standing

DERIVATIVES = "derivatives"
"""Below the coordinator's folder."""


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
    return [study.folder / DERIVATIVES / f"report.{ending}" for ending in ("html", "pdf")]


def analyse_study(study: Study, early: bool, progress: Progress) -> Result:
    """Unblind a study if that has not happened, analyse it, and write the report.

    Raises
    ------
    CowganError, Cancelled
        As for `cowgan.turing.analysis.analyse` and `cowgan.turing.report.write_report`.
    """
    # They load matplotlib, which opening a panel need not wait for.
    from cowgan.turing.analysis import analyse
    from cowgan.turing.report import write_report

    analysis = analyse(study, early=early, progress=progress)
    for path in report_files(study):
        write_report(analysis, path)
    return Result(standing(study, progress), analysis.panel.verdicts)
