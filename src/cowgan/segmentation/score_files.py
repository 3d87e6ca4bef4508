"""Tables of the scores of label maps."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

from cowgan.segmentation.label_pairs import ScoredPair
from cowgan.segmentation.metrics import ArteryScore
from cowgan.segmentation.score_summary import SummaryRow, summarise
from cowgan.tables import write_table


def summary_path(table: Path) -> Path:
    """Return the path of the summary beside a table of scores."""
    return table.with_name(f"{table.stem}_summary{table.suffix}")


def write_scores(table: Path, scored: Mapping[str, ScoredPair]) -> None:
    """Write a table with one row per artery and case, and its summary.

    Parameters
    ----------
    table : Path
        CSV file; the summary lies beside it, see `summary_path`.
    scored : mapping of str to ScoredPair
        Scores of each case.

    Raises
    ------
    CowganError
        A file cannot be written.
    """
    rows = [{"case": case, **asdict(row)} for case, one in scored.items() for row in one.rows]
    summary = summarise(
        {case: one.rows for case, one in scored.items()},
        {case: one.circles for case, one in scored.items()},
    )
    write_table(table, ["case", *(field.name for field in fields(ArteryScore))], rows)
    columns = [field.name for field in fields(SummaryRow)]
    write_table(summary_path(table), columns, map(asdict, summary))
