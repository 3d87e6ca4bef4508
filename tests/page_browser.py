"""A real browser for tests of the page for reading, and a reader in it."""

import base64
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

import cowgan
from cowgan.turing.reading.package import JOURNAL_FILE
from cowgan.turing.reading.records import Record, read_journal
from cowgan.turing.study.study import Study

READER = "sub-R01"
PAGE_FOLDER = Path(cowgan.__file__).parent / "turing" / "serving" / "page"
_LONGEST_S = 90
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}


@contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium; without one, tests are skipped, but not where everything must be tested."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        if "CI" in os.environ:
            pytest.fail("Install Chromium, as .ci/setup.sh does.")
        pytest.skip("There is no Chromium to read in; .ci/setup.sh installs it.")
    # Containers seldom allow the sandbox, and the only page opened is ours.
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()


def open_modules(context: BrowserContext) -> Page:
    """Return an empty page at an address where the page's modules can be imported."""

    def serve(route: Any) -> None:
        name = route.request.url.rpartition("/")[2]
        if not name:
            route.fulfill(body="<!doctype html>", content_type="text/html")
        else:
            file = PAGE_FOLDER / name
            route.fulfill(body=file.read_bytes(), content_type=_TYPES[file.suffix])

    page = context.new_page()
    page.route("http://modules.test/**", serve)
    page.goto("http://modules.test/")
    return page


def as_base64(voxels: NDArray[np.uint16]) -> str:
    return base64.b64encode(voxels.astype("<u2").tobytes()).decode()


class Reader:
    """Somebody who reads in a browser: only keys, mouse and what is on the screen.

    Parameters
    ----------
    context : BrowserContext
        The browser, with its cookies.
    link : str
        Personal link.
    """

    def __init__(self, context: BrowserContext, link: str) -> None:
        self.context = context
        self.link = link
        self.page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._note)

    def open(self) -> "Reader":
        self.page.goto(self.link)
        return self

    def _note(self, message: Any) -> None:
        # A request that fails is part of some tests; what the policy forbids is not.
        if "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def look(self) -> "Look":
        """Look at the screen once."""
        return Look(
            *self.page.evaluate(
                """() => {
                const found = (id) => document.getElementById(id);
                const can = (id) =>
                    document.querySelector(`#${id} button:enabled`) && found(id).checkVisibility();
                const chosen = (id) => document.querySelector(`#${id} [aria-pressed=true]`);
                if (!found("page").hidden) return [found("title").textContent, "page", ""];
                let stage = found("next").disabled ? "wait" : "next";
                if (can("levels") && !chosen("levels")) stage = "level";
                if (can("choices") && !chosen("choices")) stage = "answer";
                return [null, stage, found("progress").textContent];
            }"""
            )
        )

    @property
    def title(self) -> str | None:
        return self.look().title

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def step(self, seen: "Look", answer: str = "g", level: str = "3") -> None:
        """Do what comes next, with the keyboard."""
        match seen.stage:
            case "answer":
                self.press(answer)
            case "level":
                self.press(level)
            case "page" if seen.title == "Taking part":
                # Enter counts only after a moment, a click at once.
                self.page.click("#buttons button.main")
            case "next" | "page" if seen.title != "One moment":
                self.press("Enter")
            case _:
                self.page.wait_for_timeout(10)

    def go_to(self, title: str) -> "Reader":
        """Go on to a page of text."""
        return self._go_on(title, lambda seen: (seen.title or "").startswith(title))

    def go_to_case(self, number: int, name: str = "Case") -> "Reader":
        """Go on until a case can be answered."""

        def arrived(seen: Look) -> bool:
            answerable = seen.stage in ("answer", "level")
            return answerable and seen.progress.startswith(f"{name} {number} ")

        return self._go_on(f"{name} {number}", arrived)

    def wait_for_title(self, title: str, sent: bool = True) -> None:
        """Wait for a page of text, and until the server has everything, if it is to be sent."""
        self.page.locator("#title", has_text=title).wait_for()
        end = time.monotonic() + _LONGEST_S
        while sent and self.page.evaluate("() => localStorage.length") > 0:
            assert time.monotonic() < end, "the server did not get everything"
            self.page.wait_for_timeout(10)

    def wait_for_volumes(self, count: int) -> None:
        """Wait until the page has received so many volumes."""
        received = """() => performance.getEntriesByType("resource")
            .filter((one) => one.name.includes("/api/volumes/")).length"""
        # The page's policy forbids what `wait_for_function` does.
        end = time.monotonic() + _LONGEST_S
        while self.page.evaluate(received) < count:
            assert time.monotonic() < end, "the volumes did not come"
            self.page.wait_for_timeout(10)

    @property
    def caption(self) -> str:
        return self.page.inner_text(".caption")

    def at(self, right: float, down: float) -> tuple[float, float]:
        """Return a position on the screen, in px from the centre of the image."""
        box = self.page.locator(".pane").first.bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2 + right, box["y"] + box["height"] / 2 + down

    def drag(self, right: float, down: float, button: str = "left") -> None:
        mouse = self.page.mouse
        mouse.move(*self.at(0, 0))
        mouse.down(button=button)
        mouse.move(*self.at(right, down), steps=4)
        mouse.up(button=button)

    def picture(self) -> NDArray[np.uint8]:
        """Return what is on the canvas, shape (row, column)."""
        url = self.page.evaluate("() => document.querySelector('.pane canvas').toDataURL()")
        with Image.open(BytesIO(base64.b64decode(url.partition(",")[2]))) as image:
            return np.asarray(image.convert("L"))

    @property
    def sees_image(self) -> bool:
        return self.page.locator(".pane:not(.blank) canvas").first.is_visible() and bool(
            self.picture().any()
        )

    def _go_on(self, what: str, arrived: Callable[["Look"], bool]) -> "Reader":
        end = time.monotonic() + _LONGEST_S
        while not arrived(seen := self.look()):
            assert time.monotonic() < end, f"{what!r} did not come, but {seen}"
            self.step(seen)
        return self


@dataclass(frozen=True)
class Look:
    """What a reader sees at one moment.

    Parameters
    ----------
    title : str or None
        Title of a page of text; None while a trial is shown.
    stage : {"page", "answer", "level", "next", "wait"}
        What is due.
    progress : str
        Such as ``"Case 2 of 10"``, beside the image.
    """

    title: str | None
    stage: str
    progress: str


def records(study: Study, reader: str = READER) -> list[Record]:
    return read_journal(study.package_folder(reader) / JOURNAL_FILE)


def commits(study: Study, reader: str = READER) -> list[dict]:
    return [dict(record.data) for record in records(study, reader) if record.kind == "commit"]
