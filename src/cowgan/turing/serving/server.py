"""The server process: which address, with or without TLS, and until when."""

import ipaddress
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cowgan.documents import read_json
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.locking import HeldLock
from cowgan.turing.serving.links import SERVING, hold, served_readers

DEFAULT_PORT = 8765
_ADDRESS_FILE = "address.json"
_LARGEST_BYTES = 10_000
_MOST_CONNECTIONS = 500
_WAIT_S = 10


@dataclass(frozen=True)
class Address:
    """Where a server listens, and how readers reach it.

    Parameters
    ----------
    host : str
        Name or number of the network interface.
    port : int
        TCP port.
    certificate, key : Path or None
        For TLS, PEM.
    behind_proxy : bool
        Whether another server in front encrypts, and passes requests on.
    origin : str
        What readers open, such as ``https://reading.example.org``; by default host and port.

    Raises
    ------
    CowganError
        Readers would send their links and answers unencrypted over a network; or something is
        missing or wrong.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False
    origin: str = ""

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise CowganError("TLS needs both --certfile and --keyfile.")
        for file in (self.certificate, self.key):
            if file is not None and not file.is_file():
                raise CowganError(f"There is no {file}.")
        if not (_is_loopback(self.host) or self.certificate or self.behind_proxy):
            raise CowganError(
                f"Other computers would reach {self.host} unencrypted: give --certfile and "
                "--keyfile, or --behind-proxy if a server in front encrypts."
            )
        if self.origin:
            _require_origin(self.origin)
        elif self.behind_proxy or self.host in ("0.0.0.0", "::"):
            raise CowganError(
                "Say what readers open, such as --origin https://reading.example.org."
            )

    @property
    def origins(self) -> list[str]:
        """Addresses under which a browser may ask, the one for links first."""
        if self.origin:
            return [self.origin]
        scheme = "http" if self.certificate is None else "https"
        hosts = [f"[{self.host}]" if ":" in self.host else self.host]
        if _is_loopback(self.host):
            hosts += [name for name in ("127.0.0.1", "localhost", "[::1]") if name not in hosts]
        usual = {"http": 80, "https": 443}[scheme]
        end = "" if self.port == usual else f":{self.port}"
        return [f"{scheme}://{host}{end}" for host in hosts]


def serve(study: Path, address: Address, started: Callable[[], None] = lambda: None) -> None:
    """Serve a study until the process is asked to end.

    Parameters
    ----------
    study : Path
        Folder with packages.
    address : Address
        Where to listen.
    started : callable
        Called when requests are answered.

    Raises
    ------
    CowganError
        It is no study, is served already, the port is taken, or a library is missing.
    """
    try:
        import uvicorn

        from cowgan.turing.serving.web_application import application
    except ImportError as error:
        raise CowganError(
            'Reading in the browser needs more libraries: pip install "napari-cowgan[serve]"',
            repr(error),
        ) from error
    served_readers(study)
    lock = hold(study, "server.lock")
    try:
        listening = _listening(address)
        write_json(study / SERVING / _ADDRESS_FILE, {"origin": address.origins[0]})
        config = uvicorn.Config(
            application(study, address.origins),
            ssl_certfile=address.certificate,
            ssl_keyfile=address.key,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=address.behind_proxy,
            forwarded_allow_ips="*" if address.behind_proxy else None,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_WAIT_S,
        )
        try:
            config.load()
        except (ssl.SSLError, OSError) as error:
            raise CowganError(
                f"{address.certificate} and {address.key} are no certificate with its key.",
                repr(error),
            ) from error
        started()
        uvicorn.Server(config).run([listening])
    finally:
        lock.remove()


def served_origin(study: Path) -> str | None:
    """Return under which address a study was served last; None if it never was.

    Raises
    ------
    CowganError
        The file is damaged.
    """
    path = study / SERVING / _ADDRESS_FILE
    if not path.exists():
        return None
    return read_json(path, dict[str, str], _LARGEST_BYTES).get("origin")


def is_served(study: Path) -> bool:
    """Return whether a server has this study open."""
    path = study / SERVING / "server.lock"
    if not path.exists():
        return False
    try:
        HeldLock(path).release()
    except (CowganError, OSError):
        return True
    return False


def _listening(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        raise CowganError(
            f"{address.host}, port {address.port}, cannot be used: {error.strerror or error}; "
            "choose another with --port.",
            repr(error),
        ) from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _require_origin(origin: str) -> None:
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}":
        raise CowganError(
            f"--origin is an address without a path, such as https://reading.example.org, not "
            f"{origin}."
        )
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise CowganError(f"{origin} is not encrypted; readers need https.")
