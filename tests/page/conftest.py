"""A browser and studies shared by the tests of the page."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import page_browser
import pytest
from page_browser import READER, Reader
from playwright.sync_api import Browser, Page
from reading_pages import served
from turing_studies import freeze, protocol

from cowgan.turing.design.trials import Rules
from cowgan.turing.serving.links import new_tokens
from cowgan.turing.study.study import Study


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with page_browser.browser() as started:
        yield started


@pytest.fixture(scope="module")
def modules(browser: Browser) -> Iterator[Page]:
    """A page where the page's modules can be imported."""
    with browser.new_context() as context:
        yield page_browser.open_modules(context)


@pytest.fixture(scope="session")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Study]:
    """Make, once, a "short" study of ten cases, or a "long" one with all phases."""

    @cache
    def make(kind: str) -> Study:
        phases = {"impressions": 2, "practice": 2} if kind == "long" else {}
        small = {
            "readers": 3,
            "cases": 10,
            "repeats": 0,
            "block": 2,
            "practice": 0,
            "impressions": 0,
        }
        chosen = protocol(**(small | phases), rules=Rules(break_trials=4))
        return freeze(tmp_path_factory.mktemp(kind), chosen, accept_leak="noise")

    return make


@pytest.fixture
def study(frozen: Callable[[str], Study], tmp_path: Path, request: pytest.FixtureRequest) -> Study:
    original = frozen(getattr(request, "param", "short"))
    return Study.open(shutil.copytree(original.folder, tmp_path / "study"))


@pytest.fixture
def port(study: Study) -> Iterator[int]:
    with served(study.folder) as port:
        yield port


@pytest.fixture
def open_reader(browser: Browser, study: Study, port: int) -> Iterator[Callable[..., Reader]]:
    """Open the link of a reader in a browser of their own; nothing may be complained about."""
    with ExitStack() as stack:
        opened = []

        def open_one(reader: str = READER, **options: object) -> Reader:
            options.setdefault("viewport", {"width": 1280, "height": 800})
            context = stack.enter_context(browser.new_context(**options))
            token = new_tokens(study.folder, [reader])[reader]
            opened.append(Reader(context, f"http://127.0.0.1:{port}/#{token}").open())
            return opened[-1]

        yield open_one
        for one in opened:
            assert one.complaints == []
