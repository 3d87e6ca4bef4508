"""A browser shared by the tests of the page."""

from collections.abc import Iterator

import page_browser
import pytest
from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with page_browser.browser() as started:
        yield started


@pytest.fixture(scope="module")
def modules(browser: Browser) -> Iterator[Page]:
    """A page where the page's modules can be imported."""
    with browser.new_context() as context:
        yield page_browser.open_modules(context)
