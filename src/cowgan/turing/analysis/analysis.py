"""The whole study: from collected journals and the key to every number of the report."""

from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from cowgan.errors import CowganError
from cowgan.progress import Progress, Silent, advance
from cowgan.turing.analysis.across_readers import PanelResult, panel_result
from cowgan.turing.analysis.from_trials import impressions_of, reading_of
from cowgan.turing.analysis.per_case import CaseResult, Reasons, case_results, reasons
from cowgan.turing.analysis.per_reader import ReaderResult, accuracy_margin, reader_result
from cowgan.turing.analysis.presented_trials import Mark, PresentedTrial, presented_trials
from cowgan.turing.statistics import ReaderAnswers
from cowgan.turing.study.collection import collected_records, reader_progress
from cowgan.turing.study.start_codes import Start, start_of
from cowgan.turing.study.study import Study
from cowgan.turing.study.unblinding import Unblinding, unblind


@dataclass(frozen=True)
class Analysis:
    """Everything that a study shows.

    The verdict rests on complete readers, the first showing of each case and answers that
    were committed before the truth was known. Practice and impressions never enter it,
    repeats serve agreement within readers only, and no answer is left out for its speed or
    an interruption.

    Parameters
    ----------
    study : Study
        Of which it is.
    unblinding : Unblinding
        When the truth became known.
    trials : tuple of PresentedTrial
        Every trial of every reader.
    readings : dict of str to ReaderAnswers
        Counted answers of each reader, as given.
    readers : tuple of ReaderResult
        In the order of the study.
    panel : PanelResult
        The complete readers together.
    cases : tuple of CaseResult
        The most misleading first.
    reasons : tuple of Reasons
        Why readers marked places.
    journals : dict of str to str
        Hash of the last record of each journal, which all before it enter; empty if there
        is none.
    starts : dict of str to Start
        Whether each reading is the one that was begun first.
    """

    study: Study
    unblinding: Unblinding
    trials: tuple[PresentedTrial, ...]
    readings: dict[str, ReaderAnswers]
    readers: tuple[ReaderResult, ...]
    panel: PanelResult
    cases: tuple[CaseResult, ...]
    reasons: tuple[Reasons, ...]
    journals: dict[str, str]
    starts: dict[str, Start]

    @property
    def margins(self) -> tuple[float, float]:
        """Margins of equivalence: of the AUC, and of the accuracy that matches it."""
        return study_margins(self.study)

    @property
    def complete(self) -> list[ReaderResult]:
        """Readers who enter the verdict."""
        return [reader for reader in self.readers if reader.complete]

    @property
    def marks(self) -> list[Mark]:
        """Of all readers in the reading phase."""
        return [
            mark
            for trial in self.trials
            if trial.phase == "reading" and trial.counts
            for mark in trial.marks
        ]

    def summary(self) -> dict[str, Any]:
        """Return all numbers, as JSON; single trials are in ``trials.csv``."""
        margin_auc, margin_accuracy = self.margins
        return {
            "schema": "cowgan.turing-summary/1",
            "study": self.study.key.study,
            "design": self.study.protocol.rules.design,
            "study_sha256": self.study.sha256,
            "key_commitment": self.study.description["key_commitment"],
            "unblinded": asdict(self.unblinding),
            "accepted_leak": self.study.accepted_leak,
            "margins": {"auc": margin_auc, "accuracy": margin_accuracy},
            "verdicts": [asdict(verdict) for verdict in self.panel.verdicts],
            "panel": asdict(self.panel),
            "readers": [asdict(reader) for reader in self.readers],
            "cases": [asdict(case) for case in self.cases],
            "reasons": [asdict(reason) for reason in self.reasons],
            "journals": self.journals,
            "starts": {reader: asdict(start) for reader, start in self.starts.items()},
        }


def analyse(
    study: Study,
    by: str | None = None,
    early: bool = False,
    progress: Progress | None = None,
) -> Analysis:
    """Check everything, unblind the study if that has not happened, and analyse it.

    Parameters
    ----------
    study : Study
        Frozen, with collected journals.
    by, early
        As for `unblind`; they matter the first time only.
    progress : Progress, optional
        Called after each reader.

    Raises
    ------
    CowganError
        The study is not frozen, readers have not finished, or something was changed:
        a package, a volume, a journal, or the volumes are not those of the key.
    Cancelled
        The user cancelled.
    """
    study.require_frozen()
    progress, steps = progress or Silent(), len(study.readers) + 1
    advance(progress, 0, steps)
    for done, reader in enumerate(study.readers, 1):
        check_package(study, reader)
        collected_records(study, reader)
        advance(progress, done, steps, reader)
    unblinding = unblind(study, by, early)
    analysis = analysed(study, unblinding)
    advance(progress, steps, steps)
    return analysis


def study_margins(study: Study) -> tuple[float, float]:
    """Return the margins of equivalence: of the AUC, and of the accuracy that matches it.

    In 2AFC the share of right answers is the AUC, so they are one.
    """
    margin = study.protocol.margin_auc
    rating = study.protocol.rules.design == "rating"
    return margin, accuracy_margin(margin) if rating else margin


def analysed(study: Study, unblinding: Unblinding) -> Analysis:
    """Analyse an unblinded study whose packages were checked."""
    design = study.protocol.rules.design
    margin_auc, margin_accuracy = study_margins(study)
    trials: list[PresentedTrial] = []
    readings: dict[str, ReaderAnswers] = {}
    results: list[ReaderResult] = []
    journals: dict[str, str] = {}
    impressions: list[ReaderAnswers] = []
    for reader in study.readers:
        records = collected_records(study, reader)
        manifest = study.manifest(reader)
        own = presented_trials(manifest, study.key, records, unblinding)
        reading = reading_of(reader, own)
        result = reader_result(
            reader_progress(study, reader), own, records, reading, design, margin_auc, unblinding
        )
        trials += own
        readings[reader] = reading
        results.append(result)
        journals[reader] = records[-1].sha256 if records else ""
        if result.impressions is not None:
            impressions.append(impressions_of(reader, own))
    complete = [readings[result.reader] for result in results if result.complete]
    rest = [
        readings[result.reader]
        for result in results
        if not result.complete and readings[result.reader].answers
    ]
    panel = panel_result(complete, rest, impressions, design, margin_auc, margin_accuracy)
    cases = case_results(trials, study.key)
    marks = [mark for case in cases for mark in case.marks]
    return Analysis(
        study,
        unblinding,
        tuple(trials),
        readings,
        tuple(results),
        panel,
        cases,
        reasons(marks),
        journals,
        {reader: start_of(study, reader) for reader in study.readers},
    )


def check_package(study: Study, reader: str) -> None:
    """Check every volume of a package, and that it is what the key says.

    Raises
    ------
    CowganError
        Something is missing or was changed.
    """
    package = study.package(reader)
    if package.manifest.key_commitment != study.description["key_commitment"]:
        raise CowganError(f"{package.folder} was made with another key than that of the study.")
    if package.manifest.volumes.keys() != study.key.readers[reader].keys():
        raise CowganError(f"{package.folder} does not show the volumes that the key names.")
    for shown in package.manifest.volumes:
        known = study.key.case(reader, shown).voxels_sha256
        if sha256(package.volume(shown).tobytes()).hexdigest() != known:
            raise CowganError(
                f"{package.folder / package.manifest.volumes[shown].file} is not the volume that "
                "the key names."
            )
