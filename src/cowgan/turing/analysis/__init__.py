"""Analysing a study once its readers are done."""

from cowgan.turing.analysis.analysis import (
    Analysis,
    analyse,
    analysed,
    check_package,
    study_margins,
)
from cowgan.turing.analysis.cases import CaseResult, Reasons
from cowgan.turing.analysis.panels import Agreement, MeanResult, PanelResult
from cowgan.turing.analysis.readers import Conduct, Impressions, ReaderResult, Scores
from cowgan.turing.analysis.readings import crossed
from cowgan.turing.analysis.trials import Mark, PresentedTrial

__all__ = [
    "Agreement",
    "Analysis",
    "CaseResult",
    "Conduct",
    "Impressions",
    "Mark",
    "MeanResult",
    "PanelResult",
    "PresentedTrial",
    "ReaderResult",
    "Reasons",
    "Scores",
    "analyse",
    "analysed",
    "check_package",
    "crossed",
    "study_margins",
]
