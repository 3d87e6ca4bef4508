"""The report as PDF on A4."""

from collections.abc import Sequence
from io import BytesIO
from itertools import count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from cowgan.turing.report.blocks import (
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
from cowgan.turing.report.drawing import require_libraries

if TYPE_CHECKING:
    from fpdf import FPDF

_FONT = "DejaVu"
_MARGIN_MM, _BOTTOM_MM = 18.0, 20.0
_TEXT_PT, _SMALL_PT, _TABLE_PT = 9.0, 8.0, 7.2
_LINE_MM = 4.6
_SMALL_LINE_MM = 3.9
_TABLE_LINE_MM = 3.6
_PADDINGS_MM = (0.8, 1.0)
"""Above and below, and at both sides of a cell."""
_HEADING_MM = 13.0
_WHOLE_MM = 75.0
"""Tables up to this height are kept together; higher ones begin with some rows at least."""
_FIRST_ROWS = 3


def pdf_of(report: Report) -> bytes:
    """Return the document.

    Raises
    ------
    CowganError
        See `require_libraries`; the fonts are matplotlib's.
    """
    require_libraries()
    import matplotlib
    from fpdf import FPDF

    waiting: list[tuple[Figure, int]] = []

    class Document(FPDF):
        def header(self) -> None:
            while waiting and not self.will_page_break(_figure_height(self, waiting[0][0])):
                _figure(self, *waiting.pop(0))

        def footer(self) -> None:
            self.set_y(-13)
            self.set_font(_FONT, size=7)
            self.set_text_color(110)
            self.cell(0, 5, report.subtitle, align="L")
            self.set_x(_MARGIN_MM)
            self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="R")
            self.set_text_color(0)

    document = Document(format="A4")
    fonts = Path(matplotlib.get_data_path(), "fonts", "ttf")
    document.add_font(_FONT, "", fonts / "DejaVuSans.ttf")
    document.add_font(_FONT, "B", fonts / "DejaVuSans-Bold.ttf")
    document.set_margins(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
    document.set_auto_page_break(True, _BOTTOM_MM)
    document.set_title(report.title)
    document.set_subject(report.subtitle)
    document.set_lang("en")
    document.add_page()
    document.set_font(_FONT, "B", 18)
    document.cell(0, 9, report.title, new_x="LMARGIN", new_y="NEXT")
    document.set_font(_FONT, "", _SMALL_PT)
    document.set_text_color(90)
    document.cell(0, 5, report.subtitle, new_x="LMARGIN", new_y="NEXT")
    document.set_text_color(0)
    figures, tables = count(1), count(1)
    for place, block in enumerate(report.blocks):
        match block:
            case Heading():
                _heading(document, block, _room_to_begin(document, report.blocks[place + 1 :]))
            case Paragraph():
                document.set_font(_FONT, "", _TEXT_PT)
                _text(document, block.text, _LINE_MM)
                document.ln(1.6)
            case Box():
                _box(document, block)
            case Figure():
                waiting.append((block, next(figures)))
                if len(waiting) == 1 and not document.will_page_break(
                    _figure_height(document, block)
                ):
                    _figure(document, *waiting.pop())
            case Table():
                _table(document, block, next(tables))
    while waiting:
        document.add_page()
    return bytes(document.output())


def _room_to_begin(document: "FPDF", section: Sequence[Block]) -> float:
    """Return the room that must be left below a heading.

    A figure that does not fit waits for the next page while what follows it goes on, so it
    counts only where nothing follows.
    """
    blocks = list(takewhile(lambda block: not isinstance(block, Heading), section))
    text = [block for block in blocks if not isinstance(block, Figure)]
    match (text or blocks)[0]:
        case Table() as table:
            return _kept_of_table(document, table)
        case Figure() as figure:
            return _figure_height(document, figure)
        case _:
            return 5 * _LINE_MM


def _heading(document: "FPDF", heading: Heading, room_mm: float) -> None:
    if document.will_page_break(_HEADING_MM + room_mm):
        document.add_page()
    if document.get_y() > document.t_margin:
        document.ln(5)
    document.start_section(heading.text)
    document.set_font(_FONT, "B", 12)
    document.cell(0, 7, heading.text, new_x="LMARGIN", new_y="NEXT")
    document.ln(1)


def _text(document: "FPDF", text: str, line_mm: float) -> None:
    text = unbroken(text)
    document.multi_cell(0, line_mm, text, align="L", new_x="LMARGIN", new_y="NEXT")


def _box(document: "FPDF", box: Box) -> None:
    document.ln(2)
    padding, left = 4.0, document.l_margin
    top = document.get_y()
    document.set_left_margin(left + padding + 2)
    document.set_right_margin(_MARGIN_MM + padding)
    document.set_xy(left + padding + 2, top + padding)
    document.set_font(_FONT, "B", 13)
    _text(document, box.title, 6.2)
    document.ln(1)
    document.set_font(_FONT, "", _TEXT_PT)
    for sentence in box.sentences:
        _text(document, sentence, _LINE_MM)
        document.ln(0.8)
    for sentence in box.cautions:
        document.ln(1)
        y = document.get_y()
        document.set_draw_color(190)
        document.line(left + padding + 2, y, document.w - _MARGIN_MM - padding, y)
        document.ln(1.2)
        _text(document, sentence, _LINE_MM)
    bottom = document.get_y() + padding - 1
    document.set_left_margin(left)
    document.set_right_margin(_MARGIN_MM)
    document.set_draw_color(40)
    document.rect(left, top, document.w - 2 * _MARGIN_MM, bottom - top)
    document.set_fill_color(40)
    document.rect(left, top, 1.6, bottom - top, style="F")
    document.set_fill_color(255)
    document.set_xy(left, bottom + 2)


def _caption(document: "FPDF", name: str, text: str) -> None:
    document.set_font(_FONT, "", _SMALL_PT)
    document.set_text_color(60)
    document.multi_cell(
        0, _SMALL_LINE_MM, f"**{name}** {unbroken(text)}", markdown=True, align="L",
        new_x="LMARGIN", new_y="NEXT",
    )  # fmt: skip
    document.set_text_color(0)


def _caption_height(document: "FPDF", text: str) -> float:
    document.set_font(_FONT, "", _SMALL_PT)
    return _text_height(document, f"Figure 10. {text}", _SMALL_LINE_MM)


def _text_height(document: "FPDF", text: str, line_mm: float, width_mm: float = 0) -> float:
    from fpdf.enums import MethodReturnValue

    height = document.multi_cell(
        width_mm, line_mm, text, dry_run=True, output=MethodReturnValue.HEIGHT
    )
    assert isinstance(height, float)
    return height


def _figure_height(document: "FPDF", figure: Figure) -> float:
    width = min(figure.drawing.width_mm, document.epw)
    height = width * figure.drawing.height_mm / figure.drawing.width_mm
    return height + _caption_height(document, figure.caption) + 6


def _figure(document: "FPDF", figure: Figure, number: int) -> None:
    width = min(figure.drawing.width_mm, document.epw)
    document.ln(2)
    document.image(
        BytesIO(figure.drawing.svg.encode()), x=document.l_margin, w=width, alt_text=figure.alt
    )
    document.ln(1)
    _caption(document, f"Figure {number}.", figure.caption)
    document.ln(3)


def _table(document: "FPDF", table: Table, number: int) -> None:
    from fpdf.fonts import FontFace

    has_header = any(table.header)
    if document.will_page_break(_kept_of_table(document, table)):
        document.add_page()
    document.ln(2)
    _caption(document, f"Table {number}.", table.caption)
    document.ln(1)
    document.set_font(_FONT, "", _TABLE_PT)
    _rule(document)
    document.set_draw_color(190)
    columns = len(table.header)
    aligns = tuple("LEFT" if n < table.text_columns else "CENTER" for n in range(columns))
    with document.table(
        borders_layout="HORIZONTAL_LINES",
        col_widths=table.widths,
        text_align=aligns,
        line_height=_TABLE_LINE_MM,
        padding=_PADDINGS_MM,
        first_row_as_headings=has_header,
        headings_style=FontFace(emphasis="BOLD"),
        v_align="MIDDLE",
    ) as printed:
        if has_header:
            printed.row(table.header)
        for cells in table.rows:
            row = printed.row()
            for cell in cells:
                if isinstance(cell, Picture):
                    row.cell(img=BytesIO(cell.png), img_fill_width=True)
                else:
                    row.cell(cell)
    _rule(document)
    document.ln(3)


def _rule(document: "FPDF") -> None:
    document.set_draw_color(60)
    document.line(document.l_margin, document.get_y(), document.w - _MARGIN_MM, document.get_y())


def _kept_of_table(document: "FPDF", table: Table) -> float:
    """Return the room that a table needs to begin."""
    heights = _row_heights(document, table)
    before = _caption_height(document, table.caption) + 5
    whole = before + sum(heights)
    if whole <= _WHOLE_MM:
        return whole
    return before + sum(heights[: any(table.header) + _FIRST_ROWS])


def _row_heights(document: "FPDF", table: Table) -> list[float]:
    share = document.epw / sum(table.widths)
    document.set_font(_FONT, "B", _TABLE_PT)
    heights = (
        [_row_height(document, table.header, table.widths, share)] if any(table.header) else []
    )
    document.set_font(_FONT, "", _TABLE_PT)
    return heights + [_row_height(document, row, table.widths, share) for row in table.rows]


def _row_height(
    document: "FPDF", cells: Sequence[Cell], widths: Sequence[float], share: float
) -> float:
    above, beside = _PADDINGS_MM

    def height(cell: Cell, width_mm: float) -> float:
        if isinstance(cell, Picture):
            return width_mm
        return _text_height(document, cell, _TABLE_LINE_MM, width_mm - 2 * beside) + 2 * above

    return max(height(cell, width * share) for cell, width in zip(cells, widths, strict=True))
