"""The moment from which the truth is known, after which no answer counts."""

import getpass
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.turing.journal import Record
from cowgan.turing.returned import collected_records, progress
from cowgan.turing.study import Study

UNBLINDED_FILE = "unblinded.json"
"""Below the coordinator's folder."""


@dataclass(frozen=True)
class Unblinding:
    """When the answers were first set against the truth.

    Parameters
    ----------
    utc : str
        ISO 8601.
    by : str
        Who did it.
    records : dict of str to int
        Records of each reader's journal that were there already.
    """

    utc: str
    by: str
    records: dict[str, int]

    def is_late(self, reader: str, record: Record) -> bool:
        """Tell whether a record was made with the truth already known.

        What had been collected is not, whatever the reader's clock said.
        """
        moment = datetime.fromisoformat(record.utc)
        return self.arrived_after(reader, record) and moment > datetime.fromisoformat(self.utc)

    def arrived_after(self, reader: str, record: Record) -> bool:
        """Tell whether a record was collected later; its own time may still be earlier."""
        return record.seq >= self.records.get(reader, 0)


def read_unblinding(study: Study) -> Unblinding | None:
    """Return when a study was unblinded; None if it was not.

    Raises
    ------
    CowganError
        The file is damaged.
    """
    path = _path(study)
    if not path.exists():
        return None
    try:
        unblinding = Unblinding(**json.loads(path.read_text(encoding="utf-8")))
        datetime.fromisoformat(unblinding.utc)
    except (OSError, ValueError, TypeError) as error:
        raise CowganError(f"{path} is damaged.", repr(error)) from error
    return unblinding


def unblind(study: Study, by: str | None = None, early: bool = False) -> Unblinding:
    """Record that the truth becomes known; once recorded, it stays as it is.

    Parameters
    ----------
    study : Study
        Frozen.
    by : str, optional
        Who does it; by default the name of the account.
    early : bool
        Do it although readers have not finished.

    Raises
    ------
    CowganError
        Readers have not finished, or the file cannot be written.
    """
    known = read_unblinding(study)
    if known is not None:
        return known
    study.require_frozen()
    waiting = [of.reader for of in progress(study) if of.state in ("not returned", "under way")]
    if waiting and not early:
        raise CowganError(
            f"{', '.join(waiting)} {'has' if len(waiting) == 1 else 'have'} not finished, and what "
            "is answered once the truth is known does not count; collect the packages first, or "
            "say that the study ends here."
        )
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    records = {reader: len(collected_records(study, reader)) for reader in study.readers}
    unblinding = Unblinding(now, by or getpass.getuser(), records)
    write_json(_path(study), asdict(unblinding))
    return unblinding


def _path(study: Study) -> Path:
    return study.folder / UNBLINDED_FILE
