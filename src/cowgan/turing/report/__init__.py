"""The report of a study, as HTML and as PDF."""

from cowgan.report.drawing import require_libraries
from cowgan.turing.report.study_report import report_of, report_paths, write_report

__all__ = ["report_of", "report_paths", "require_libraries", "write_report"]
