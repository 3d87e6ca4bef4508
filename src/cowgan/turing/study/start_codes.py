"""Start codes reported by readers, so that no reading is restarted unnoticed.

A reading draws a code when it is first begun. Who removes the journal and reads once more
ends with another code than the one reported at the start.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

from cowgan.documents import read_json
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.turing.codes import parse_code
from cowgan.turing.reading.records import Record
from cowgan.turing.reading.session import start_code
from cowgan.turing.study.collection import collected_records
from cowgan.turing.study.study import Study
from cowgan.turing.timestamps import moment

STARTS_FILE = "starts.json"
"""Below the coordinator's folder."""

StartState = Literal["not told", "same", "another", "late"]
"""``"same"``: reported before the first answer; ``"late"``: only after it."""

_LARGEST_BYTES = 1_000_000


@dataclass(frozen=True)
class ToldStart:
    """A start code reported by a reader.

    Parameters
    ----------
    reader : str
        Who.
    code : str
        Start code.
    utc : str
        When it was noted, by the coordinator's clock, ISO 8601.
    """

    reader: str
    code: str
    utc: str

    def __post_init__(self) -> None:
        moment(self.utc)


@dataclass(frozen=True)
class Start:
    """Reported and recorded start codes of one reading.

    Parameters
    ----------
    code : str or None
        In the journal that has come back.
    told : tuple of ToldStart
        The first one first.
    state : {"not told", "same", "another", "late"}
        Whether the reading that came back is the one that was begun then. Nothing is told
        as ``"another"`` before it has come back.
    """

    code: str | None
    told: tuple[ToldStart, ...]
    state: StartState


def note_start(study: Study, reader: str, typed: str) -> ToldStart:
    """Record the start code that a reader reports before reading; earlier ones stay.

    Parameters
    ----------
    study : Study
        Frozen.
    reader : str
        Who reports it.
    typed : str
        The code, however it is typed.

    Raises
    ------
    CowganError
        There is no such reader, it is no code, the reading has come back already, or the
        file cannot be written.
    """
    study.require_frozen()
    if reader not in study.readers:
        raise CowganError(f"The study has no reader {reader}.")
    code = parse_code(typed)
    if code is None:
        raise CowganError(
            "A start code has 16 letters and digits, such as 7KQF-2M9X-0A3T-VB61; this is "
            f"{typed!r}."
        )
    with study.changing():
        if collected_records(study, reader):
            raise CowganError(
                f"What {reader} read has come back already, so a start code proves nothing any "
                "more."
            )
        told = ToldStart(reader, code, datetime.now(UTC).isoformat(timespec="seconds"))
        everything = [*told_starts(study), told]
        write_json(study.folder / STARTS_FILE, [asdict(one) for one in everything])
    return told


def told_starts(study: Study) -> list[ToldStart]:
    """Return all reported codes.

    Raises
    ------
    CowganError
        The file is damaged.
    """
    path = study.folder / STARTS_FILE
    if not path.exists():
        return []
    return read_json(path, list[ToldStart], _LARGEST_BYTES)


def start_of(study: Study, reader: str) -> Start:
    """Compare reported start codes with the collected journal.

    Raises
    ------
    CowganError
        The collected journal was changed, or a file is damaged.
    """
    told = tuple(one for one in told_starts(study) if one.reader == reader)
    records = collected_records(study, reader)
    code = start_code(records)
    return Start(code, told, _state(code, told, records))


def _state(code: str | None, told: Sequence[ToldStart], records: Sequence[Record]) -> StartState:
    if not told or code is None:
        return "not told"
    # A second code is that of a second beginning, whichever of both comes back.
    if any(one.code != code for one in told):
        return "another"
    answered = next((record.utc for record in records if record.kind == "commit"), None)
    if answered is not None and moment(answered) < moment(told[0].utc):
        return "late"
    return "same"
