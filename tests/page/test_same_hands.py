"""The same hands in the reading window and in the browser lead to the same tables."""

import csv
import io
import json
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from typing import Protocol

import pytest
from gui_events import click, click_at
from page_browser import Reader
from reading_pages import served
from reading_windows import Key, State, go_to, open_window, press
from turing_studies import freeze, protocol

from cowgan.turing.analysis import analyse
from cowgan.turing.derivatives import write_derivatives
from cowgan.turing.design.trials import Rules, Trial
from cowgan.turing.serving.links import new_tokens
from cowgan.turing.study.collection import collect
from cowgan.turing.study.study import Study
from napari_cowgan.reading.view import Frame
from napari_cowgan.reading.window import ReadingWindow

pytestmark = pytest.mark.slow

Voxel = tuple[int, int, int]
SLICES = {"ArrowUp": 1, "ArrowDown": -1, "PageUp": 5, "PageDown": -5}
QT_KEYS = {
    "ArrowUp": Key.Key_Up,
    "ArrowDown": Key.Key_Down,
    "PageUp": Key.Key_PageUp,
    "PageDown": Key.Key_PageDown,
    "Backspace": Key.Key_Backspace,
    "Enter": Key.Key_Return,
}
REASONS = ("Too clean", "Vessel ends or breaks off")

COLUMNS = {"answer_s", "active_s", "total_s", "exposure_s", "median_s", "utc", "finish_code"}
"""Of tables: when and how fast it was read, and the code that follows from the journal's hash."""
OF_SUMMARY = {
    *("utc", "last_seen", "finish_code", "code", "collection_sha256", "journals", "records"),
    *("contexts", "median_s", "lower_quartile_s", "upper_quartile_s"),
    *("right_or_wrong", "pace_trend"),
}
"""Of ``summary.json``: the same, random start codes, the program, and tests of answer times."""
OF_PROGRAM = {"Display and surroundings", "Software"}
"""Items of the checklist that name screen and program."""


class Hands(Protocol):
    """Keys and mouse of somebody who reads in one of the two programs."""

    def go_to_case(self, trial: Trial, place: int) -> None: ...
    def press(self, key: str) -> None: ...
    def click_voxel(self, voxel: Voxel) -> None: ...
    def click_reason(self, reason: str) -> None: ...
    def finish(self) -> None: ...


class DesktopHands:
    def __init__(self, study: Study, reader: str) -> None:
        self.window: ReadingWindow = open_window(study.package_folder(reader))

    def go_to_case(self, trial: Trial, place: int) -> None:
        go_to(self.window, State.VIEWING)

    def press(self, key: str) -> None:
        press(self.window, QT_KEYS.get(key) or Key[f"Key_{key.upper()}"])

    def click_voxel(self, voxel: Voxel) -> None:
        (pane,) = self.window.trial_page.image.panes
        at = place_px(pane.frame, voxel, pane.width(), pane.height())
        click_at(pane.overlay, *map(round, at))

    def click_reason(self, reason: str) -> None:
        click(self.window.trial_page.side.marks.reasons[reason])

    def finish(self) -> None:
        go_to(self.window, State.FINISHED)
        self.window.close()


class BrowserHands:
    def __init__(self, study: Study, reader: Reader) -> None:
        self.reader = reader
        self.frame = Frame(study.manifest(study.readers[0]).display)

    def go_to_case(self, trial: Trial, place: int) -> None:
        name = {"impression": "Image", "practice": "Practice", "reading": "Case"}[trial.phase]
        self.reader.go_to_case(place, name)

    def press(self, key: str) -> None:
        self.reader.press(key)

    def click_voxel(self, voxel: Voxel) -> None:
        box = self.reader.page.locator(".pane").bounding_box()
        at = place_px(self.frame, voxel, box["width"], box["height"])
        self.reader.page.mouse.click(*self.reader.at(*at))

    def click_reason(self, reason: str) -> None:
        self.reader.page.click(f"text={reason}")

    def finish(self) -> None:
        self.reader.go_to("Finished")


def place_px(frame: Frame, voxel: Voxel, width: float, height: float) -> tuple[float, float]:
    """Return where a voxel lies right of and below the middle of an image as it first appears."""
    scale = frame.px_per_mm(frame.start, width, height)
    right, down = frame.on_screen(voxel, frame.start)
    return right * scale, down * scale


def read(hands: Hands, study: Study, reader: str) -> None:
    """Read to the end: what is done depends on reader and trial only."""
    manifest, places = study.manifest(reader), Counter()
    frame = Frame(manifest.display)
    for trial in manifest.trials:
        places[trial.phase] += 1
        hands.go_to_case(trial, places[trial.phase])
        for name, value in gestures(random.Random(f"{reader} {trial.number}"), trial, frame):
            getattr(hands, name)(value)
        hands.press("Enter")
    hands.finish()


