"""The reader's receipt, which shows whether a study or its answers were changed later."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cowgan.documents import checked, read_json
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.turing.codes import code_of
from cowgan.turing.reading.manifest import Manifest
from cowgan.turing.reading.records import Record
from cowgan.turing.reading.session import start_code

SCHEMA = "cowgan.turing-receipt/1"
_ABOUT = (
    "Receipt of a reading. It holds no answer and no name. Keep it: with the study's folder, "
    "`cowgan turing verify STUDY RECEIPT` tells whether study and answers are still the same."
)
_LARGEST_BYTES = 100_000


@dataclass(frozen=True)
class Receipt:
    """Hashes of all that a reading rests on, and of the reading.

    Parameters
    ----------
    study, reader : str
        Whose reading it was.
    study_sha256 : str
        Of the study's frozen description: protocol, sources, audit, accepted leak, key
        commitment and the contents of every package.
    package_sha256 : str
        Of the package, its manifest and volumes.
    key_commitment : str
        Of salt and key.
    start_code : str
        Shown at the start.
    begun, finished : str
        By the reader's clock, ISO 8601, UTC.
    answers : int
        Trials.
    journal_sha256 : str
        Of the journal's last step, which every step before it enters.
    """

    study: str
    reader: str
    study_sha256: str
    package_sha256: str
    key_commitment: str
    start_code: str
    begun: str
    finished: str
    answers: int
    journal_sha256: str

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9a-f]{64}", self.journal_sha256):
            raise CowganError("The hash of the journal is none.")

    @property
    def finish_code(self) -> str:
        """Code shown to the reader at the end."""
        return code_of(self.journal_sha256)


def receipt_of(manifest: Manifest, records: Sequence[Record]) -> Receipt | None:
    """Return the receipt of a reading; None before its end.

    Parameters
    ----------
    manifest : Manifest
        Of the package.
    records : sequence of Record
        Of the journal, with or without its header.
    """
    finish = next((record for record in records if record.kind == "finish"), None)
    start = next((record for record in records if record.kind == "start"), None)
    if finish is None or start is None:
        return None
    return Receipt(
        manifest.study,
        manifest.reader,
        manifest.study_sha256,
        manifest.sha256,
        manifest.key_commitment,
        start_code(records) or "",
        start.utc,
        finish.utc,
        sum(record.kind == "commit" for record in records),
        finish.sha256,
    )


def write_receipt(receipt: Receipt, target: Path) -> None:
    """Write a receipt as JSON.

    Raises
    ------
    CowganError
        The file cannot be written.
    """
    write_json(target, receipt_content(receipt))


def receipt_content(receipt: Receipt) -> dict[str, str | int]:
    """Return what the file of a receipt holds."""
    about = {"schema": SCHEMA, "about": _ABOUT}
    return {**about, **asdict(receipt), "finish_code": receipt.finish_code}


def read_receipt(path: Path) -> Receipt:
    """Read a receipt.

    Raises
    ------
    CowganError
        It is none, is damaged, or contradicts itself.
    """
    path = Path(path)
    content = read_json(path, dict[str, str | int], _LARGEST_BYTES)
    schema, _, finish_code = (content.pop(name, "") for name in ("schema", "about", "finish_code"))
    if schema != SCHEMA:
        raise CowganError(f"{path} is no receipt of a reading.", str(schema))
    receipt = checked(content, Receipt, str(path))
    if receipt.finish_code != finish_code:
        raise CowganError(f"{path} was changed: its finish code is not that of its hashes.")
    return receipt
