"""Figures drawn by matplotlib, as SVG with text as outlines."""

import re
from collections.abc import Callable
from importlib.util import find_spec
from io import StringIO
from itertools import count
from typing import TYPE_CHECKING, Any

from cowgan.errors import CowganError
from cowgan.report.blocks import Drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INCH_MM = 25.4
WIDTH_IN = 7.0

REAL, GENERATED = "#0072b2", "#d55e00"
"""Blue and vermilion of Okabe and Ito's palette, distinct for all kinds of colour vision."""

READER_COLOURS = (
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#8c564b",
    "#6a3d9a",
    "#7f7f7f",
    "#9a9a00",
)
"""None of those of the two kinds."""

READER_MARKERS = "osD^vP*X"
BAND, INK, FAINT = "#e8e8e8", "#222222", "#b0b0b0"

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    # Black would be left to the document around it.
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "lines.linewidth": 1.2,
    # Reasons and names are text: a dollar sign is one.
    "text.parse_math": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "cowgan",
}
_PREFIX = count(1)


def draw(
    paint: Callable[["Figure"], None],
    height_in: float,
    width_in: float = WIDTH_IN,
    halves: bool = False,
) -> Drawing:
    """Return what `paint` puts on a figure; `halves` if two parts of it stand side by side.

    Raises
    ------
    CowganError
        See `require_libraries`.
    """
    require_libraries()
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        FigureCanvasSVG(figure)
        paint(figure)
        text = StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(text, format="svg", metadata=nothing)
    svg = text.getvalue()
    # Several drawings stand on one page, so their names must differ.
    prefix = f"d{next(_PREFIX)}_"
    svg = re.sub(r'\bid="', f'id="{prefix}', svg[svg.index("<svg") :])
    svg = re.sub(r'(href="#|url\(#)', rf"\1{prefix}", svg)
    return Drawing(svg, width_in * INCH_MM, height_in * INCH_MM, halves)


def require_libraries() -> None:
    """Raise `CowganError` unless what draws figures and writes PDF is installed."""
    if not (find_spec("matplotlib") and find_spec("fpdf")):
        raise CowganError(
            'The report needs matplotlib and fpdf2: pip install "napari-cowgan[report]".'
        )


def reader_style(number: int) -> tuple[str, str]:
    """Return colour and marker of a reader."""
    colours = len(READER_COLOURS)
    return READER_COLOURS[number % colours], READER_MARKERS[(number + number // colours) % 8]


def label_panels(axes: list["Axes"], titles: list[str]) -> None:
    """Name the parts of a figure (a), (b) and so on; a single one needs no letter."""
    for letter, one, title in zip("abcdef", axes, titles, strict=False):
        one.set_title(f"({letter}) {title}" if len(axes) > 1 else title)
