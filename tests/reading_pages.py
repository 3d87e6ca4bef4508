"""A page in a browser without the browser: what it sends, and a server to send it to."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvicorn

from cowgan.turing.serving.links import new_tokens
from cowgan.turing.serving.web_application import application

SCREEN = {"size": [1920, 1080], "device_pixel_ratio": 1.25}
FIRST_MS = 1000.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@contextmanager
def served(
    study: Path, origins: Sequence[str] = (), clock: Callable[[], float] | None = None
) -> Iterator[int]:
    """Serve a study in a thread, and yield the port.

    By default a second passes between any two requests, so that none comes too soon, however fast
    the test is.
    """
    port = free_port()
    config = uvicorn.Config(
        application(study, origins or [f"http://127.0.0.1:{port}"], clock or count().__next__),
        port=port,
        log_level="critical",
        lifespan="on",
        server_header=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(port)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join()


def start_server(study: Path, port: int) -> subprocess.Popen[bytes]:
    """Serve a study in a process that a test can kill, and wait until it answers."""
    command = [sys.executable, "-m", "cowgan.cli", "turing", "serve", str(study)]
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL)
    wait_for(port, process)
    return process


def wait_for(port: int, process: subprocess.Popen[bytes] | None = None) -> None:
    while process is None or process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError("the server has ended")


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return self.json["error"]["code"]


@dataclass
class Browser:
    """A browser with its cookies, and everything that it has received."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    received: list[bytes] = field(default_factory=list)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        sent = {"Cookie": "; ".join(f"{n}={v}" for n, v in self.cookies.items())}
        if method == "POST":
            sent["Origin"] = f"http://127.0.0.1:{self.port}"
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, content, sent | (headers or {}))
            response = connection.getresponse()
            received = response.read()
        finally:
            connection.close()
        kept = {name.lower(): value for name, value in response.getheaders()}
        self.received.append(repr(response.getheaders()).encode() + received)
        if "set-cookie" in kept:
            name, _, value = kept["set-cookie"].partition(";")[0].partition("=")
            self.cookies[name] = value
        return Reply(response.status, kept, received)

    def enter(self, token: str) -> Reply:
        return self.ask("POST", "/api/enter", {"token": token})


@dataclass
class Page:
    """A page that a reader has opened, with a clock that a test sets."""

    browser: Browser
    at_ms: float = FIRST_MS
    name: str = field(default_factory=lambda: str(uuid4()))
    state: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def entered(cls, port: int, token: str) -> "Page":
        browser = Browser(port)
        assert browser.enter(token).status == 204
        return cls(browser)

    def start(self, take_over: bool = False) -> Reply:
        reply = self.browser.ask(
            "POST",
            "/api/start",
            {"page": self.name, "at_ms": self.at_ms, "screen": SCREEN, "take_over": take_over},
        )
        if reply.status == 200:
            self.state = reply.json["state"]
        return reply

    def action(self, kind: str, **data: Any) -> dict[str, Any]:
        self.at_ms += 1000
        trial = self.state["trial"]
        number = trial and trial["number"]
        return {
            "id": str(uuid4()),
            "kind": kind,
            "at_ms": self.at_ms,
            "trial": number,
            "data": data,
        }

    def send(self, *actions: dict[str, Any]) -> Reply:
        reply = self.browser.ask(
            "POST", "/api/actions", {"page": self.name, "actions": list(actions)}
        )
        if reply.status == 200:
            self.state = reply.json["state"]
        return reply

    def act(self, kind: str, **data: Any) -> dict[str, Any]:
        """Do one thing, which must be possible, and return the state."""
        reply = self.send_until_saved(self.action(kind, **data))
        assert reply.json["results"][0]["result"] == "done", reply.body
        return self.state

    def send_until_saved(self, *actions: dict[str, Any]) -> Reply:
        """Send again what got no answer, as a page does."""
        for _ in count():
            try:
                reply = self.send(*actions)
            except (OSError, HTTPException):
                time.sleep(0.05)
                continue
            if reply.status not in (429, 502, 503, 504, 507):
                return reply
            time.sleep(0.05)
        raise AssertionError

    def next_actions(self, answer: str, level: int) -> list[dict[str, Any]]:
        """Return what a reader does next, up to the next answer of the server."""
        match self.state["state"]:
            case "instructions":
                return [self.action("understood")]
            case "consent":
                return [self.action("consent", given=True)]
            case "ready" | "feedback" | "break":
                return [self.action("proceed")]
            case "loading":
                return [self.action("shown", canvas_px=[900, 900])]
            case "viewing" if "answer" in self.state["can"]:
                return [self.action("answer", answer=answer)]
            case "viewing" | "confidence":
                return [self.action("level", level=level)]
            case "rated":
                return [self.action("commit", seen=0.5)]
            case "paused":
                return [self.action("unpause")]
        return []

    def step(self, answer: str = "G", level: int = 3) -> None:
        reply = self.send_until_saved(*self.next_actions(answer, level))
        assert reply.status == 200, reply.body

    def go_to(self, *states: str) -> dict[str, Any]:
        while self.state["state"] not in states:
            self.step()
        return self.state


def started(port: int, study: Path, reader: str = "sub-R01") -> Page:
    page = Page.entered(port, new_tokens(study, [reader])[reader])
    assert page.start().status == 200
    return page
