"""Analysing a study once its readers are done."""

from cowgan.turing.analysis.across_readers import MeanResult, PanelResult, ReaderAgreement
from cowgan.turing.analysis.analysis import (
    Analysis,
    analyse,
    analysed,
    check_package,
    study_margins,
)
from cowgan.turing.analysis.from_trials import crossed
from cowgan.turing.analysis.per_case import CaseResult, Reasons
from cowgan.turing.analysis.per_reader import Conduct, Impressions, ReaderResult, Scores
from cowgan.turing.analysis.presented_trials import Mark, PresentedTrial

__all__ = [
    "Analysis",
    "CaseResult",
    "Conduct",
    "Impressions",
    "Mark",
    "MeanResult",
    "PanelResult",
    "PresentedTrial",
    "ReaderAgreement",
    "ReaderResult",
    "Reasons",
    "Scores",
    "analyse",
    "analysed",
    "check_package",
    "crossed",
    "study_margins",
]
