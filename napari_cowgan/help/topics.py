"""The pages of the documentation that panels and windows open, which lie in the package."""

from enum import StrEnum
from pathlib import Path

from cowgan.errors import CowganError

PAGES = Path(__file__).with_name("pages")
"""Where `make docs` puts the pages, and packages hold them."""


class Topic(StrEnum):
    """What there is help on; each value is the name of a page below ``docs``."""

    HOME = "index"
    EXPLORER = "panels/explorer"
    DATA = "panels/data"
    TRAINING = "panels/training"
    STUDY = "panels/turing-study"
    NEW_STUDY = "panels/new-study"
    LEGEND = "panels/artery-legend"
    THREE_PLANES = "panels/three-planes"
    READING = "panels/reading"


def page_of(topic: Topic) -> Path:
    """Return the page on a topic.

    Raises
    ------
    CowganError
        The program lies in a checkout without built pages, or was installed from one.
    """
    page = PAGES / f"{topic}.html"
    if not page.is_file():
        raise CowganError(
            "This copy of the program holds no documentation pages: run “make docs” in the "
            f"checkout that it comes from, or read docs/{topic}.md there.",
            f"{page} is missing",
        )
    return page
