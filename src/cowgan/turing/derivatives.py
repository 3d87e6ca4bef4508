"""Tables and files of a finished study for other programs, below ``derivatives/``.

``trials.csv`` has one row per trial that was planned, ``cases.csv`` one per case,
``readers.csv`` one per reader; ``study.imrmc`` is for iMRMC, ``analysis.R`` for R with lme4.
Below ``sub-RNN/beh`` lie BIDS-like tables of each reader, with ``n/a`` for what is missing.
"""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from cowgan.files import atomic_path
from cowgan.tables import TableWriter
from cowgan.turing.analysis import Analysis, PresentedTrial, ReaderResult, crossed
from cowgan.turing.reading.records import HEADER, Record
from cowgan.turing.reading.steps import without_action
from cowgan.turing.report.checklist import checklist
from cowgan.turing.statistics import Interval
from cowgan.turing.study.collection import collected_records
from cowgan.turing.study.study import DERIVATIVES

TASK = "vtt"
_MISSING = "n/a"

TRIAL_COLUMNS = {
    "reader": "Pseudonym of the reader.",
    "trial": "Number of the trial, from 1 over all phases.",
    "phase": "impression (before the purpose was explained), practice (with feedback) or reading.",
    "block": "Block of the reading; breaks come between blocks.",
    "presentation": "1, or 2 where the same is shown again.",
    "case": "Name of the volume within the study; of a pair both, the real one first.",
    "shown": "Volume shown; of a pair the left and the right one.",
    "truth": "Right answer: R real, G generated; of a pair the side of the generated volume.",
    "status": "counted; late: answered when the truth was known; missing: not answered.",
    "primary": "1 if the answer enters the verdict: counted, first showing, complete reader.",
    "answer": "Answer given.",
    "level": "Confidence from 1 guess to 5 certain; in the impression phase quality.",
    "rating": "Signed confidence: positive for generated or right.",
    "correct": "1 if the answer is right, else 0.",
    "answer_s": "Seconds on screen until the answer, pauses left out.",
    "active_s": "Seconds on screen until the commit, pauses left out.",
    "total_s": "Seconds until the commit with pauses.",
    "seen": "Share of the slices that were looked at.",
    "restarted": "1 if the trial was shown again after an interruption.",
    "exposure_s": "Seconds on screen before the interruption.",
    "answers_given": "How often an answer was pressed.",
    "levels_given": "How often a level was pressed.",
    "flags": "What the program noticed; no reason to leave an answer out.",
    "marks": "Number of give-away marks.",
    "reasons": "Reasons of the marks.",
    "utc": "Time of the commit by the reader's clock.",
}
"""Columns of ``trials.csv`` and of the BIDS-like tables, and what they mean."""

EVENT_COLUMNS = {
    "onset": "Seconds since the reading was first begun.",
    "duration": "Not measured.",
    "trial_type": "What happened: the kind of the journal's record.",
    "trial": "Number of the trial.",
    "value": "Details, as JSON.",
}


def write_derivatives(analysis: Analysis) -> list[Path]:
    """Write all tables and files below the study, each whole or not at all.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    CowganError
        A file cannot be written.
    """
    folder = analysis.study.folder / DERIVATIVES
    paths = []
    for name, text in derivatives_of(analysis).items():
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")
        paths.append(folder / name)
    return paths


def derivatives_of(analysis: Analysis) -> dict[str, str]:
    """Return the content of each table and file by its name."""
    trials = [trial_row(analysis, trial) for trial in analysis.trials]
    written = {
        "trials.csv": _table(trials, TRIAL_COLUMNS),
        "cases.csv": _rows(_case_rows(analysis)),
        "readers.csv": _rows(_reader_row(reader) for reader in analysis.readers),
        "checklist.csv": _rows(
            {"number": n, "item": item.what, "reported": item.reported}
            for n, item in enumerate(checklist(analysis), 1)
        ),
        "study.imrmc": imrmc(analysis),
        "analysis.R": files("cowgan.turing").joinpath("analysis.R").read_text(encoding="utf-8"),
        "summary.json": json.dumps(analysis.summary(), indent=1, allow_nan=False) + "\n",
    }
    for reader in analysis.study.readers:
        own = [row for row in trials if row["reader"] == reader]
        stem = f"{reader}/beh/{reader}_task-{TASK}"
        records = collected_records(analysis.study, reader)
        columns = {name: of for name, of in TRIAL_COLUMNS.items() if name != "reader"}
        written |= {
            f"{stem}_beh.tsv": _table(own, columns, "\t", _MISSING),
            f"{stem}_beh.json": _sidecar(columns),
            f"{stem}_events.tsv": _table(event_rows(records), EVENT_COLUMNS, "\t", _MISSING),
            f"{stem}_events.json": _sidecar(EVENT_COLUMNS),
        }
    return written


