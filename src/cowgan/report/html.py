"""The report as one HTML file that needs nothing else."""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from itertools import count

from cowgan.report.blocks import (
    Block,
    Box,
    Cell,
    Figure,
    Heading,
    Paragraph,
    Picture,
    Report,
    Table,
    unbroken,
)
from cowgan.report.drawing import INCH_MM
from cowgan.text import markup

_PX_PER_INCH = 110
_PANORAMA_PX = 600
"""Drawings without halves that are wider than this keep a least width, and scroll."""

_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #1c1c1c; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .6rem; padding-top: .6rem; border-top: 1px solid #ddd; }
p { max-width: 46rem; margin: .6rem 0; }
.subtitle { color: #555; margin: .2rem 0 1.2rem; }
nav { font-size: .9rem; line-height: 1.9; margin: 1.2rem 0; }
nav a { color: #0b5394; margin-right: .9rem; white-space: nowrap; }
.box { border: 1px solid #333; border-left-width: .5rem; border-radius: .3rem;
  padding: .8rem 1.1rem; margin: 1rem 0; }
.box h2 { border: 0; margin: 0 0 .3rem; padding: 0; font-size: 1.35rem; }
.box p { margin: .3rem 0; max-width: none; }
.box .caution { border-top: 1px solid #ccc; padding-top: .4rem; margin-top: .6rem; }
figure { margin: 1.2rem 0; }
.scroll { overflow-x: auto; }
.drawing svg { display: block; width: 100%; height: auto; }
figcaption, caption { font-size: .88rem; color: #444; text-align: left; max-width: 46rem; }
figcaption { margin-top: .4rem; }
caption { caption-side: top; padding-bottom: .4rem; max-width: min(46rem, calc(100vw - 2rem)); }
table { border-collapse: collapse; width: 100%; margin: 1.2rem 0; font-size: .86rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .5rem; border-bottom: 1px solid #ddd; text-align: center;
  vertical-align: middle; }
th { border-bottom: 1.5px solid #333; vertical-align: bottom; }
th.text, td.text { text-align: left; }
td.text + td.text { overflow-wrap: anywhere; }
td img { display: block; width: 96px; height: 96px; background: #000; }
td img.large { width: 100%; max-width: 18rem; height: auto; }
@media screen and (max-width: 42rem) {
  .panorama { min-width: 30rem; }
  .halves { scroll-snap-type: x proximity; }
  .halves .drawing { width: 200%; max-width: none !important; }
  .halves + figcaption::before { content: "Swipe for (b). "; color: #0b5394; }
  .cards, .cards tbody, .cards tr, .cards td { display: block; }
  .cards caption { display: block; }
  .cards thead { display: none; }
  .cards tr { border-top: 1.5px solid #333; padding: .4rem 0; }
  .cards td, .cards td.text { display: flex; justify-content: space-between; gap: 1rem;
    border: 0; padding: .12rem 0; text-align: right; }
  .cards td::before { content: attr(data-label); color: #555; text-align: left;
    white-space: normal; overflow-wrap: normal; font-weight: normal; }
  .cards td.text::before { flex: none; }
  .cards td:not(.text) { white-space: nowrap; }
  .cards td:not(.text) br { display: none; }
  .cards td:first-child { font-weight: 600; }
  .cards td:first-child:not(:has(img))::before { content: none; }
  .cards td:empty { display: none; }
}
@media print {
  body { font-size: 10.5pt; } main { max-width: none; padding: 0; } nav { display: none; }
  h2, caption { break-after: avoid; } figure, tr, .box { break-inside: avoid; }
  .scroll { overflow: visible; }
  td img:not(.large) { width: 60px; height: 60px; }
  thead { display: table-header-group; }
}
"""


def html_of(report: Report) -> str:
    """Return the document.

    It asks for nothing from elsewhere, and forbids the browser to.
    """
    names = [f"s{number}" for number, _ in enumerate(_headings(report), 1)]
    links = "".join(
        f'<a href="#{name}">{markup(heading.text)}</a>\n'
        for name, heading in zip(names, _headings(report), strict=True)
    )
    boxes = [block for block in report.blocks if isinstance(block, Box)]
    rest = [block for block in report.blocks if not isinstance(block, Box)]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{markup(report.title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{markup(report.title)}</h1>
<p class="subtitle">{markup(report.subtitle)}</p>
{"".join(_blocks(boxes, []))}
<nav aria-label="Sections">
{links}</nav>
{"".join(_blocks(rest, names))}
</main>
</body>
</html>
"""


def _headings(report: Report) -> list[Heading]:
    return [block for block in report.blocks if isinstance(block, Heading)]


def _blocks(blocks: Iterable[Block], names: list[str]) -> Iterator[str]:
    sections, figures, tables = iter(names), count(1), count(1)
    for block in blocks:
        match block:
            case Heading():
                yield f'<h2 id="{next(sections)}">{markup(block.text)}</h2>\n'
            case Paragraph():
                yield f"<p>{_text(block.text)}</p>\n"
            case Box():
                yield _box(block)
            case Figure():
                yield _figure(block, next(figures))
            case Table():
                yield _table(block, next(tables))


def _box(box: Box) -> str:
    sentences = "".join(f"<p>{_text(sentence)}</p>\n" for sentence in box.sentences)
    cautions = "".join(f'<p class="caution">{_text(one)}</p>\n' for one in box.cautions)
    return (
        f'<section class="box" aria-label="Verdict">\n<h2>{markup(box.title)}</h2>\n'
        f"{sentences}{cautions}</section>\n"
    )


def _figure(figure: Figure, number: int) -> str:
    opening = f'<svg role="img" aria-label="{markup(figure.alt)}"'
    svg = figure.drawing.svg.replace("<svg", opening, 1)
    width_px = figure.drawing.width_mm / INCH_MM * _PX_PER_INCH
    halves = " halves" if figure.drawing.halves else ""
    whole = " panorama" if not halves and width_px > _PANORAMA_PX else ""
    return (
        f'<figure>\n<div class="scroll{halves}"><div class="drawing{whole}" '
        f'style="max-width: {width_px:.0f}px">{svg}</div></div>\n'
        f"<figcaption><b>Figure {number}.</b> {_text(figure.caption)}</figcaption>\n</figure>\n"
    )


def _table(table: Table, number: int) -> str:
    kinds = ["text" if place < table.text_columns else "" for place in range(len(table.header))]
    head = "".join(
        f'<th scope="col" class="{kind}">{markup(cell)}</th>'
        for kind, cell in zip(kinds, table.header, strict=True)
    )
    # On a narrow screen each row becomes a card, whose lines need the names of the columns.
    cards = len(table.header) > 2 and all(table.header)
    labels = [f' data-label="{markup(name)}"' if cards else "" for name in table.header]
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td class="{kind}"{label}>{_cell(cell)}</td>'
            for kind, label, cell in zip(kinds, labels, row, strict=True)
        )
        + "</tr>\n"
        for row in table.rows
    )
    header = f"<thead><tr>{head}</tr></thead>\n" if any(table.header) else ""
    columns = "".join(
        f'<col style="width: {100 * width / sum(table.widths):.0f}%">' for width in table.widths
    )
    return (
        f"<table{' class=cards' if cards else ''}>\n<caption><b>Table {number}.</b> "
        f"{_text(table.caption)}</caption>\n<colgroup>{columns}</colgroup>\n{header}<tbody>\n"
        f"{rows}</tbody>\n</table>\n"
    )


def _text(text: str) -> str:
    return markup(unbroken(text))


def _cell(cell: Cell) -> str:
    if isinstance(cell, Picture):
        data = b64encode(cell.png).decode()
        large = ' class="large"' if cell.large else ""
        return f'<img{large} src="data:image/png;base64,{data}" alt="{markup(cell.alt)}">'
    return markup(cell).replace("\n", " <br>")
