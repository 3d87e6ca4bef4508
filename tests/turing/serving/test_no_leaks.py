"""Nothing that the server sends tells what a volume is, or helps to find out."""

import re

import pytest
from reading_pages import started

from cowgan.turing.reading.package import Package


def read_everything(page):
    """Read to the end, fetch every volume, and return what was received of each trial."""
    volumes = {}
    while page.state["state"] != "finished":
        for name in page.state["trial"]["volumes"] if page.state["state"] == "ready" else ():
            volumes[page.state["trial"]["number"]] = page.browser.ask("GET", f"/api/volumes/{name}")
        page.step("R")
    return volumes


@pytest.fixture
def read(study, port):
    page = started(port, study.folder)
    page.browser.ask("GET", "/api/reading")
    volumes = read_everything(page)
    page.browser.ask("GET", "/api/receipt")
    return page, volumes


def secrets_of(study, reader):
    """Return every text that only key or package hold: names, hashes, seeds, salt."""
    package = Package.open(study.package_folder(reader))
    words = dict.fromkeys(package.manifest.volumes, "a case")
    for entry in package.manifest.volumes.values():
        words |= {entry.file: "a file", entry.sha256: "a hash"}
    for case in study.key.cases:
        words[case.voxels_sha256] = "a hash of the key"
        words |= {str(value): name for name, value in case.origin.items() if len(str(value)) > 4}
    for path in (study.folder / "key").rglob("*"):
        words[path.name] = "a file of the key"
        if path.suffix == ".bin":
            words |= {path.read_bytes().hex(): "the salt", path.read_bytes(): "the salt"}
    words[str(study.folder)] = "a folder"
    return words


def test_no_byte_of_the_traffic_is_secret(study, read):
    page, _ = read
    traffic = b"\n".join(page.browser.received)
    secrets = secrets_of(study, "sub-R01")
    assert len(secrets) > 50
    found = {
        what
        for word, what in secrets.items()
        if (word if isinstance(word, bytes) else word.encode()) in traffic
    }
    assert found == set()
    text = b"\n".join(body for body in page.browser.received if b"octet-stream" not in body)
    for word in (b"truth", b"fake", b"zebra", b"seed", b"checkpoint", b"salt"):
        assert word not in text.lower(), word
    # The right answer follows an answer of the practice, and nothing else.
    assert len(re.findall(rb'"expected": ?"', text)) == 2


def test_volumes_of_both_kinds_look_alike_on_the_wire(study, read):
    _, volumes = read
    package = Package.open(study.package_folder("sub-R01"))
    truths = {
        study.key.case("sub-R01", trial.cases[0]).truth
        for trial in package.manifest.trials
        if trial.number in volumes
    }
    alike = {
        (
            reply.status,
            len(reply.body),
            tuple((name, value) for name, value in reply.headers.items() if name != "date"),
        )
        for reply in volumes.values()
    }
    assert truths == {"real", "generated"}
    assert len(volumes) == len(package.manifest.trials)
    assert len(alike) == 1


def test_replies_about_a_case_are_the_same_for_both_kinds(study, port):
    page = started(port, study.folder)
    replies = {}
    while page.state["state"] != "finished":
        trial = page.state["trial"]
        if trial["phase"] == "reading" and page.state["state"] in ("loading", "viewing", "rated"):
            body = without_numbers_and_names(page.send().body)
            case = study.manifest("sub-R01").trials[trial["number"] - 1].cases[0]
            truth = study.key.case("sub-R01", case).truth
            last = page.state["upcoming"] == []
            replies.setdefault((page.state["state"], last), {}).setdefault(truth, set()).add(body)
        page.step("R", 3)
    compared = [by_truth for by_truth in replies.values() if len(by_truth) == 2]
    assert len(compared) == 3
    assert all(by_truth["real"] == by_truth["generated"] for by_truth in compared)


def without_numbers_and_names(body):
    return re.sub(rb'"[\w-]{22}"', b'"name"', re.sub(rb":(\d+|null)", b":0", body))
