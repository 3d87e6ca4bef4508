"""CSV and TSV: files that may hold anything are read, and text of any origin is written."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from cowgan.errors import CowganError
from cowgan.files import read_text
from cowgan.text import escaped

LARGEST_BYTES = 16 * 2**20
MOST_ROWS = 500_000

Row = dict[str, str]

_DELIMITERS = ",;\t"
"""The first where none of them occurs."""

_SEPARATOR = re.compile(r"sep=([,;\t])[\r\n]+")
"""A first line by which spreadsheets are told what stands between cells."""

_QUOTED = re.compile(r'"[^"]*"')

_FORMULA = tuple("=+-@＝＋－＠")
"""How a cell begins that spreadsheets compute."""


def read_table(path: Path) -> tuple[list[str], list[Row]]:
    """Return the columns and rows of a table, as this program or a spreadsheet writes it.

    Parameters
    ----------
    path : Path
        Text as `cowgan.files.read_text` reads it, with commas, semicolons or tabs between cells;
        the first line tells which, by itself or as ``sep=;``.

    Returns
    -------
    columns : list of str
        From the first line that is not empty; none if there is no such line.
    rows : list of dict of str to str
        Without those that are blank. Cells that are missing at the end of a row are empty;
        cells beyond the columns are left out.

    Raises
    ------
    CowganError
        The file cannot be read, is too large or is no table.
    """
    text = read_text(path, LARGEST_BYTES)
    stated = _SEPARATOR.match(text)
    if stated:
        text = text[stated.end() :]
    delimiter = stated[1] if stated else _delimiter(text)
    try:
        filled = (
            cells
            for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            if any(map(str.strip, cells))
        )
        columns = [name.strip() for name in next(filled, [])]
        named = list(filter(None, columns))
        if twice := {name for name in named if named.count(name) > 1}:
            raise ValueError(f"it has the column {min(twice)!r:.80} twice")
        rows: list[Row] = []
        for cells in filled:
            cells += [""] * (len(columns) - len(cells))
            rows.append(dict(zip(columns, cells, strict=False)))
            if len(rows) > MOST_ROWS:
                raise ValueError(f"it has more than {MOST_ROWS:,} rows")
    except (ValueError, csv.Error) as error:
        raise CowganError(f"{path} is not a table that can be read: {error}.") from error
    return columns, rows


def _delimiter(text: str) -> str:
    """Return what stands most often between the cells of the first line that is not empty."""
    first = next(filter(str.strip, text.splitlines()), "")
    outside = _QUOTED.sub("", first)
    return max(_DELIMITERS, key=outside.count)


class TableWriter:
    """Writes the lines of a table that can be opened anywhere without doing anything.

    In cells of text, characters that cannot be seen are escaped, and what a spreadsheet would
    compute stands behind an apostrophe. Numbers stay numbers.

    Parameters
    ----------
    file : TextIO
        Opened with ``newline=""``.
    columns : sequence of str
        Names.
    delimiter, line_end : str
        Between cells, and after a row.
    missing : str
        Stands for None, and for what a row does not have.
    """

    def __init__(
        self,
        file: TextIO,
        columns: Sequence[str],
        delimiter: str = ",",
        line_end: str = "\r\n",
        missing: str = "",
    ) -> None:
        self._columns = list(columns)
        self._missing = missing
        self._writer = csv.writer(file, delimiter=delimiter, lineterminator=line_end)

    def write_header(self) -> None:
        """Write the names of the columns."""
        self._writer.writerow(map(_cell, self._columns))

    def write(self, row: Mapping[str, Any]) -> None:
        """Write a row, in one piece; what belongs to no column is left out."""
        values = (row.get(name) for name in self._columns)
        self._writer.writerow(self._missing if v is None else _cell(v) for v in values)


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = escaped(value)
    return f"'{text}" if text.startswith(_FORMULA) and not is_number(text) else text


def is_number(text: str) -> bool:
    """Return whether text is a number, such as ``-1.5``."""
    try:
        float(text)
    except ValueError:
        return False
    return True
