"""The same answers give the same tables, in the desktop window and in the browser."""

import csv
import io
import itertools
import json
import shutil
from unittest.mock import patch

import numpy as np
import pytest
from reading_pages import FIRST_MS, SCREEN, served, started
from turing_studies import freeze, protocol

from cowgan.turing.analysis import analyse
from cowgan.turing.derivatives import derivatives_of
from cowgan.turing.reading.marking import Marking
from cowgan.turing.reading.session import Session
from cowgan.turing.reading.snapshot import State
from cowgan.turing.study.collection import collect
from cowgan.turing.study.study import Study

OF_THE_PROGRAM = {"utc", "last_seen", "finish_code", "collection_sha256", "journals", "contexts"}
"""What depends on when it was, and on what program wrote the journal."""


def script(reader):
    """Yield what a reader does in a trial: actions with their details."""
    random = np.random.default_rng([*reader.encode()])
    for number in itertools.count():
        answer = "RG"[int(random.integers(2))]
        acts = [("answer", {"answer": answer}), ("level", {"level": int(random.integers(1, 6))})]
        if number % 3 == 0:
            acts.insert(1, ("answer", {"answer": "GR"["RG".index(answer)]}))
        if number % 4 == 1:
            acts += [("pause", {"reason": "key"}), ("unpause", {})]
        if number % 5 == 2:
            acts += [("mark", {"voxel": [1, 2, 3], "volume": 0})]
            acts += [("toggle_reason", {"reason": "Too clean"})]
            acts += [("mark", {"voxel": [4, 5, 6], "volume": 0}), ("undo_mark", {})]
        viewed = {"slice_ms": {"4": 900 + number}, "mip_ms": 0, "changes": [[5, "slice", 4]]}
        yield [*acts, ("viewed", viewed), ("commit", {"seen": 0.5})]


class Desktop:
    """A session, used as the reading window does, with the clock of a page."""

    def __init__(self, study, reader):
        self.package = study.package(reader)
        self.journal = self.package.journal()
        self.at_ms = FIRST_MS
        self.session = Session(
            self.package.manifest.course,
            self.journal,
            {"screen": SCREEN},
            lambda: round(self.at_ms * 1e6),
        )

    @property
    def state(self):
        return str(self.session.state)

    @property
    def phase(self):
        return self.session.trial.phase

    def can_mark(self):
        return Marking(self.session).allowed

    def act(self, kind, **data):
        self.at_ms += 1000
        session, marking = self.session, Marking(self.session)
        match kind:
            case "answer":
                marking.answer(**data)
            case "mark":
                marking.add(tuple(data["voxel"]), session.trial.cases[data["volume"]])
            case "undo_mark":
                marking.undo()
            case "toggle_reason":
                marking.toggle_reason(**data)
            case "viewed":
                session.interaction(**data)
            case "shown":
                session.shown()
                session.interaction(**data)
            case _:
                getattr(session, kind)(**data)
        if kind == "commit":
            session.wait()

    def close(self):
        self.journal.close()


class InBrowser:
    def __init__(self, study, reader, port):
        self.page = started(port, study.folder, reader)

    @property
    def state(self):
        return self.page.state["state"]

    @property
    def phase(self):
        return self.page.state["trial"]["phase"]

    def can_mark(self):
        return self.page.state["can_mark"]

    def act(self, kind, **data):
        self.page.act(kind, **data)


def read(reading, reader):
    between = {
        "instructions": ("understood", {}),
        "consent": ("consent", {"given": True}),
        "ready": ("proceed", {}),
        "feedback": ("proceed", {}),
        "break": ("proceed", {}),
        "loading": ("shown", {"canvas_px": [900, 900]}),
    }
    acts = script(reader)
    while reading.state != State.FINISHED:
        if reading.state in between:
            kind, data = between[reading.state]
            reading.act(kind, **data)
            continue
        impression = reading.phase == "impression"
        for kind, data in next(acts):
            if kind == "answer" and impression:
                continue
            if kind in ("mark", "toggle_reason", "undo_mark") and not reading.can_mark():
                continue
            reading.act(kind, **data)


def tables(study):
    collect(study, [study.package_folder(reader) for reader in study.readers])
    return derivatives_of(analyse(study, by="somebody"))


def compared(name, text):
    """Return a table without what differs between programs and days."""
    if not name.endswith((".csv", ".tsv")):
        return text
    rows = list(csv.DictReader(io.StringIO(text), delimiter="," if name.endswith("csv") else "\t"))
    return [
        {column: value for column, value in row.items() if column not in OF_THE_PROGRAM}
        for row in rows
        if row.get("trial_type") != "start"
    ]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("same")
    desktop = freeze(folder, protocol(cases=20, repeats=4))
    shutil.copytree(desktop.folder, folder / "browser")
    browser = Study.open(folder / "browser")
    with patch("cowgan.turing.reading.session.new_code", lambda: "0000-0000-0000-0000"):
        for reader in desktop.readers:
            reading = Desktop(desktop, reader)
            read(reading, reader)
            reading.close()
        with served(browser.folder) as port:
            for reader in browser.readers:
                read(InBrowser(browser, reader, port), reader)
    return tables(desktop), tables(browser)


def test_tables_are_the_same(both):
    desktop, browser = both
    assert desktop.keys() == browser.keys()
    for name in desktop:
        if name not in ("summary.json", "checklist.csv"):
            assert compared(name, desktop[name]) == compared(name, browser[name]), name
    assert "Too clean" in browser["trials.csv"]


def test_tables_without_times_of_day_are_the_same_byte_for_byte(both):
    desktop, browser = both
    same = [name for name in desktop if name.endswith((".imrmc", ".R", ".json"))]
    same = [name for name in same if name != "summary.json"]
    assert "study.imrmc" in same
    assert "cases.csv" in desktop
    for name in (*same, "cases.csv"):
        assert desktop[name] == browser[name], name


def test_numbers_of_the_report_are_the_same(both):
    numbers = [without_programs(json.loads(tables_of["summary.json"])) for tables_of in both]
    assert numbers[0] == numbers[1]


def without_programs(content):
    if isinstance(content, dict):
        return {
            name: without_programs(value)
            for name, value in content.items()
            if name not in OF_THE_PROGRAM
        }
    return [*map(without_programs, content)] if isinstance(content, list) else content
