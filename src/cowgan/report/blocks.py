"""The building blocks of a report, independent of its format."""

import re
from dataclasses import dataclass, replace
from typing import Any

from cowgan.text import escaped


@dataclass(frozen=True)
class Heading:
    """Title of a section."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True)
class Box:
    """A highlighted notice.

    Parameters
    ----------
    title : str
        In few words.
    sentences : tuple of str
        In full.
    cautions : tuple of str
        What qualifies it, set apart.
    """

    title: str
    sentences: tuple[str, ...]
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A square picture.

    Parameters
    ----------
    png : bytes
        The file.
    alt : str
        What it shows, for those who do not see it.
    large : bool
        Whether it fills its column rather than being a thumbnail.
    """

    png: bytes
    alt: str
    large: bool = False


Cell = str | Picture


@dataclass(frozen=True)
class Table:
    """Rows under a header.

    Parameters
    ----------
    caption : str
        Its content.
    header : tuple of str
        Of the columns.
    rows : tuple of tuple of str or Picture
        All as long as the header.
    widths : tuple of float
        Of the columns, as shares of any sum.
    text_columns : int
        Columns from the left that hold text; those after hold numbers and are centred.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...]
    text_columns: int = 1


@dataclass(frozen=True)
class Drawing:
    """A picture of lines.

    Parameters
    ----------
    svg : str
        The ``svg`` element.
    width_mm, height_mm : float
        Size in print.
    halves : bool
        Whether it consists of two parts side by side, which a narrow screen shows in turn.
    """

    svg: str
    width_mm: float
    height_mm: float
    halves: bool = False


@dataclass(frozen=True)
class Figure:
    """A drawing with its caption.

    Parameters
    ----------
    drawing : Drawing
        The picture.
    caption : str
        What it shows and how to read it.
    alt : str
        What it shows, for those who do not see it.
    """

    drawing: Drawing
    caption: str
    alt: str


Block = Heading | Paragraph | Box | Table | Figure


@dataclass(frozen=True)
class Report:
    """A document.

    Parameters
    ----------
    title, subtitle : str
        On top.
    blocks : tuple of Block
        In order; captions are numbered when it is printed.
    """

    title: str
    subtitle: str
    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        # Reasons, notes and names of models come from files.
        object.__setattr__(self, "blocks", _visible(self.blocks))


def _visible(part: Any) -> Any:
    """Return a part of a report without characters that cannot be seen."""
    if isinstance(part, str):
        return escaped(part, keep="\n")
    if isinstance(part, tuple):
        return tuple(map(_visible, part))
    if isinstance(part, Block | Picture):
        return replace(part, **{name: _visible(of) for name, of in vars(part).items()})
    return part


def unbroken(text: str) -> str:
    """Return text in which no line ends between a number and its sign."""
    return re.sub(r"(?<=\d) (?=%)|(?<=\bp) (?=[=<])|(?<=[=<]) (?=\d)", "\u00a0", text)
