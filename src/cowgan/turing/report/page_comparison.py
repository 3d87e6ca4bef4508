"""Whether a report in HTML is the one that a study gives, whoever hands it over."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from itertools import zip_longest

_DATE = re.compile(r"(?<=Report of )\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC")
_DRAWING, _DRAWING_END = "<svg", "</svg>"
_LABEL = re.compile(r'<svg role="img" aria-label="[^"<>]*"')
_IMAGE = re.compile(r'(?<=<img src="data:image/png;base64,)[A-Za-z0-9+/=]*(?=")')
_NUMBERING = re.compile(r"\bd\d+_")
_COMMENT = re.compile("<!-- [^<>]* -->")
# From the first letter of a name only, so that it takes no longer than the text is long.
_ATTRIBUTE = re.compile(r'(?<![\w:-])([\w:-]+)="([^"<>]*)"')
_LONGEST_NAME = 30
"""Of an element: with longer ones, a hostile page would take for ever."""

_SHOWN = 80


@dataclass(frozen=True)
class PageComparison:
    """Difference between a page and the one computed anew.

    Parameters
    ----------
    differs : bool
        Whether any word or markup does.
    says, instead_of : str
        Visible text at the first difference.
    foreign : bool
        Whether a drawing holds what none of those computed holds, such as text or a script.
    pictures : int
        How many drawings and pictures differ, which another version of matplotlib can make.
    """

    differs: bool
    says: str
    instead_of: str
    foreign: bool
    pictures: int


def compare_pages(said: str, computed: str) -> PageComparison:
    """Compare all of two pages but the time at which they were made.

    Parameters
    ----------
    said : str
        HTML of any origin.
    computed : str
        What `cowgan.report.html.html_of` returns.
    """
    theirs, ours = _Page(said), _Page(computed)
    words = [
        (_readable(says), _readable(other)) for says, other in _differing(theirs.parts, ours.parts)
    ]
    says, instead_of = next((pair for pair in words if pair[0] != pair[1]), ("", ""))
    drawings = [drawing for drawing, _ in _differing(theirs.drawings, ours.drawings)]
    images = list(_differing(theirs.images, ours.images))
    return PageComparison(
        bool(words),
        says,
        instead_of,
        not _vocabulary(drawings) <= _vocabulary(ours.drawings),
        len(drawings) + len(images),
    )


class _Page:
    """Tags and texts in order, and what is drawn between them."""

    def __init__(self, page: str) -> None:
        self.parts: list[str] = []
        self.drawings: list[str] = []
        self.images: list[str] = []
        place = 0
        while place < len(page):
            if page.startswith(_DRAWING, place):
                end = _end(page, _DRAWING_END, place)
                self._add_drawing(page[place:end])
            else:
                tag = page[place] == "<"
                end = _end(page, ">", place) if tag else _before(page, "<", place)
                self._add(page[place:end])
            place = end

    def _add_drawing(self, drawing: str) -> None:
        label = _LABEL.match(drawing)
        self.parts.append(label[0] if label else drawing)
        self.drawings.append(_NUMBERING.sub("", drawing[len(self.parts[-1]) :]))

    def _add(self, part: str) -> None:
        self.images += _IMAGE.findall(part)
        self.parts.append(_DATE.sub("", _IMAGE.sub("", part)))


def _differing(theirs: Iterable[str], ours: Iterable[str]) -> Iterator[tuple[str, str]]:
    for pair in zip_longest(theirs, ours, fillvalue=""):
        if pair[0] != pair[1]:
            yield pair


def _vocabulary(drawings: Iterable[str]) -> set[str]:
    """Return what drawings consist of, but for numbers: elements, attributes and texts."""
    return {word for drawing in drawings for word in _words(drawing)}


def _words(drawing: str) -> Iterator[str]:
    place = 0
    while place < len(drawing):
        tag = drawing[place] == "<"
        end = _end(drawing, ">", place) if tag else _before(drawing, "<", place)
        part = drawing[place:end]
        place = end
        if _COMMENT.fullmatch(part) or not part.strip():
            continue
        rest = " ".join(_ATTRIBUTE.sub("", part).split())
        yield rest
        element = rest[:_LONGEST_NAME]
        for name, value in _ATTRIBUTE.findall(part):
            # A link may lead to another place in the drawing, and nowhere else.
            yield f"{element} {name} {value[:1] if name.endswith('href') else ''}"


def _end(text: str, of: str, start: int) -> int:
    found = text.find(of, start)
    return len(text) if found < 0 else found + len(of)


def _before(text: str, of: str, start: int) -> int:
    found = text.find(of, start)
    return len(text) if found < 0 else found


def _readable(part: str) -> str:
    text = " ".join(unescape(part).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
