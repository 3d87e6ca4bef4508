"""Personal links of readers. Only hashes are kept: a link is shown once.

``serving/links.json`` is the coordinator's, and the server looks at it again whenever it
changes; ``serving/logins.json`` is the server's. A login ends with the link it was made with.
"""

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cowgan.documents import read_json
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.locking import HeldLock
from cowgan.turing.design.trials import require_reader_name
from cowgan.turing.reading.package import MANIFEST_FILE, PACKAGES
from cowgan.turing.timestamps import moment

SERVING = "serving"
"""Below the coordinator's folder: all that the server keeps, except for journals."""
LINKS_FILE = "links.json"
DEFAULT_DAYS = 90

_TOKEN_BYTES = 32
_LARGEST_BYTES = 2**20
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Link:
    """The link of one reader.

    Parameters
    ----------
    reader : str
        Whose it is.
    token_sha256 : str
        Hash of its secret part.
    created, expires : str
        ISO 8601, UTC.
    """

    reader: str
    token_sha256: str
    created: str
    expires: str

    def __post_init__(self) -> None:
        require_reader_name(self.reader)
        if not _SHA256.fullmatch(self.token_sha256):
            raise CowganError("The hash of a link is none.")
        moment(self.created)
        moment(self.expires)

    def valid(self) -> bool:
        """Return whether it can still be used."""
        return datetime.now(UTC) < moment(self.expires)


def served_readers(study: Path) -> list[str]:
    """Return the readers whose packages lie in a study's folder.

    Raises
    ------
    CowganError
        There are none.
    """
    readers = sorted(path.parent.name for path in (study / PACKAGES).glob(f"*/{MANIFEST_FILE}"))
    if not readers:
        raise CowganError(f"{study} is not a study: it has no packages to read.")
    for reader in readers:
        require_reader_name(reader)
    return readers


def read_links(study: Path) -> dict[str, Link]:
    """Return the links of a study by reader.

    Raises
    ------
    CowganError
        The file is damaged.
    """
    path = study / SERVING / LINKS_FILE
    if not path.exists():
        return {}
    return {link.reader: link for link in read_json(path, list[Link], _LARGEST_BYTES)}


def new_tokens(study: Path, readers: Sequence[str], days: int = DEFAULT_DAYS) -> dict[str, str]:
    """Make new links, which replace earlier ones, and return their secret parts.

    Parameters
    ----------
    study : Path
        The coordinator's folder.
    readers : sequence of str
        For whom.
    days : int
        How long they are valid.

    Returns
    -------
    dict of str to str
        Token by reader: 256 bits, to be shown once.

    Raises
    ------
    CowganError
        There is no such reader, or the folder cannot be written.
    """
    _require_readers(study, readers)
    tokens = {reader: secrets.token_urlsafe(_TOKEN_BYTES) for reader in readers}
    now = datetime.now(UTC)
    times = [time.isoformat(timespec="seconds") for time in (now, now + timedelta(days=days))]
    _replace(study, readers, [Link(r, token_hash(token), *times) for r, token in tokens.items()])
    return tokens


def revoke(study: Path, readers: Sequence[str]) -> None:
    """Make the links of readers useless at once, and end their logins.

    Raises
    ------
    CowganError
        There is no such reader, or the folder cannot be written.
    """
    _require_readers(study, readers)
    _replace(study, readers, ())


def token_hash(token: str) -> str:
    """Return what is kept of a token; with 256 random bits, it needs no salt."""
    return sha256(token.encode()).hexdigest()


def link_address(origin: str, token: str) -> str:
    """Return a link: browsers send nothing behind ``#`` to any server."""
    return f"{origin}/#{token}"


def _require_readers(study: Path, readers: Iterable[str]) -> None:
    known = served_readers(study)
    for reader in readers:
        if reader not in known:
            raise CowganError(f"The study has no reader {reader}.")


def hold(study: Path, lock: str) -> HeldLock:
    """Make the folder of what the server keeps, and hold a lock in it.

    Raises
    ------
    CowganError
        Another process holds it, or the folder cannot be written.
    """
    folder = study / SERVING
    try:
        folder.mkdir(exist_ok=True)
        return HeldLock(folder / lock)
    except OSError as error:
        raise CowganError(
            f"{folder} cannot be written: {error.strerror or error}.", repr(error)
        ) from error


def _replace(study: Path, readers: Iterable[str], by: Iterable[Link]) -> None:
    lock = hold(study, "links.lock")
    try:
        links = read_links(study)
        for reader in readers:
            links.pop(reader, None)
        links |= {link.reader: link for link in by}
        write_json(
            study / SERVING / LINKS_FILE, [asdict(links[reader]) for reader in sorted(links)]
        )
    finally:
        lock.remove()
