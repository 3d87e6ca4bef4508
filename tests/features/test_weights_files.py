"""Tests of the download of weights, from a server on this machine."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cowgan.errors import Cancelled, CowganError
from cowgan.features import weights_files
from cowgan.features.weights_files import WeightsFile, fetch

CONTENT = bytes(range(256)) * 4096


class Handler(BaseHTTPRequestHandler):
    """Sends `CONTENT`, half of it under /short, and nothing under other names."""

    requests = 0

    def do_GET(self) -> None:
        type(self).requests += 1
        if self.path not in ("/weights.pth", "/short/weights.pth", "/endless/weights.pth"):
            self.send_error(404)
            return
        self.send_response(200)
        if not self.path.startswith("/endless"):
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        half = len(CONTENT) // 2
        self.wfile.write(CONTENT[: half if self.path.startswith("/short") else None])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()
        thread.join()


def weights_at(url: str, content: bytes = CONTENT) -> WeightsFile:
    return WeightsFile(url, hashlib.sha256(content).hexdigest(), "none")


class Recorder:
    """A progress that notes what it is told, and may cancel."""

    def __init__(self, cancelled: bool = False) -> None:
        self.cancelled = cancelled
        self.told: list[tuple[int, int]] = []

    def report(self, done: int, total: int, message: str = "") -> None:
        self.told.append((done, total))


def test_a_file_is_downloaded_once(server, tmp_path):
    weights = weights_at(f"{server}/weights.pth")
    progress = Recorder()
    path = fetch(weights, tmp_path / "new", progress)
    assert path == tmp_path / "new" / "weights.pth"
    assert path.read_bytes() == CONTENT
    assert len(progress.told) > 1
    assert progress.told[-1] == (1048, 1048)
    before = Handler.requests
    assert fetch(weights, tmp_path / "new") == path
    assert Handler.requests == before


def test_a_damaged_file_is_replaced(server, tmp_path):
    (tmp_path / "weights.pth").write_bytes(CONTENT[:-1])
    assert fetch(weights_at(f"{server}/weights.pth"), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("other/weights.pth", "Not Found"),
        ("short/weights.pth", "broke off after 1 of 1 MB"),
        ("weights.pth", "sent another file"),
    ],
)
def test_a_failed_download_leaves_what_was_there(name, told, server, tmp_path, single_sentence):
    (tmp_path / "weights.pth").write_bytes(b"older")
    expected = b"else" if name == "weights.pth" else CONTENT
    with pytest.raises(CowganError) as refusal:
        fetch(weights_at(f"{server}/{name}", expected), tmp_path)
    assert told in single_sentence(refusal)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"older"]


def test_an_endless_download_is_stopped(server, tmp_path, monkeypatch):
    monkeypatch.setattr(weights_files, "_LARGEST_BYTES", len(CONTENT) // 2)
    progress = Recorder()
    with pytest.raises(CowganError, match="sent another file"):
        fetch(weights_at(f"{server}/endless/weights.pth"), tmp_path, progress)
    assert progress.told[-1][0] <= len(CONTENT) // 2000
    assert not list(tmp_path.iterdir())


def test_a_cancelled_download_leaves_nothing(server, tmp_path):
    with pytest.raises(Cancelled):
        fetch(weights_at(f"{server}/weights.pth"), tmp_path, Recorder(cancelled=True))
    assert not list(tmp_path.iterdir())


def test_without_a_connection_the_address_is_told(tmp_path, single_sentence):
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_port
    with pytest.raises(CowganError) as refusal:
        fetch(weights_at(f"http://127.0.0.1:{port}/weights.pth"), tmp_path)
    assert f"http://127.0.0.1:{port}/weights.pth" in single_sentence(refusal)
    assert not list(tmp_path.iterdir())