def trial_row(analysis: Analysis, trial: PresentedTrial) -> dict[str, Any]:
    """Return a row of ``trials.csv``; None for what is missing."""
    row = {entry.name: getattr(trial, entry.name) for entry in fields(trial)}
    primary = (
        trial.phase == "reading"
        and trial.counts
        and trial.presentation == 1
        and trial.reader in analysis.panel.readers
    )
    return row | {
        "shown": " ".join(trial.shown),
        "primary": int(primary),
        "rating": trial.rating,
        "correct": None if trial.correct is None else int(trial.correct),
        "restarted": int(trial.restarted),
        "flags": " ".join(trial.flags) or None,
        "marks": len(trial.marks),
        "reasons": "; ".join(reason for mark in trial.marks for reason in mark.reasons) or None,
    }


def event_rows(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return a row for each record of a journal but the header.

    Times within one start of the program are those of its monotonic clock; starts lie apart
    by the clock of the computer.
    """
    rows: list[dict[str, Any]] = []
    first = start = None
    offset_s = 0.0
    for record in records:
        if record.kind == HEADER:
            continue
        if start is None or record.kind == "start":
            first, start = first or record, record
            apart = datetime.fromisoformat(start.utc) - datetime.fromisoformat(first.utc)
            offset_s = apart.total_seconds()
        details = without_action(record.data)
        rows.append(
            {
                "onset": round(offset_s + (record.mono_ns - start.mono_ns) / 1e9, 3),
                "duration": None,
                "trial_type": record.kind,
                "trial": record.trial,
                "value": json.dumps(details, sort_keys=True) if details else None,
            }
        )
    return rows


def imrmc(analysis: Analysis) -> str:
    """Return all counted first answers as the iMRMC program reads them.

    The truth has the reader -1 and the modality 0; generated cases are those with the
    condition. In 2AFC pairs are turned as in `crossed`, and scores are answers without their
    confidence, whose area is the share of right answers.
    """
    rating = analysis.study.protocol.rules.design == "rating"
    readings = [r for r in crossed(list(analysis.readings.values())) if r.answers]
    truth = {answer.case: answer.generated for reading in readings for answer in reading.answers}
    lines = [
        f"Visual Turing test, study {analysis.study.key.study}",
        f"N0: {sum(not generated for generated in truth.values())}",
        f"N1: {sum(truth.values())}",
        f"NR: {len(readings)}",
        "NM: 1",
        "BEGIN DATA:",
        *(f"-1,{case},0,{int(generated)}" for case, generated in sorted(truth.items())),
    ]
    for reading in readings:
        scores = reading.ratings if rating else np.sign(reading.ratings)
        lines += [
            f"{reading.reader},{answer.case},{TASK},{score}"
            for answer, score in zip(reading.answers, scores.tolist(), strict=True)
        ]
    return "\n".join(lines) + "\n"


def _case_rows(analysis: Analysis) -> Iterable[dict[str, Any]]:
    for case in analysis.cases:
        yield {
            "case": case.case,
            "truth": case.truth,
            "origin": case.origin,
            "readers": case.n,
            "right": case.right,
            "share_right": case.share_right,
            "mean_rating": case.mean_rating,
            "median_s": case.median_s,
            "marks": len(case.marks),
        }


def _reader_row(reader: ReaderResult) -> dict[str, Any]:
    conduct, scores = reader.conduct, reader.scores
    row: dict[str, Any] = {
        "reader": reader.reader,
        "state": reader.progress.state,
        "complete": int(reader.complete),
        "finish_code": reader.progress.finish_code,
        "planned": conduct.planned,
        "counted": conduct.counted,
        "missing": conduct.missing,
        "late": conduct.late,
        "restarted": conduct.restarted,
        "lapses": conduct.lapses,
    }
    counts = None if scores is None else scores.counts
    for name in ("hits", "misses", "false_alarms", "correct_rejections"):
        row[name] = None if counts is None else getattr(counts, name)
    measures = {
        "primary": "primary_95",
        **{name: name for name in ("accuracy", "balanced_accuracy", "sensitivity", "specificity")},
        "d_prime": "d_prime",
        "criterion": "criterion",
    }
    for name, attribute in measures.items():
        found: Interval | None = None if scores is None else getattr(scores, attribute)
        row[name] = None if found is None else found.estimate
        row[f"{name}_low"] = None if found is None else found.low
        row[f"{name}_high"] = None if found is None else found.high
    return row


def _rows(rows: Iterable[Mapping[str, Any]]) -> str:
    listed = list(rows)
    return _table(listed, listed[0] if listed else {})


def _table(
    rows: Sequence[Mapping[str, Any]],
    columns: Iterable[str],
    delimiter: str = ",",
    missing: str = "",
) -> str:
    text = io.StringIO()
    writer = TableWriter(text, list(columns), delimiter, "\n", missing)
    writer.write_header()
    for row in rows:
        writer.write(row)
    return text.getvalue()


def _sidecar(columns: Mapping[str, str]) -> str:
    return (
        json.dumps({name: {"Description": text} for name, text in columns.items()}, indent=1) + "\n"
    )
