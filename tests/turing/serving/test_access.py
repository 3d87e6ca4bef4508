"""Who may ask the server what."""

from datetime import UTC, datetime, timedelta

import pytest
from reading_pages import Browser, Page, served, started

from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.turing.serving.links import new_tokens, read_links, revoke
from cowgan.turing.serving.server import Address
from cowgan.turing.serving.web_application import LARGEST_BODY

FOR_READERS = (
    ("GET", "/api/reading", None),
    ("POST", "/api/start", {}),
    ("POST", "/api/actions", {}),
    ("POST", "/api/leave", {}),
    ("GET", "/api/volumes/x", None),
    ("GET", "/api/receipt", None),
)


def token_of(study, reader="sub-R01"):
    return new_tokens(study.folder, [reader])[reader]


@pytest.mark.parametrize(("method", "path", "body"), FOR_READERS)
def test_nothing_is_told_without_a_link(port, method, path, body):
    browser = Browser(port)
    assert browser.ask(method, path, body).code == "no_access"
    browser.cookies["reading"] = "A" * 43
    assert browser.ask(method, path, body).code == "no_access"


def test_a_link_is_kept_as_a_hash_and_exchanged_for_a_strict_cookie(study, port):
    token = token_of(study)
    browser = Browser(port)
    reply = browser.enter(token)
    assert reply.status == 204
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {*reply.headers["set-cookie"].split("; ")}
    kept = b"".join(path.read_bytes() for path in (study.folder / "serving").iterdir())
    assert token.encode() not in kept
    assert browser.cookies["reading"].encode() not in kept


def test_links_that_were_revoked_replaced_or_never_made_open_nothing(study, port):
    old = token_of(study)
    browser = Browser(port)
    browser.enter(old)
    assert browser.ask("GET", "/api/reading").status == 200
    new = token_of(study)
    assert browser.ask("GET", "/api/reading").code == "no_access"
    assert Browser(port).enter(old).code == "no_access"
    other = Browser(port)
    assert other.enter(new).status == 204
    revoke(study.folder, ["sub-R01"])
    assert other.ask("GET", "/api/reading").code == "no_access"
    assert Browser(port).enter(new).code == "no_access"
    assert Browser(port).enter("A" * 43).code == "no_access"


def test_an_eleventh_browser_of_a_reader_ends_the_oldest_login(study, port):
    token = token_of(study)
    browsers = [Browser(port) for _ in range(11)]
    other = started(port, study.folder, "sub-R02").browser
    for browser in browsers:
        browser.enter(token)
    asked = [browser.ask("GET", "/api/reading").status for browser in (*browsers, other)]
    assert asked == [401, *[200] * 11]


def test_expired_links_open_nothing(study, port):
    token = token_of(study)
    browser = Browser(port)
    browser.enter(token)
    link = read_links(study.folder)["sub-R01"]
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    write_json(study.folder / "serving/links.json", [vars(link) | {"expires": past}])
    assert browser.ask("GET", "/api/reading").code == "no_access"
    assert Browser(port).enter(token).code == "no_access"


def test_a_login_outlives_the_server_and_ends_on_request(study):
    with served(study.folder) as port:
        browser = Browser(port)
        browser.enter(token_of(study))
    with served(study.folder) as browser.port:
        assert browser.ask("GET", "/api/reading").status == 200
        cookie = dict(browser.cookies)
        assert browser.ask("POST", "/api/leave", {}).status == 204
        browser.cookies = cookie
        assert browser.ask("GET", "/api/reading").code == "no_access"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", ""])
def test_other_sites_can_do_nothing(study, port, origin):
    page = started(port, study.folder)
    journal = study.package_folder("sub-R01") / "journal.jsonl"
    before = journal.read_bytes()
    body = {"page": page.name, "actions": [page.action("understood")]}
    reply = page.browser.ask("POST", "/api/actions", body, {"Origin": origin})
    assert reply.code == "other_origin"
    sent_by = {"Sec-Fetch-Site": "cross-site"}
    assert page.browser.ask("GET", "/api/reading", None, sent_by).code == "other_origin"
    assert page.browser.ask("GET", "/api/reading", None, {"Host": "evil.example"}).status == 400
    assert journal.read_bytes() == before


