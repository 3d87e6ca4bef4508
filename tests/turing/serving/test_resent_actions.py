"""Answers that are sent again, and servers that die, lose and double nothing."""

import os
import random
import threading
import time
from itertools import count

import pytest
from reading_pages import Page, free_port, served, start_server, started
from turing_studies import freeze, protocol

from cowgan.turing.reading.records import read_journal
from cowgan.turing.study.collection import collect, reader_progress

posix = pytest.mark.skipif(os.name == "nt", reason="kills processes, and breaks the disk")


def commits(study, reader="sub-R01"):
    records = read_journal(study.package_folder(reader) / "journal.jsonl")
    return [record for record in records if record.kind == "commit"]


def test_an_action_sent_again_is_done_once(study, port):
    page = started(port, study.folder)
    page.go_to("rated")
    commit = page.action("commit", seen=1.0)
    first, again = page.send(commit), page.send(commit)
    assert first.json["results"][0]["result"] == "done"
    assert again.json["results"][0]["result"] == "known"
    assert len(commits(study)) == 1


def test_an_action_is_known_to_the_next_server(study):
    with served(study.folder) as port:
        page = started(port, study.folder)
        page.go_to("rated")
        commit = page.action("commit", seen=1.0)
        page.send(commit)
    with served(study.folder) as page.browser.port:
        again = page.send(commit)
        assert again.json["results"][0]["result"] == "known"
        assert len(commits(study)) == 1
        while page.state["state"] != "finished":
            page.step()
    collect(study, [study.package_folder("sub-R01")])
    assert reader_progress(study, "sub-R01").state == "finished"


def test_what_changes_nothing_is_known_too(study, port):
    page = started(port, study.folder)
    while page.state["trial"]["phase"] != "reading":
        page.step()
    page.go_to("viewing")
    page.act("answer", answer="R")
    same = page.action("answer", answer="R")
    page.send(same)
    page.act("answer", answer="G")
    assert page.send(same).json["results"][0]["result"] == "known"
    assert page.state["answer"] == "G"


def test_an_open_case_goes_on_after_the_server_was_started_again(study):
    with served(study.folder) as port:
        page = started(port, study.folder)
        page.go_to("rated")
    with served(study.folder) as page.browser.port:
        page.act("commit", seen=1.0)
    assert not commits(study)[0].data["restarted"]


def test_a_reloaded_page_shows_the_open_case_again(study, port):
    page = started(port, study.folder)
    page.go_to("rated")
    reloaded = Page(page.browser)
    assert reloaded.start().code == "elsewhere"
    assert reloaded.start(take_over=True).status == 200
    assert reloaded.state["state"] == "ready"
    assert reloaded.state["restarted"]
    assert reloaded.state["returned"]
    assert page.send().code == "superseded"
    reloaded.go_to("rated")
    reloaded.step()
    assert commits(study)[0].data["exposure_ms"] == 1000


def test_a_closed_page_keeps_no_other_from_starting(study, port):
    page = started(port, study.folder)
    page.act("stop")
    assert Page(page.browser).start().status == 200


def test_an_answer_left_by_a_reloaded_page_counts(study, port):
    page = started(port, study.folder)
    page.go_to("rated")
    left = page.action("commit", seen=1.0)
    # The next page of the tab sends it under the old name, and only then starts.
    assert page.send(left).status == 200
    assert Page(page.browser).start(take_over=True).status == 200
    assert len(commits(study)) == 1


def test_a_full_disk_is_told_and_nothing_is_lost(study, port, monkeypatch):
    page = started(port, study.folder)
    page.go_to("rated")
    sync, full = os.fsync, threading.Event()

    def fsync(descriptor):
        if full.is_set():
            raise OSError(28, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    commit = page.action("commit", seen=1.0)
    full.set()
    refused = [page.send(commit), page.send(commit)]
    full.clear()
    saved = page.send(commit)
    assert [(reply.status, reply.code) for reply in refused] == [(507, "disk")] * 2
    assert refused[0].json["error"]["retry_after_s"] > 0
    assert str(study.folder) not in refused[0].body.decode()
    assert saved.json["results"][0]["result"] == "known"
    assert len(commits(study)) == 1


def test_a_missing_disk_is_told(study, port):
    page = started(port, study.folder)
    page.go_to("rated")
    commit = page.action("commit", seen=1.0)
    packages = study.folder / "packages"
    away = packages.rename(study.folder / "away")
    assert page.send(commit).code == "disk"
    away.rename(packages)
    assert page.send(commit).json["results"][0]["result"] == "done"
    assert len(commits(study)) == 1


def read_on(page, saved, kill_before):
    """Read to the end, and let the server be killed around some of the steps."""
    chance = random.Random(0)
    for number in count():
        before = page.state
        if before["state"] == "finished":
            return
        if number in kill_before:
            kill_before[number].set()
        page.step(chance.choice("RG"), chance.randint(1, 5))
        if before["state"] == "rated":
            saved.append((before["trial"]["number"], before["answer"], before["level"]))


def kill_repeatedly(study, kills):
    """Kill the server while a page sends answers, and start it again."""
    chance, port = random.Random(kills), free_port()
    steps = 3 * len(study.manifest("sub-R01").trials)
    kill_before = {step: threading.Event() for step in sorted(chance.sample(range(steps), kills))}
    server = start_server(study.folder, port)
    try:
        saved = []
        page = started(port, study.folder)
        reading = threading.Thread(target=read_on, args=(page, saved, kill_before), daemon=True)
        reading.start()
        for due in kill_before.values():
            due.wait()
            # Before the step arrives, while it is being done, or after it.
            time.sleep(chance.uniform(0, 0.01))
            server.kill()
            server.wait()
            server = start_server(study.folder, port)
        reading.join()
    finally:
        server.kill()
        server.wait()
    found = [(one.trial, one.data["answer"], one.data["level"]) for one in commits(study)]
    assert found == saved, "an answer was lost, doubled or changed"
    assert [trial for trial, _, _ in found] == list(range(1, len(found) + 1))
    collect(study, [study.package_folder("sub-R01")])
    assert reader_progress(study, "sub-R01").finish_code == page.state["finish_code"]


@posix
def test_killed_servers_lose_and_double_no_answer(study):
    kill_repeatedly(study, 3)


@posix
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_fifty_kills_lose_and_double_no_answer(tmp_path):
    kill_repeatedly(freeze(tmp_path, protocol(cases=60, repeats=0)), 50)
