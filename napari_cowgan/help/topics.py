"""The bundled documentation pages that panels and windows open."""

from enum import StrEnum
from pathlib import Path

from cowgan.errors import CowganError

PAGES = Path(__file__).with_name("pages")
"""Folder of the pages, written by `make docs` and included in packages."""


class Topic(StrEnum):
    """A topic with a help page; each value is the name of a page below ``docs``."""

    HOME = "index"
    EXPLORER = "panels/explorer"
    DATA = "panels/data"
    SEGMENTATION = "panels/segmentation"
    TRAINING = "panels/training"
    EVALUATION = "panels/evaluation"
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
        The pages have not been built in the checkout that this copy comes from.
    """
    page = PAGES / f"{topic}.html"
    if not page.is_file():
        raise CowganError(
            "This copy of the program has no documentation pages; run “make docs” in its "
            f"checkout, or read docs/{topic}.md there.",
            f"{page} is missing",
        )
    return page
