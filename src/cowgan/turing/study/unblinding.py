"""The moment from which the truth is known, after which no answer counts."""

import getpass
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cowgan.canonical_json import sha256_of_content
from cowgan.documents import read_json
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.turing.reading.records import Record
from cowgan.turing.study.collection import collected_records, progress
from cowgan.turing.study.study import DERIVATIVES, Study
from cowgan.turing.timestamps import moment

UNBLINDED_FILE = "unblinded.json"
SUMMARY_FILE = f"{DERIVATIVES}/summary.json"
"""Below the coordinator's folder; the second is written by each analysis."""


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
    collection_sha256 : str
        Of all that had been collected, see `collection_sha256`.
    """

    utc: str
    by: str
    records: dict[str, int]
    collection_sha256: str

    def __post_init__(self) -> None:
        moment(self.utc)

    def is_late(self, reader: str, record: Record) -> bool:
        """Return whether a record was made with the truth already known.

        What had been collected is not, whatever the reader's clock said.
        """
        return self.arrived_after(reader, record) and moment(record.utc) > moment(self.utc)

    def arrived_after(self, reader: str, record: Record) -> bool:
        """Return whether a record was collected later; its own time may still be earlier."""
        return record.seq >= self.records.get(reader, 0)


def read_unblinding(study: Study) -> Unblinding | None:
    """Return when a study was unblinded; None if it was not.

    Raises
    ------
    CowganError
        The file is damaged, or an analysis names another unblinding.
    """
    path = _path(study)
    unblinding = read_json(path, Unblinding) if path.exists() else None
    _refuse_contradiction(unblinding, path, study.folder / SUMMARY_FILE)
    return unblinding


def _refuse_contradiction(unblinding: Unblinding | None, path: Path, summary: Path) -> None:
    """Compare what is recorded with what an analysis wrote of it."""
    if not summary.exists():
        return
    told = read_json(summary, dict[str, Any]).get("unblinded")
    if unblinding is None:
        raise CowganError(
            f"{path} is missing, although {summary} tells that the study was unblinded; put it "
            "back, as what was answered since does not count."
        )
    if told != asdict(unblinding):
        raise CowganError(
            f"{path} is not what it was when {summary} was written; put the former one back, as "
            "what was answered since does not count."
        )


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
        Readers have not finished, the study is being changed, or the file cannot be written.
    """
    known = read_unblinding(study)
    if known is not None:
        return known
    study.require_frozen()
    with study.changing():
        return read_unblinding(study) or _unblinded_now(study, by, early)


def _unblinded_now(study: Study, by: str | None, early: bool) -> Unblinding:
    waiting = [of.reader for of in progress(study) if of.state in ("not returned", "under way")]
    if waiting and not early:
        raise CowganError(
            f"{', '.join(waiting)} {'has' if len(waiting) == 1 else 'have'} not finished, and what "
            "is answered once the truth is known does not count; collect the packages first, or "
            "say that the study ends here."
        )
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    records = {reader: len(collected_records(study, reader)) for reader in study.readers}
    committed = collection_sha256(study, records)
    unblinding = Unblinding(now, by or _account(), records, committed)
    write_json(_path(study), asdict(unblinding))
    return unblinding


def collection_sha256(study: Study, records: Mapping[str, int] | None = None) -> str:
    """Return the SHA-256 that commits to the study and to every answer collected.

    Parameters
    ----------
    study : Study
        Frozen.
    records : mapping of str to int, optional
        How many records of each reader's journal count; by default all.

    Raises
    ------
    CowganError
        A collected journal was changed.
    """
    heads = {}
    for reader in study.readers:
        collected = collected_records(study, reader)
        counted = collected if records is None else collected[: records.get(reader, 0)]
        heads[reader] = counted[-1].sha256 if counted else ""
    return sha256_of_content({"study_sha256": study.sha256, "journals": heads})


def _account() -> str:
    """Return the name of the account, or its number where it has none, as in some containers."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return f"account {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def _path(study: Study) -> Path:
    return study.folder / UNBLINDED_FILE
