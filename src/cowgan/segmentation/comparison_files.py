"""The files of a comparison of predicted label maps."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.estimates import Interval
from cowgan.folders import folder_in_the_making
from cowgan.report.html import html_of
from cowgan.report.numbers import count, listed
from cowgan.report.pdf import pdf_of
from cowgan.segmentation.comparison import COMPARED, Arm, ArmDifference, ArmMean
from cowgan.segmentation.comparison_report import ArmComparison, ShownCase, comparison_report
from cowgan.segmentation.label_pairs import LabelPair, ScoredPair
from cowgan.segmentation.label_pictures import label_picture
from cowgan.segmentation.metrics import ArteryScore, mean_over_arteries
from cowgan.segmentation.score_summary import missing_cases
from cowgan.segmentation.subject_values import values_by_subject
from cowgan.tables import write_table
from cowgan.volume import open_image

HTML_FILE, PDF_FILE = "report.html", "report.pdf"

_NEEDED_BYTES = 20_000_000


def arm_of(name: str, scored: Mapping[str, ScoredPair]) -> Arm:
    """Return the arm of the scores of all cases, by case name."""
    scores = {case: pair.rows for case, pair in scored.items()}
    arteries = [row.artery for row in next(iter(scores.values()))]
    return Arm(
        name,
        values_by_subject(scores, COMPARED, only_true=True),
        {artery: missing_cases(scores, artery) for artery in arteries},
    )


def write_comparison(
    out: Path,
    pairs: Mapping[str, Sequence[LabelPair]],
    scored: Mapping[str, Mapping[str, ScoredPair]],
    scheme: LabelScheme,
    margin: float | None = None,
) -> ArmComparison:
    """Compare predictions, and write a folder with the report and its tables.

    Parameters
    ----------
    out : Path
        New folder.
    pairs : mapping of str to sequence of LabelPair
        Files of each prediction, by its name; the first is the reference.
    scored : mapping of str to mapping of str to ScoredPair
        Scores of each prediction, by its name and the case name.
    scheme : LabelScheme
        Meaning of the labels.
    margin : float, optional
        Margin of equivalence of the Dice coefficient.

    Raises
    ------
    CowganError
        There are fewer than two predictions, matplotlib or fpdf2 is not installed, or the folder
        exists or cannot be written.
    """
    arms = [arm_of(name, of_cases) for name, of_cases in scored.items()]
    found = ArmComparison.of(arms, {} if margin is None else {"dice": margin})
    cases = len(next(iter(scored.values())))
    subtitle = f"{listed(list(scored))} on {count(cases, 'case')}, labels of {scheme.name}"
    report = comparison_report(found, subtitle, scheme, _extreme_cases(pairs, scored, scheme))
    html, pdf = html_of(report), pdf_of(report)
    with folder_in_the_making(out, _NEEDED_BYTES) as folder:
        (folder / HTML_FILE).write_text(html, encoding="utf-8")
        (folder / PDF_FILE).write_bytes(pdf)
        score_columns = ["prediction", "case", *(field.name for field in fields(ArteryScore))]
        write_table(
            folder / "scores.csv",
            score_columns,
            (
                {"prediction": name, "case": case, **asdict(row)}
                for name, of_cases in scored.items()
                for case, pair in of_cases.items()
                for row in pair.rows
            ),
        )
        for name, kind, rows in (
            ("means.csv", ArmMean, found.means),
            ("differences.csv", ArmDifference, found.differences),
        ):
            write_table(folder / name, _columns(kind), map(_row, rows))
    return found


def _columns(kind: type[ArmMean] | type[ArmDifference]) -> list[str]:
    return [
        column
        for field in fields(kind)
        for column in (("low", "high") if field.name == "interval" else (field.name,))
    ]


def _row(one: ArmMean | ArmDifference) -> dict[str, Any]:
    limits = one.interval
    of_interval = {"low": limits.low, "high": limits.high} if isinstance(limits, Interval) else {}
    return {**vars(one), **of_interval}


def _extreme_cases(
    pairs: Mapping[str, Sequence[LabelPair]],
    scored: Mapping[str, Mapping[str, ScoredPair]],
    scheme: LabelScheme,
) -> list[ShownCase]:
    """Return the cases with the highest and the lowest mean Dice over all predictions."""
    dice = {
        case: [mean_over_arteries(of_cases[case].rows, "dice") for of_cases in scored.values()]
        for case in next(iter(scored.values()))
    }
    by_score = sorted(dice, key=lambda case: float(np.mean(dice[case])))
    shown = {"Best case": by_score[-1], "Worst case": by_score[0]}
    if len(by_score) == 1:
        shown = {"The case": by_score[0]}
    return [
        _shown(f"{title}, {case}", case, pairs, dice[case], scheme) for title, case in shown.items()
    ]


def _shown(
    title: str,
    case: str,
    pairs: Mapping[str, Sequence[LabelPair]],
    dice: Sequence[float],
    scheme: LabelScheme,
) -> ShownCase:
    files = [next(pair for pair in of if pair.case == case) for of in pairs.values()]
    truth, *predictions = (
        label_picture(image.labels(), scheme, image.spacing_mm, f"Axial view of {name} of {case}")
        for name, image in (
            ("the truth", open_image(files[0].truth)),
            *((name, open_image(pair.predicted)) for name, pair in zip(pairs, files, strict=True)),
        )
    )
    return ShownCase(title, truth, tuple(zip(predictions, dice, strict=True)))
