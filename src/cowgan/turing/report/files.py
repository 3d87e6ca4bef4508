"""Writing a report."""

from pathlib import Path

from cowgan.errors import CowganError
from cowgan.files import atomic_path
from cowgan.report.html import html_of
from cowgan.report.pdf import pdf_of
from cowgan.turing.analysis import Analysis
from cowgan.turing.report.contents import report_of


def report_paths(path: Path) -> list[Path]:
    """Return what is written for a name: one file by its ending, both without one.

    Raises
    ------
    CowganError
        The ending is neither ``.html`` nor ``.pdf``.
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
        The name is not possible, matplotlib or fpdf2 are not installed, or a file cannot be
        written.
    """
    paths = report_paths(path)
    report = report_of(analysis)
    for target in paths:
        content = pdf_of(report) if target.suffix.lower() == ".pdf" else html_of(report).encode()
        with atomic_path(target) as temporary:
            temporary.write_bytes(content)
    return paths
