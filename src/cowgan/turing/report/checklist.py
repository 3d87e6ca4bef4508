"""Items to report of a visual Turing test, filled in where the program knows the answer.

There is no guideline for such tests; these items follow from STARD, CLAIM and the FDA's
guidance on reader studies.
"""

from dataclasses import dataclass

from cowgan._version import __version__
from cowgan.report.numbers import count, interval, p_equation
from cowgan.text import within_sentence
from cowgan.turing.analysis import Analysis
from cowgan.turing.report.facts import (
    describe_generated,
    describe_real,
    experience,
    moment,
    participants,
    reading_software,
    screens,
    software,
    tally,
)

OPEN = "To be added by the authors"
_STILL_OPEN = within_sentence(OPEN)


@dataclass(frozen=True)
class Item:
    """One thing to report.

    Parameters
    ----------
    what : str
        Its name.
    reported : str
        What is known, or that it is open.
    """

    what: str
    reported: str


def checklist(analysis: Analysis) -> list[Item]:
    """Return the 24 items."""
    study = analysis.study
    protocol, rules = study.protocol, study.protocol.rules
    pairs = rules.design == "2afc"
    measure = "share of right answers" if pairs else "AUC"
    rows = participants(study)
    specialty, years, exposure = (
        part or _STILL_OPEN
        for part in (tally(rows, "specialty"), experience(rows), tally(rows, "exposure"))
    )
    between, repeats = analysis.panel.agreement, analysis.panel.repeats
    lost = sum(reader.conduct.missing + reader.conduct.late for reader in analysis.readers)
    restarted = sum(reader.conduct.restarted for reader in analysis.readers)
    audit = study.audit
    leaks = f"leaks accepted: {study.accepted_leak}" if study.accepted_leak else "no leak"
    generator = study.description["sources"]["generated"]
    known_seeds = "checkpoint_sha256" in generator
    return [
        Item(
            "Objective, endpoint and margin, declared beforehand",
            f"Mean {measure} against 0.5, margin ±{protocol.margin_auc:g}, in the protocol frozen "
            f"on {moment(study.description['frozen']['utc'])}",
        ),
        Item("Generator, checkpoint, truncation, seeds", _whole(describe_generated(study))),
        Item(
            "Curation of generated volumes",
            "None: seeds drawn by lot, none left out"
            if known_seeds
            else "Drawn by lot from a folder; how that was filled is " + _STILL_OPEN,
        ),
        Item(
            "Source of real volumes, held out from training",
            f"{_whole(describe_real(study))}. Whether they were held out: {_STILL_OPEN}",
        ),
        Item(
            "Screening for replicas",
            "No volume comes twice or mirrored within the study. Against the training data: "
            + _STILL_OPEN,
        ),
        Item("Processing of both kinds", "One chain for both; see Methods"),
        Item("Harmonisation", "None beyond percentiles to black and white of each volume"),
        Item(
            "Blinding audit",
            f"Grey levels AUC {audit.grey.auc:.2f}, {p_equation(audit.grey.p)}; texture AUC "
            f"{audit.texture.auc:.2f}, {p_equation(audit.texture.p)}; {leaks}",
        ),
        Item(
            "Prevalence, and whether readers were told",
            "One of each pair is generated, and readers knew it"
            if pairs
            else "Half of the volumes are generated. What readers were told: " + _STILL_OPEN,
        ),
        Item(
            "Readers: number, specialty, years, prior exposure",
            f"{count(len(study.readers), 'reader')}, {len(analysis.panel.readers)} complete; "
            f"specialty: {specialty}; years: {years}; exposure: {exposure}",
        ),
        Item("Information given to readers", "Instructions and consent in the reading window"),
        Item(
            "Practice and familiarisation",
            f"{count(protocol.practice, 'volume')} with feedback" if protocol.practice else "None",
        ),
        Item(
            "Task and scale",
            ("Left or right" if pairs else "Real or generated")
            + ", with confidence from 1 (guess) to 5 (certain); no neutral answer",
        ),
        Item("Display and surroundings", screens(analysis) or OPEN),
        Item(
            "Tools and first view",
            "Slices and windowing"
            + (", projections" if rules.mip else "")
            + (", marks" if rules.marks else "")
            + "; every volume begins at the middle slice with full window",
        ),
        Item(
            "Order",
            f"Drawn for each reader from seed {protocol.seed} and a secret salt, in blocks of "
            f"{protocol.block}, at most {protocol.longest_run} alike in a row",
        ),
        Item(
            "Time limits, breaks, sittings",
            f"No limit; break after {rules.break_trials} trials or {rules.break_minutes} minutes; "
            + _sittings([reader.conduct.sittings for reader in analysis.readers]),
        ),
        Item(
            "Repeats",
            f"{protocol.repeats}, at least {protocol.repeat_distance} trials apart, for agreement "
            "within readers only"
            if protocol.repeats
            else "None",
        ),
        Item(
            "Missing and aborted trials",
            f"{lost or 'None'} missing or late, {restarted or 'none'} interrupted and shown again; "
            "none left out otherwise",
        ),
        Item(
            "Software",
            f"Made with {software(study)}; analysed with napari-cowgan {__version__}"
            + (f"; read with {reading}" if (reading := reading_software(analysis)) else ""),
        ),
        Item("Rationale of the sample size", OPEN),
        Item(
            "Analysis with readers and cases random",
            "Obuchowski-Rockette with Hillis’ degrees of freedom"
            if analysis.panel.primary is not None
            else "Not possible with fewer than three complete readers; each is reported alone",
        ),
        Item(
            "Agreement between and within readers",
            (
                f"Between: AC1 {interval(between.ac1)}"
                if between is not None
                else "Between: not defined"
            )
            + (
                f"; within: {100 * repeats.share:.0f} % of {repeats.n} repeats"
                if repeats is not None
                else "; within: no repeats"
            ),
        ),
        Item(
            "Availability of data, key and commitment",
            "Trials, cases, events and journals lie beside this report; commitment under "
            "Provenance; publication: " + _STILL_OPEN,
        ),
    ]


def _sittings(numbers: list[int]) -> str:
    few, many = min(numbers), max(numbers)
    each = count(many, "sitting") if few == many else f"{few} to {many} sittings"
    return f"{each} per reader"


def _whole(text: str) -> str:
    return text[0].upper() + text[1:]
