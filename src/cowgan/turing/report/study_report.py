"""The report of a study, as blocks and as files."""

from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from cowgan._version import __version__
from cowgan.errors import CowganError
from cowgan.files import atomic_path
from cowgan.report.blocks import Report
from cowgan.report.html import html_of
from cowgan.report.pdf import pdf_of
from cowgan.turing.analysis import Analysis
from cowgan.turing.report import methods, results, volumes
from cowgan.turing.report.facts import moment


def report_of(analysis: Analysis) -> Report:
    """Return the report of a study, from the verdict to the hashes.

    Raises
    ------
    CowganError
        matplotlib is not installed, or a volume was changed.
    """
    shown_volumes = volumes.ShownVolumes(analysis.study)
    now = moment(datetime.now(UTC).isoformat())
    return Report(
        "Visual Turing test",
        f"Study {analysis.study.key.study}. Report of {now}, napari-cowgan {__version__}",
        tuple(
            chain(
                results.verdict_boxes(analysis),
                methods.overview(analysis),
                results.main_result(analysis),
                results.answers(analysis),
                results.confidence(analysis),
                results.agreement(analysis),
                results.times_and_order(analysis),
                volumes.single_cases(analysis, shown_volumes),
                volumes.give_aways(analysis, shown_volumes),
                volumes.first_impressions(analysis),
                methods.conduct(analysis),
                volumes.blinding(analysis),
                methods.limits_of_the_test(analysis),
                methods.methods(analysis),
                methods.reporting_checklist(analysis),
                methods.provenance(analysis),
            )
        ),
    )


def report_paths(path: Path) -> list[Path]:
    """Return the files to write for a name: one if it has a suffix, else both formats.

    Raises
    ------
    CowganError
        The suffix is neither ``.html`` nor ``.pdf``.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in (".html", ".htm", ".pdf"):
        return [path]
    if suffix:
        raise CowganError(f"A report ends in .html or .pdf, not in {path.suffix}.")
    return [path.with_suffix(".html"), path.with_suffix(".pdf")]


def write_report(analysis: Analysis, path: Path) -> list[Path]:
    """Write the report of a study and return the files.

    Parameters
    ----------
    analysis : Analysis
        Of the study.
    path : Path
        As for `report_paths`.

    Raises
    ------
    CowganError
        The suffix is unknown, matplotlib or fpdf2 is not installed, or a file cannot be
        written.
    """
    paths = report_paths(path)
    report = report_of(analysis)
    for target in paths:
        content = pdf_of(report) if target.suffix.lower() == ".pdf" else html_of(report).encode()
        with atomic_path(target) as temporary:
            temporary.write_bytes(content)
    return paths
