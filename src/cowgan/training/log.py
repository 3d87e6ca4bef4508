"""The log of a run: one CSV row of losses and metrics per step."""

import csv
import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cowgan.errors import CowganError
from cowgan.files import open_regular
from cowgan.tables import TableWriter, write_table

LOG_FILE = "log.csv"
RUN_COLUMNS = ("step", "images", "seconds", "images_per_s", "skipped", "peak_memory_mb")
"""Columns of every log."""

GAN_COLUMNS = (
    "discriminator",
    "generator",
    "penalty",
    "path",
    "path_length",
    "anchor",
    "paired",
    "features",
    "brightness",
    "moments",
    "textures",
    "judged_real",
    "augment",
)
"""Further columns of the log of a GAN."""

_MOST_BYTES_AT_ONCE = 2**24


class LogWriter:
    """Appends rows to a log, after dropping those later than the state the run resumes from.

    Parameters
    ----------
    path : Path
        The log; rewritten with the rows that are kept.
    step : int
        Step of the state that the run resumes from.
    more : sequence of str
        Further columns.

    Raises
    ------
    CowganError
        The log cannot be written.
    """

    def __init__(self, path: Path, step: int, more: Sequence[str] = ()) -> None:
        self._path = path
        kept = _rows_until(path, step)
        # Columns of an earlier version are kept.
        columns = tuple(dict.fromkeys((*RUN_COLUMNS, *more, *(kept[0] if kept else ()))))
        self._minima = dict.fromkeys(more, math.inf)
        for row in kept:
            self._update_minima(row)
        self.seconds = float(kept[-1]["seconds"]) if kept else 0.0
        """Total time of the logged steps."""
        write_table(path, columns, kept)
        # Every row is one write of a whole line, so that a kill leaves no partial row.
        self._file = path.open("a", buffering=1, newline="", encoding="utf-8")
        self._writer = TableWriter(self._file, columns)

    def minimum(self, name: str) -> float:
        """Return the smallest value of a metric so far, or infinity."""
        return self._minima[name]

    def add(self, row: Mapping[str, Any]) -> None:
        """Write the row of a step."""
        self.seconds = row["seconds"]
        self._update_minima(row)
        try:
            self._writer.write(row)
        except OSError as error:
            raise self._unwritable(error) from error

    def _update_minima(self, row: Mapping[str, Any]) -> None:
        for name, smallest in self._minima.items():
            if row.get(name) not in (None, ""):
                self._minima[name] = min(smallest, float(row[name]))

    def sync(self) -> None:
        """Flush the rows to disk, so that they survive a power cut."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _unwritable(self, error: OSError) -> CowganError:
        return CowganError(
            f"{self._path} could not be written: {error.strerror or error}.", repr(error)
        )


class LogFollower:
    """Reads new rows of a log while it grows.

    Parameters
    ----------
    path : Path
        The log; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode = 0
        self._offset = 0
        self._columns: list[str] = []

    def read(self) -> tuple[bool, list[dict[str, float]]]:
        """Return whether the log was rewritten since the last call, and its new complete rows.

        A log is rewritten when a run resumes from a state before its last row. Metrics that a
        step did not measure are missing from its row.
        """
        try:
            with open_regular(self._path) as file:
                found = os.fstat(file.fileno())
                rewritten = found.st_ino != self._inode or found.st_size < self._offset
                if rewritten:
                    self._inode, self._offset, self._columns = found.st_ino, 0, []
                file.seek(self._offset)
                content = file.read(_MOST_BYTES_AT_ONCE)
        except (OSError, CowganError):
            return False, []
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        lines = [line.split(",") for line in whole.decode("utf-8", "replace").splitlines()]
        if lines and not self._columns:
            self._columns = lines.pop(0)
        return rewritten, [row for line in lines if (row := self._numbers(line)) is not None]

    def _numbers(self, line: list[str]) -> dict[str, float] | None:
        """Return a row, or None for a damaged line."""
        try:
            pairs = zip(self._columns, line, strict=True)
            return {name: float(value) for name, value in pairs if value}
        except ValueError:
            return None


def _rows_until(path: Path, step: int) -> list[dict[str, Any]]:
    """Return the complete rows of a log up to a step."""
    if not path.exists():
        return []
    try:
        with open_regular(path) as stored, io.TextIOWrapper(stored, "utf-8", newline="") as file:
            whole: Iterable[str] = (line for line in file if line.endswith("\n"))
            rows = [row for row in csv.DictReader(whole) if int(row["step"]) <= step]
            for row in rows:
                float(row["seconds"])
                if None in row or None in row.values():
                    raise ValueError(f"a row of another length: {row!r:.200}")
                for value in filter(None, row.values()):
                    float(value)
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise CowganError(
            f"{path} is damaged; move it away to resume without it.", repr(error)
        ) from error
    return rows
