"""Safe reading and writing of CSV and TSV tables."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from cowgan.errors import CowganError
from cowgan.files import atomic_path, read_text
from cowgan.text import escaped

LARGEST_BYTES = 16 * 2**20
MOST_ROWS = 500_000

Row = dict[str, str]

_DELIMITERS = ",;\t"
"""The first is the default."""

_SEPARATOR = re.compile(r"sep=([,;\t])[\r\n]+")
"""A first line that states the delimiter for spreadsheets."""

_QUOTED = re.compile(r'"[^"]*"')

_FORMULA = tuple("=+-@＝＋－＠")
"""First characters of cells that spreadsheets evaluate."""


def read_table(path: Path) -> tuple[list[str], list[Row]]:
    """Read a table written by this program or a spreadsheet.

    Parameters
    ----------
    path : Path
        Text as `cowgan.files.read_text` reads it. The delimiter, comma, semicolon or tab, is
        detected from the first line or stated there as ``sep=;``.

    Returns
    -------
    columns : list of str
        From the first non-empty line; empty if there is none.
    rows : list of dict of str to str
        Non-blank rows. Missing cells at the end of a row are empty; cells beyond the columns
        are ignored.

    Raises
    ------
    CowganError
        The file cannot be read, is too large or is not a table.
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
    """Return the most frequent delimiter in the first non-empty line."""
    first = next(filter(str.strip, text.splitlines()), "")
    outside = _QUOTED.sub("", first)
    return max(_DELIMITERS, key=outside.count)


class TableWriter:
    """Writer of tables that are safe to open in a spreadsheet.

    In text cells, invisible characters are escaped and formulas are prefixed with an apostrophe.
    Numbers are unchanged.

    Parameters
    ----------
    file : TextIO
        Opened with ``newline=""``.
    columns : sequence of str
        Column names.
    delimiter, line_end : str
        Cell delimiter and end of line.
    missing : str
        Text for None and for missing cells.
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
        """Write the column names."""
        self._writer.writerow(map(_cell, self._columns))

    def write(self, row: Mapping[str, Any]) -> None:
        """Write a row in one call; values without a column are ignored."""
        values = (row.get(name) for name in self._columns)
        self._writer.writerow(self._missing if v is None else _cell(v) for v in values)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a CSV table with a header, atomically.

    Raises
    ------
    CowganError
        The file cannot be written.
    """
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = TableWriter(file, columns)
        writer.write_header()
        for row in rows:
            writer.write(row)


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
