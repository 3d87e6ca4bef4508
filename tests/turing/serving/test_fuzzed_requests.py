"""Requests that no page sends: no fault, no leak, and nothing in the journal that is wrong."""

import json
import random
from http.client import HTTPException

import pytest
from reading_pages import Page, started

from cowgan.turing.reading.records import read_journal
from cowgan.turing.reading.session import replay

VALUES = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, -0.0, 1e308, 0.5, "", "R", "G", "left",
    "../../key/key.json", "\x00", "é" * 40, "A" * 43, "a" * 70_000, [], [[]], {}, {"a": {"b": []}},
    [1, 2, 3], [99, 99, 99], [-1, 0, 0], "NaN", "<script>", "' OR 1=1", "%s%n", "\ud800",
)  # fmt: skip
KINDS = (
    "understood", "consent", "proceed", "shown", "answer", "level", "mark", "undo_mark",
    "toggle_reason", "commit", "pause", "unpause", "viewed", "focus", "stop", "start", "finish",
    "interaction", "note", "unmark", "__class__", "",
)  # fmt: skip
NAMES = (
    "answer", "level", "voxel", "volume", "reason", "seen", "given", "canvas_px", "slice_ms",
    "mip_ms", "changes", "focus", "action", "case", "expected",
)  # fmt: skip
PATHS = (
    "/", "/api/reading", "/api/start", "/api/actions", "/api/enter", "/api/volumes/",
    "/api/volumes/..", "/api/receipt", "/page/index.html", "/page/%00", "/api/%ff",
    "/" + "a" * 3000,
)  # fmt: skip
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "BREW")
HEADERS = (
    {}, {"Content-Length": "1"}, {"Content-Type": "text/xml"}, {"Cookie": "reading=; reading=x"},
    {"Range": "bytes=0-1"}, {"Origin": "null"}, {"Accept-Encoding": "gzip, br"},
    {"X-Forwarded-For": "1.2.3.4, 5.6.7.8"}, {"Expect": "100-continue"}, {"X-A": "b" * 9000},
)  # fmt: skip


def action(chance, page):
    made = page.action(
        chance.choice(KINDS), **{n: chance.choice(VALUES) for n in chance.sample(NAMES, 2)}
    )
    for name in chance.sample([*made], chance.randrange(3)):
        made[name] = chance.choice(VALUES)
    return made


def body(chance, page):
    content = {"page": page.name, "actions": [action(chance, page) for _ in range(3)]}
    match chance.randrange(6):
        case 0:
            return json.dumps(chance.choice(VALUES)).encode()
        case 1:
            content[chance.choice(("page", "actions", "more"))] = chance.choice(VALUES)
        case 2:
            damaged = bytearray(json.dumps(content).encode())
            for _ in range(5):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            return bytes(damaged)
        case 3:
            return chance.randbytes(chance.randrange(200))
        case 4:
            return b"[" * 20_000
    return json.dumps(content).encode()


def fuzz(study, port, count):
    chance = random.Random(count)
    page, private = started(port, study.folder), started(port, study.folder, "sub-R02")
    private.go_to("ready")
    secrets = [*study.manifest("sub-R01").volumes, str(study.folder), "Traceback", ".py", "cowgan."]
    secrets += private.state["trial"]["volumes"]
    for _ in range(count):
        if chance.random() < 0.7:
            method, path = "POST", chance.choice(("/api/actions", "/api/start", "/api/actions"))
        else:
            method, path = chance.choice(METHODS), chance.choice(PATHS)
        page.browser.received.clear()
        try:
            reply = page.browser.ask(method, path, body(chance, page), chance.choice(HEADERS))
        except (OSError, HTTPException):
            # The server may close a connection whose request makes no sense.
            assert private.send().status == 200
            continue
        assert reply.status < 500, (method, path, reply.body)
        (received,) = page.browser.received
        assert not [secret for secret in secrets if secret.encode() in received]
    after = Page(page.browser, at_ms=page.at_ms)
    assert after.start(take_over=True).status == 200
    records = read_journal(study.package_folder("sub-R01") / "journal.jsonl")
    replay(study.manifest("sub-R01").course, records[1:])


def test_nonsense_does_no_harm(study, port):
    fuzz(study, port, 300)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_ten_thousand_nonsensical_requests_do_no_harm(study, port):
    fuzz(study, port, 10_000)
