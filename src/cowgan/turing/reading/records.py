"""Records of a journal, and reading them back.

A journal is a text file of one JSON record per line. Each record carries the hash of the
one before and its own, so that a changed, removed or inserted line is detected. Lines missing
at the end, or a journal written anew, are detected by the finish code that the reader sends
(see `cowgan.turing.reading.session`).
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cowgan.canonical_json import canonical, sha256_of_content
from cowgan.documents import parse_json
from cowgan.errors import CowganError
from cowgan.files import read_bytes
from cowgan.turing.timestamps import moment

HEADER = "journal"
"""Kind of the first record, which names the package."""

NO_RECORD = "0" * 64
"""`Record.prev` of the first record."""

LARGEST_BYTES = 128 * 2**20
"""Limit on the size of a journal: some 400,000 steps."""


@dataclass(frozen=True)
class Record:
    """One line of a journal.

    Attributes
    ----------
    seq : int
        Counts from 0.
    utc : str
        Time at which it happened, ISO 8601.
    mono_ns : int
        The same on a clock that never jumps; differences count, within one start of the
        program.
    kind : str
        What happened.
    trial : int or None
        Number of the trial that it belongs to.
    data : dict
        Details, as JSON.
    prev : str
        `sha256` of the record before.
    sha256 : str
        SHA-256 of the canonical JSON of all the other fields.
    """

    seq: int
    utc: str
    mono_ns: int
    kind: str
    trial: int | None
    data: dict[str, Any]
    prev: str
    sha256: str

    def __post_init__(self) -> None:
        moment(self.utc)
        if not 0 <= self.mono_ns < 2**63:
            raise CowganError("No clock shows such a time.", f"{self.mono_ns!r:.40} ns")


def read_journal(path: Path) -> list[Record]:
    """Read a journal and check its chain; it may be open elsewhere.

    Returns
    -------
    list of Record
        The header first. A line that a crash cut short is left out.

    Raises
    ------
    CowganError
        There is no such file, or it was changed.
    """
    path = Path(path)
    records, _ = parse_journal(read_bytes(path, LARGEST_BYTES), path)
    return records


def parse_journal(content: bytes, path: Path) -> tuple[list[Record], int]:
    """Return the records and how many bytes they take; a torn last line is not among them.

    Raises
    ------
    CowganError
        The content was changed; `path` is named.
    """
    lines = content.split(b"\n")
    torn = lines.pop()
    if lines and not _is_json(lines[-1]):
        torn = lines.pop() + b"\n" + torn
    records: list[Record] = []
    head = NO_RECORD
    for number, line in enumerate(lines):
        detail = ""
        try:
            record = parse_json(line, Record, f"Line {number + 1}")
            intact = line_of(record) == line + b"\n" and _hash(record) == record.sha256
        except CowganError as error:
            intact, detail = False, f"{error.sentence}\n{error.detail}"
        except ValueError as error:
            # Such as a number without end, which no program writes as JSON.
            intact, detail = False, repr(error)
        if not intact or record.seq != number or record.prev != head:
            raise CowganError(
                f"{path} was changed after it was written (line {number + 1}), so its answers "
                "cannot be trusted.",
                detail,
            )
        records.append(record)
        head = record.sha256
    return records, len(content) - len(torn)


def _is_json(line: bytes) -> bool:
    try:
        parse_json(line, object, "The line")
    except CowganError:
        return False
    return True


def _hash(record: Record) -> str:
    content = asdict(record)
    del content["sha256"]
    return sha256_of_content(content)


def line_of(record: Record) -> bytes:
    """Return a record as it is stored, with the end of the line."""
    return canonical(asdict(record)) + b"\n"