def gestures(chance: random.Random, trial: Trial, frame: Frame) -> Iterator[tuple[str, object]]:
    """Look around, answer, sometimes change it, pause, mark and explain."""
    view = frame.start
    for key in chance.choices([*SLICES], k=chance.randrange(5)):
        view = frame.scrolled(view, SLICES[key])
        yield "press", key
    if trial.number % 5 == 2:
        yield from (("press", "m"), ("press", "m"))
    answers = chance.choices("rg", k=chance.choice((1, 1, 2, 3)))
    if trial.phase != "impression":
        for answer in answers:
            yield "press", answer
            if chance.random() < 0.5:
                yield "press", str(chance.randint(1, 5))
    if trial.number % 4 == 1:
        yield from (("press", "p"), ("press", "p"))
    if trial.phase == "reading" and answers[-1] == "g":
        for reason in chance.sample(REASONS, chance.randrange(3)):
            voxel = view.slice, chance.randrange(1, 15), chance.randrange(1, 15)
            yield from (("click_voxel", voxel), ("click_reason", reason))
        if chance.random() < 0.5:
            yield from (("click_voxel", (view.slice, 4, 5)), ("press", "Backspace"))
    yield "press", str(chance.randint(1, 5))


@pytest.fixture(scope="module")
def tables(browser, tmp_path_factory, qapp):
    folder = tmp_path_factory.mktemp("hands")
    # Whether an answer counts as hasty would depend on how fast these hands are.
    rules = Rules(break_trials=4, lapse_s=0.0)
    small = protocol(cases=10, repeats=2, block=2, practice=2, rules=rules)
    desktop = freeze(folder, small, accept_leak="noise")
    in_browser = Study.open(shutil.copytree(desktop.folder, folder / "browser"))
    for reader in desktop.readers:
        read(DesktopHands(desktop, reader), desktop, reader)
    links = new_tokens(in_browser.folder, in_browser.readers)
    with served(in_browser.folder) as port:
        for reader in in_browser.readers:
            with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
                opened = Reader(context, f"http://127.0.0.1:{port}/#{links[reader]}").open()
                read(BrowserHands(in_browser, opened), in_browser, reader)
    return written(desktop), written(in_browser)


def written(study: Study) -> dict[str, str]:
    """Analyse a study, and return what was written, by its name."""
    collect(study, [study.package_folder(reader) for reader in study.readers])
    folder = study.folder / "derivatives"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode()
        for path in write_derivatives(analyse(study))
    }


def without_columns(text: str, delimiter: str, columns: set[str]) -> str:
    """Return a table, byte for byte, but without what is in some columns."""

    def table(rows: list[list[str]]) -> str:
        written = io.StringIO()
        csv.writer(written, delimiter=delimiter, lineterminator="\n").writerows(rows)
        return written.getvalue()

    header, *rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    assert table([header, *rows]) == text
    hidden = [name in columns for name in header]
    rows = [["" if hide else cell for cell, hide in zip(row, hidden, strict=True)] for row in rows]
    return table([header, *rows])


def without_fields(text: str, names: set[str]) -> str:
    """Return JSON, byte for byte, but without what some fields hold."""

    def kept(content: object) -> object:
        if isinstance(content, dict):
            return {n: None if n in names else kept(value) for n, value in content.items()}
        return [*map(kept, content)] if isinstance(content, list) else content

    content = json.loads(text)
    assert json.dumps(content, indent=1) + "\n" == text
    return json.dumps(kept(content))


def what_happened(text: str) -> list[tuple[str, str, object]]:
    """Return the events of a reader without times; how a trial was viewed comes at its end."""
    happened: list[tuple[str, str, object]] = []
    changes, slices = [], set()
    for row in csv.DictReader(io.StringIO(text), delimiter="\t"):
        value = {} if row["value"] == "n/a" else json.loads(row["value"])
        if row["trial_type"] == "interaction":
            # Written every two seconds, and when a trial ends.
            changes += [change[1:] for change in value.get("changes", ())]
            slices |= value.get("slice_ms", {}).keys()
            continue
        if row["trial_type"] == "commit":
            happened.append((row["trial"], "viewed", (changes, slices)))
            changes, slices = [], set()
        if row["trial_type"] == "start":
            value = {}
        data = {name: of for name, of in value.items() if not name.endswith("_ms")}
        happened.append((row["trial"], row["trial_type"], data))
    return happened


def test_tables_are_the_same_but_for_times_and_programs(tables):
    desktop, browser = tables
    assert desktop.keys() == browser.keys()
    for name, text in desktop.items():
        both = text, browser[name]
        match name.rpartition("_")[2]:
            case "events.tsv":
                first, second = map(what_happened, both)
            case "checklist.csv":
                first, second = (
                    [row for row in csv.reader(io.StringIO(of)) if row[1] not in OF_PROGRAM]
                    for of in both
                )
            case "summary.json":
                first, second = (without_fields(of, OF_SUMMARY) for of in both)
            case table if table.endswith((".csv", ".tsv")):
                delimiter = "," if table.endswith(".csv") else "\t"
                first, second = (without_columns(of, delimiter, COLUMNS) for of in both)
            case _:
                first, second = both
        assert first == second, name


def test_these_hands_did_all_that_readers_do(tables):
    _, browser = tables
    rows = [*csv.DictReader(io.StringIO(browser["trials.csv"]))]
    assert {row["answer"] for row in rows} == {"", "R", "G"}
    assert {row["level"] for row in rows} == set("12345")
    assert {row["marks"] for row in rows} == set("012")
    assert {row["answers_given"] for row in rows} == set("0123")
    assert len({row["seen"] for row in rows}) > 3
    events = browser["sub-R01/beh/sub-R01_task-vtt_events.tsv"]
    assert {"viewed", "pause", "mark", "unmark"} <= {kind for _, kind, _ in what_happened(events)}
