"""The report as PDF on A4."""

from collections.abc import Sequence
from io import BytesIO
from itertools import accumulate, count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

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
from cowgan.report.drawing import require_libraries

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

_BOX_PADDING_MM = 4.0
_BOX_TITLE_PT, _BOX_TITLE_LINE_MM = 13.0, 6.2

_HEADING_MM = 13.0
_SPARE_MM = 30.0
"""What a second figure on top of a page must leave of it."""

_WHOLE_MM = 75.0
"""Tables up to this height are kept together; of others so many rows stay together:"""
_FEW_ROWS = 3

_SHORT_LINES = 5
"""A paragraph up to this length is kept together; below a heading, also with the next table."""


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

    class Document(FPDF):
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
    pages = _Pages(document)
    figures, tables = count(1), count(1)
    for place, block in enumerate(report.blocks):
        match block:
            case Heading():
                pages.heading(block, report.blocks[place + 1 :])
            case Paragraph():
                pages.paragraph(block)
            case Box():
                pages.box(block)
            case Figure():
                pages.figure(block, next(figures))
            case Table():
                pages.table(block, next(tables))
    while pages.waiting:
        pages.turn()
    return bytes(document.output())


class _Pages:
    """Fills page after page; a figure that does not fit waits for the next, and text goes on.

    Parameters
    ----------
    document : FPDF
        Printed to at its current position.
    """

    def __init__(self, document: "FPDF") -> None:
        self.document = document
        self.waiting: list[tuple[Figure, int]] = []

    @property
    def room_mm(self) -> float:
        """Height left on the page."""
        return self.document.h - self.document.b_margin - self.document.get_y()

    def turn(self) -> None:
        """Begin a page, with figures that wait for it."""
        self.document.add_page()
        spare = 0.0
        while self.waiting and self._height(self.waiting[0][0]) <= self.room_mm - spare:
            _figure(self.document, *self.waiting.pop(0))
            spare = _SPARE_MM

    def make_room(self, height_mm: float) -> None:
        """Turn pages until there is so much room, or an empty page.

        Figures that wait may leave too little of the next page.
        """
        while self.room_mm < height_mm and self.document.get_y() > self.document.t_margin:
            self.turn()

    def heading(self, heading: Heading, following: Sequence[Block]) -> None:
        """Print a heading together with the beginning of its section."""
        document = self.document
        section = list(takewhile(lambda block: not isinstance(block, Heading), following))
        if all(isinstance(block, Figure) for block in section):
            # The first would queue behind others, away from its heading.
            while self.waiting:
                self.turn()
        self.make_room(_HEADING_MM + self._beginning(section))
        if document.get_y() > document.t_margin:
            document.ln(5)
        document.start_section(heading.text)
        document.set_font(_FONT, "B", 12)
        document.cell(0, 7, heading.text, new_x="LMARGIN", new_y="NEXT")
        document.ln(1)

    def paragraph(self, paragraph: Paragraph) -> None:
        """Print text line by line, on as many pages as it needs if it is long."""
        document = self.document
        document.set_font(_FONT, "", _TEXT_PT)
        lines = _lines(document, unbroken(paragraph.text))
        if len(lines) <= _SHORT_LINES:
            self.make_room(len(lines) * _LINE_MM)
            document.set_font(_FONT, "", _TEXT_PT)
        for line in lines:
            if self.room_mm < _LINE_MM:
                self.make_room(_LINE_MM)
                document.set_font(_FONT, "", _TEXT_PT)
            document.cell(0, _LINE_MM, line, new_x="LMARGIN", new_y="NEXT")
        document.ln(1.6)

    def box(self, box: Box) -> None:
        """Print a box, whole."""
        self.make_room(_box_height(self.document, box))
        _box(self.document, box)

    def figure(self, figure: Figure, number: int) -> None:
        """Print a figure, now or on top of the next page."""
        if self.waiting or self._height(figure) > self.room_mm:
            self.waiting.append((figure, number))
        else:
            _figure(self.document, figure, number)

    def table(self, table: Table, number: int) -> None:
        """Print a table, on several pages under the same header if need be.

        Figures that wait do so until its end.
        """
        document = self.document
        self.make_room(self._kept(table))
        document.ln(2)
        _caption(document, f"Table {number}.", table.caption)
        document.ln(1)
        header, *heights = _row_heights(document, table)
        done = 0
        while done < len(heights):
            left = heights[done:]
            fit = sum(header + high <= self.room_mm - 1 for high in accumulate(left))
            if 0 < len(left) - fit < _FEW_ROWS:
                fit = len(left) - _FEW_ROWS
            fit = max(fit, 1)
            _rows(document, table, table.rows[done : done + fit])
            done += fit
            if done < len(heights):
                document.add_page()
                _caption(document, f"Table {number}", "(continued)")
                document.ln(1)
        document.ln(3)
        while self.waiting and self._height(self.waiting[0][0]) <= self.room_mm:
            _figure(document, *self.waiting.pop(0))

    def _beginning(self, section: Sequence[Block]) -> float:
        """Return the room that a section needs to begin, a short introduction with its table.

        Figures count only where nothing else follows, as they can wait.
        """
        text = [block for block in section if not isinstance(block, Figure)]
        match text or section:
            case [Table() as table, *_]:
                return self._kept(table)
            case [Box() as box, *_]:
                return _box_height(self.document, box)
            case [Paragraph() as lead, Table() as table, *_] if self._lines(lead) <= _SHORT_LINES:
                return self._lines(lead) * _LINE_MM + 2 + self._kept(table)
            case [Figure() as figure, *_]:
                return self._height(figure)
            case _:
                return _SHORT_LINES * _LINE_MM

    def _lines(self, paragraph: Paragraph) -> int:
        self.document.set_font(_FONT, "", _TEXT_PT)
        return len(_lines(self.document, unbroken(paragraph.text)))

    def _kept(self, table: Table) -> float:
        """Return the room that a table needs to begin."""
        heights = _row_heights(self.document, table)
        before = _caption_height(self.document, table.caption) + 5
        whole = before + sum(heights)
        return whole if whole <= _WHOLE_MM else before + sum(heights[: 1 + _FEW_ROWS])

    def _height(self, figure: Figure) -> float:
        drawing = figure.drawing
        height = drawing.height_mm * _figure_width(self.document, figure) / drawing.width_mm
        return height + _caption_height(self.document, figure.caption) + 6


