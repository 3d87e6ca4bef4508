"""Reading CSV and TSV files that may hold anything."""

import csv
import io
from pathlib import Path

from cowgan.errors import CowganError
from cowgan.files import read_bytes

LARGEST_BYTES = 16 * 2**20
MOST_ROWS = 500_000

Row = dict[str, str]


def read_table(path: Path, delimiter: str = ",") -> tuple[list[str], list[Row]]:
    """Return the columns and rows of a table.

    Parameters
    ----------
    path : Path
        In UTF-8, with or without byte order mark.
    delimiter : str
        Between cells.

    Returns
    -------
    columns : list of str
        From the first line; empty if there is none.
    rows : list of dict of str to str
        Cells that are missing at the end of a row are empty; cells beyond the columns are
        left out.

    Raises
    ------
    CowganError
        The file cannot be read, is too large or is no table.
    """
    content = read_bytes(path, LARGEST_BYTES)
    try:
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        reader = csv.reader(text, delimiter=delimiter)
        columns = next(reader, [])
        rows: list[Row] = []
        for cells in filter(None, reader):
            cells += [""] * (len(columns) - len(cells))
            rows.append(dict(zip(columns, cells, strict=False)))
            if len(rows) > MOST_ROWS:
                raise ValueError(f"more than {MOST_ROWS:,} rows")
    except (ValueError, csv.Error) as error:
        raise CowganError(f"{path} is not a table in UTF-8.", repr(error)) from error
    return columns, rows