def test_readers_see_their_own_volumes_only(study, port):
    first = started(port, study.folder, "sub-R01")
    second = started(port, study.folder, "sub-R02")
    first.go_to("ready")
    second.go_to("ready")
    theirs = first.state["trial"]["volumes"] + first.state["upcoming"]
    for name in theirs:
        assert first.browser.ask("GET", f"/api/volumes/{name}").status == 200
        assert second.browser.ask("GET", f"/api/volumes/{name}").code == "not_found"


def test_names_of_volumes_end_with_the_page(study, port):
    page = started(port, study.folder)
    page.go_to("ready")
    (name,) = page.state["trial"]["volumes"]
    reloaded = Page(page.browser)
    reloaded.start(take_over=True)
    assert reloaded.state["trial"]["volumes"] != [name]
    assert page.browser.ask("GET", f"/api/volumes/{name}").code == "not_found"


@pytest.mark.parametrize(
    "path",
    [
        "/page/",
        "/page",
        "/page/../web_application.py",
        "/page/..%2fweb_application.py",
        "/page/%2e%2e/links.py",
        "/api/volumes/..%2f..%2fmanifest.json",
        "/packages/sub-R01/manifest.json",
        "/serving/links.json",
        "/key/key.json",
        "//etc/passwd",
        "/docs",
        "/openapi.json",
    ],
)
def test_no_path_reaches_the_disk(study, port, path):
    page = started(port, study.folder)
    reply = page.browser.ask("GET", path)
    assert reply.code == "not_found"


@pytest.mark.parametrize("path", ["/", "/health", "/api/reading", "/nothing"])
def test_every_response_forbids_caches_frames_and_other_sites(port, path):
    headers = Browser(port).ask("GET", path).headers
    assert "no-store" in headers["cache-control"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


def test_large_bodies_are_refused(study, port):
    page = started(port, study.folder)
    reply = page.browser.ask("POST", "/api/actions", b" " * (LARGEST_BODY + 1))
    assert reply.code == "too_large"


def test_guessing_is_slowed_down(study):
    now_s = 0.0
    with served(study.folder, clock=lambda: now_s) as port:
        browser = Browser(port)
        replies = [browser.enter(f"{number:043d}") for number in range(101)]
        assert [reply.code for reply in replies] == ["no_access"] * 100 + ["too_many"]
        wait_s = replies[-1].json["error"]["retry_after_s"]
        assert replies[-1].headers["retry-after"] == str(wait_s) == "1"
        now_s += wait_s
        assert browser.enter("A" * 43).code == "no_access"


def test_a_reader_who_asks_without_end_is_told_to_wait(study):
    with served(study.folder, clock=lambda: 0.0) as port:
        page = started(port, study.folder)
        replies = [page.send() for _ in range(100)]
        assert {reply.status for reply in replies[:-1]} == {200}
        assert replies[-1].code == "too_many"
        assert started(port, study.folder, "sub-R02").send().status == 200


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"host": "192.168.0.7"}, "unencrypted"),
        ({"host": "0.0.0.0", "behind_proxy": True}, "--origin"),
        ({"origin": "http://reading.example.org"}, "not encrypted"),
        ({"origin": "https://reading.example.org/study"}, "without a path"),
    ],
)
def test_other_computers_are_served_with_tls_only(given, words):
    with pytest.raises(CowganError, match=words):
        Address(**given)


def test_behind_a_proxy_the_cookie_is_for_tls_only(study):
    origin = "https://reading.example.org"
    with served(study.folder, [origin]) as port:
        browser = Browser(port)
        headers = {"Origin": origin, "Host": "reading.example.org"}
        reply = browser.ask("POST", "/api/enter", {"token": token_of(study)}, headers)
    assert reply.headers["set-cookie"].startswith("__Host-reading=")
    assert "Secure" in reply.headers["set-cookie"]
    assert "max-age" in reply.headers["strict-transport-security"]