def _text(document: "FPDF", text: str, line_mm: float) -> None:
    text = unbroken(text)
    document.multi_cell(0, line_mm, text, align="L", new_x="LMARGIN", new_y="NEXT")


def _box_height(document: "FPDF", box: Box) -> float:
    """Return the room that `_box` takes."""
    width = document.w - 2 * _MARGIN_MM - 2 * _BOX_PADDING_MM - 2
    document.set_font(_FONT, "B", _BOX_TITLE_PT)
    title = len(_lines(document, unbroken(box.title), width)) * _BOX_TITLE_LINE_MM
    document.set_font(_FONT, "", _TEXT_PT)
    sentences, cautions = (
        sum(after + len(_lines(document, unbroken(text), width)) * _LINE_MM for text in texts)
        for texts, after in ((box.sentences, 0.8), (box.cautions, 2.2))
    )
    return 2 * _BOX_PADDING_MM + 4 + title + sentences + cautions


def _box(document: "FPDF", box: Box) -> None:
    document.ln(2)
    padding, left = _BOX_PADDING_MM, document.l_margin
    top = document.get_y()
    document.set_left_margin(left + padding + 2)
    document.set_right_margin(_MARGIN_MM + padding)
    document.set_xy(left + padding + 2, top + padding)
    document.set_font(_FONT, "B", _BOX_TITLE_PT)
    _text(document, box.title, _BOX_TITLE_LINE_MM)
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
    return len(_lines(document, f"Figure 10. {unbroken(text)}")) * _SMALL_LINE_MM


def _lines(document: "FPDF", text: str, width_mm: float = 0) -> list[str]:
    """Return text as it is broken into lines in the present font."""
    from fpdf.enums import MethodReturnValue

    lines = document.multi_cell(
        width_mm, text=text, align="L", dry_run=True, output=MethodReturnValue.LINES
    )
    assert isinstance(lines, list)
    return lines


def _figure_width(document: "FPDF", figure: Figure) -> float:
    return min(figure.drawing.width_mm, document.epw)


def _figure(document: "FPDF", figure: Figure, number: int) -> None:
    document.ln(2)
    document.image(
        BytesIO(figure.drawing.svg.encode()),
        x=document.l_margin,
        w=_figure_width(document, figure),
        alt_text=figure.alt,
    )
    document.ln(1)
    _caption(document, f"Figure {number}.", figure.caption)
    document.ln(3)


def _rows(document: "FPDF", table: Table, rows: Sequence[Sequence[Cell]]) -> None:
    from fpdf.fonts import FontFace

    has_header = any(table.header)
    top = document.get_y()
    document.set_font(_FONT, "", _TABLE_PT)
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
        for cells in rows:
            row = printed.row()
            for cell in cells:
                if isinstance(cell, Picture):
                    row.cell(img=BytesIO(cell.png), img_fill_width=True)
                else:
                    row.cell(cell)
    document.set_draw_color(60)
    for y in (top, document.get_y()):
        document.line(document.l_margin, y, document.w - _MARGIN_MM, y)


def _row_heights(document: "FPDF", table: Table) -> list[float]:
    """Return how high the header and each row will be; no header has no height."""
    above, beside = _PADDINGS_MM
    share = document.epw / sum(table.widths)

    def height(cell: Cell, width: float) -> float:
        if isinstance(cell, Picture):
            return width * share
        lines = _lines(document, cell, width * share - 2 * beside)
        return len(lines) * _TABLE_LINE_MM + 2 * above

    document.set_font(_FONT, "B", _TABLE_PT)
    header = max(map(height, table.header, table.widths)) if any(table.header) else 0.0
    document.set_font(_FONT, "", _TABLE_PT)
    return [header, *(max(map(height, row, table.widths)) for row in table.rows)]
