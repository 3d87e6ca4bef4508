"""Logins of browsers: a cookie for the token of a link."""

import secrets
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from cowgan.documents import read_json
from cowgan.files import write_json
from cowgan.turing.serving.links import LINKS_FILE, SERVING, Link, read_links, token_hash

_LOGINS_FILE = "logins.json"
_COOKIE_BYTES = 32
_LARGEST_BYTES = 2**20
_MOST_OF_A_READER = 10
"""Browsers of one reader; a further one ends the oldest login."""


@dataclass(frozen=True)
class Login:
    """A browser that has shown a link.

    Parameters
    ----------
    reader : str
        Whose link.
    cookie_sha256 : str
        Hash of the cookie.
    token_sha256 : str
        Hash of the link's token.
    """

    reader: str
    cookie_sha256: str
    token_sha256: str


class Logins:
    """All logins of a study, kept when the server is started again.

    Parameters
    ----------
    study : Path
        The coordinator's folder.

    Raises
    ------
    CowganError
        A file is damaged.
    """

    def __init__(self, study: Path) -> None:
        self._study = study
        self._path = study / SERVING / _LOGINS_FILE
        self._lock = threading.Lock()
        self._links: dict[str, Link] = {}
        self._links_seen: tuple[int, ...] | None = None
        self._logins: list[Login] = []
        if self._path.exists():
            self._logins = read_json(self._path, list[Login], _LARGEST_BYTES)

    def enter(self, token: str) -> str | None:
        """Return a new cookie for a token; None if no valid link has it.

        Raises
        ------
        CowganError
            The login cannot be written.
        """
        hashed = token_hash(token)
        with self._lock:
            links = self._current_links().values()
            link = next((one for one in links if one.token_sha256 == hashed), None)
            if link is None or not link.valid():
                return None
            cookie = secrets.token_urlsafe(_COOKIE_BYTES)
            own = [one for one in self._logins if one.reader == link.reader]
            others = [one for one in self._logins if one.reader != link.reader]
            latest = own[-(_MOST_OF_A_READER - 1) :]
            self._keep([*others, *latest, Login(link.reader, token_hash(cookie), hashed)])
        return cookie

    def leave(self, cookie: str) -> None:
        """End a login.

        Raises
        ------
        CowganError
            It cannot be written.
        """
        hashed = token_hash(cookie)
        with self._lock:
            self._keep([login for login in self._logins if login.cookie_sha256 != hashed])

    def reader(self, cookie: str) -> str | None:
        """Return who has logged in; None if the cookie, or the link behind it, is not valid.

        Raises
        ------
        CowganError
            The file of the links is damaged.
        """
        hashed = token_hash(cookie)
        with self._lock:
            login = next((one for one in self._logins if one.cookie_sha256 == hashed), None)
            link = None if login is None else self._current_links().get(login.reader)
        if login is None or link is None:
            return None
        return login.reader if link.token_sha256 == login.token_sha256 and link.valid() else None

    def _keep(self, logins: list[Login]) -> None:
        write_json(self._path, [asdict(login) for login in logins])
        self._logins = logins

    def _current_links(self) -> dict[str, Link]:
        """Read the links again if the coordinator has changed them."""
        path = self._study / SERVING / LINKS_FILE
        try:
            found = path.stat()
        except OSError:
            self._links_seen, self._links = None, {}
            return {}
        seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        if seen != self._links_seen:
            self._links = read_links(self._study)
            self._links_seen = seen
        return self._links
