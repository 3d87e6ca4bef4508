"""The report: complete, self-contained, and honest about what it does not know."""

import re
import xml.etree.ElementTree as ElementTree
from html import escape
from html.parser import HTMLParser
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pytest
from fpdf import FPDF
from turing_readers import play, read_all, truth_of
from turing_studies import freeze, protocol, write_volumes

from cowgan.errors import CowganError
from cowgan.report import drawing, pdf
from cowgan.report.blocks import Block, Box, Figure, Heading, Paragraph, Report, Table
from cowgan.report.html import html_of
from cowgan.report.numbers import coefficient, interval
from cowgan.report.pdf import pdf_of
from cowgan.turing.analysis import Analysis, analyse
from cowgan.turing.design.trials import Rules
from cowgan.turing.report import report_of, report_paths, write_report
from cowgan.turing.statistics import Interval
from cowgan.turing.statistics.agreement import cohen_kappa
from cowgan.turing.study.collection import collect
from cowgan.turing.study.study import Study


def analysed(study: Study, early: bool = False) -> Analysis:
    journals = [study.package_folder(reader) / "journal.jsonl" for reader in study.readers]
    collect(study, [journal for journal in journals if journal.exists()])
    return analyse(study, early=early)


@pytest.fixture(scope="module")
def analysis(tmp_path_factory) -> Analysis:
    study = freeze(tmp_path_factory.mktemp("report"), protocol(readers=3))
    read_all(study, (1.5, 0.5, 0.0))
    return analysed(study)


@pytest.fixture(scope="module")
def report(analysis) -> Report:
    return report_of(analysis)


@pytest.fixture(scope="module")
def page(report) -> str:
    return html_of(report)


def text_of(report: Report) -> str:
    parts = []
    for block in report.blocks:
        match block:
            case Heading() | Paragraph():
                parts.append(block.text)
            case Box():
                parts += [block.title, *block.sentences, *block.cautions]
            case Figure():
                parts.append(block.caption)
            case Table():
                cells = [cell for row in block.rows for cell in row if isinstance(cell, str)]
                parts += [block.caption, *block.header, *cells]
    return "\n".join(parts)


def test_the_page_loads_nothing_from_elsewhere(page):
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert links
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    assert "default-src 'none'" in page
    assert not re.search(r"<script|<link|<iframe|@import|@font-face|url\(\s*['\"]?http", page)
    outside = {url for url in re.findall(r"https?://[^\s\"'<>]+", page) if "www.w3.org" not in url}
    assert not outside


def test_the_page_is_well_formed_and_every_name_is_unique(page):
    open_tags: list[str] = []
    empty = {"meta", "br", "col", "img", "path", "use", "rect"}

    class Checker(HTMLParser):
        def handle_starttag(self, tag, attributes):
            if tag not in empty:
                open_tags.append(tag)

        def handle_endtag(self, tag):
            if tag not in empty:
                assert open_tags.pop() == tag

    Checker().feed(page)
    assert open_tags == []
    names = re.findall(r'\bid="([^"]+)"', page)
    assert len(names) == len(set(names))
    assert {link[1:] for link in re.findall(r'href="(#[^"]+)"', page)} <= set(names)


def test_every_figure_has_a_caption_and_an_alternative_text(report, page):
    figures = [block for block in report.blocks if isinstance(block, Figure)]
    assert len(figures) >= 7
    for figure in figures:
        assert figure.caption.endswith(".")
        assert figure.alt.endswith(".")
        ElementTree.fromstring(figure.drawing.svg)
    assert page.count("<figure>") == page.count("<figcaption>") == len(figures)
    assert page.count('<svg role="img" aria-label="') == len(figures)
    pictures = re.findall(r"<img [^>]*>", page)
    assert pictures
    assert all('alt="Axial projection of C' in picture for picture in pictures)


def test_narrow_tables_label_every_number_with_its_column(report, page):
    tables = [block for block in report.blocks if isinstance(block, Table)]
    wide = [table for table in tables if len(table.header) > 3]
    assert wide
    for table in wide:
        named = [re.escape(f'data-label="{escape(name)}"') for name in table.header]
        assert re.search("<tr>[^\n]*?" + "[^\n]*?".join(named), page)


def test_the_pdf_has_every_figure_and_row_once_and_in_order(report, monkeypatch):
    figures, rows = [], []
    draw, fill = pdf._figure, pdf._rows
    monkeypatch.setattr(pdf, "_figure", lambda *of: (figures.append(of[2]), draw(*of)))
    monkeypatch.setattr(pdf, "_rows", lambda *of: (rows.extend(of[2]), fill(*of)))
    assert pdf.pdf_of(report).startswith(b"%PDF")
    count = sum(isinstance(block, Figure) for block in report.blocks)
    assert figures == list(range(1, count + 1))
    assert rows == [
        row for block in report.blocks if isinstance(block, Table) for row in block.rows
    ]


def test_no_figure_interrupts_a_table(report, monkeypatch):
    printed, captions = [], []
    draw, fill, caption = pdf._figure, pdf._rows, pdf._caption
    monkeypatch.setattr(pdf, "_figure", lambda *of: (printed.append("figure"), draw(*of)))
    monkeypatch.setattr(pdf, "_rows", lambda *of: (printed.append("rows"), fill(*of)))
    monkeypatch.setattr(pdf, "_caption", lambda *of: (captions.append(of[1:]), caption(*of)))
    figure = next(block for block in report.blocks if isinstance(block, Figure))
    long = Table("Many.", ("Reader", "Answers"), tuple((str(n), "1") for n in range(120)), (1, 1))
    blocks = (long, figure, figure, figure, figure, long)
    assert pdf_of(Report(report.title, report.subtitle, blocks)).startswith(b"%PDF")
    lengths = [len(list(run)) for what, run in groupby(printed) if what == "rows"]
    assert len(lengths) == 2
    assert min(lengths) > 1
    assert printed.count("figure") == 4
    continued = [text for name, text in captions if name == "Table 2"]
    assert continued == ["(continued)"] * (lengths[1] - 1)


def test_no_page_ends_with_a_heading(monkeypatch):
    random = np.random.RandomState(0)
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 170 {0}"></svg>'
    figures = [
        Figure(drawing.Drawing(svg.format(high), 170.0, high), "Nothing.", "Nothing.")
        for high in (40.0, 90.0, 200.0)
    ]
    table = Table("Some.", ("Reader", "Answers"), tuple((str(n), "1") for n in range(5)), (1, 1))
    text = Paragraph("A sentence of some length that says nothing in particular. " * 6)
    lead = Paragraph("A short one that introduces a table.")
    kinds: list[list[Block]] = [
        *([figure] for figure in figures * 2),
        *([table], [text], [lead, table]) * 2,
    ]
    blocks: list[Block] = []
    for number in range(40):
        chosen = random.randint(0, len(kinds), random.randint(1, 4))
        section = (block for kind in chosen for block in kinds[kind])
        blocks += [Heading(f"Heading {number}"), *section]
    printed: list[tuple[str, int]] = []

    def note(owner, name):
        draw = getattr(owner, name)

        def noted(document, *of, **named):
            # Not the foot of a page, nor the caption of a figure, which comes after it.
            if name not in ("cell", "_caption") or str(of).startswith(("(0, 4.6, 'A", "('Table")):
                printed.append((name, document.page))
            result = draw(document, *of, **named)
            if name == "_rows":
                printed.append(("end of rows", document.page))
            return result

        monkeypatch.setattr(owner, name, noted)

    for owner, names in (
        (FPDF, ("start_section", "cell")),
        (pdf, ("_caption", "_figure", "_rows")),
    ):
        for name in names:
            note(owner, name)
    pdf_of(Report("Report", "The foot", tuple(blocks)))
    followed = [
        (pair[0][1], pair[1])
        for pair in pairwise(printed)
        if pair[0][0] in ("start_section", "_caption", "_rows")
    ]
    alone = [(page, after) for page, after in followed if after[0] == "start_section"]
    apart = [(page, after) for page, after in followed if after[1] != page]
    assert sum(name == "start_section" for name, _ in printed) == 40
    assert alone == []
    assert apart == []


def test_a_heading_and_a_short_introduction_stay_with_their_table(monkeypatch):
    pages = []
    section, fill = FPDF.start_section, pdf._rows
    monkeypatch.setattr(
        FPDF, "start_section", lambda of, *name: (pages.append(of.page), section(of, *name))
    )
    monkeypatch.setattr(pdf, "_rows", lambda of, *rows: (pages.append(of.page), fill(of, *rows)))
    table = Table("Tall.", ("Reader",), tuple((f"{n}\n\n\n\n",) for n in range(6)), (1,))
    for lines in range(30, 56, 2):
        pages.clear()
        text = Paragraph("\n".join(["A line."] * lines))
        pdf_of(Report("Report", "", (text, Heading("Tall"), Paragraph("A lead."), table)))
        assert pages[0] == pages[1], lines


def test_a_box_is_printed_whole_below_its_heading(monkeypatch):
    begun, frames = [], []
    section, rect = FPDF.start_section, FPDF.rect
    monkeypatch.setattr(
        FPDF, "start_section", lambda of, *name: (begun.append(of.page), section(of, *name))
    )

    def noted(of, left, top, width, height, **style):
        frames.append((of.page, top, height))
        rect(of, left, top, width, height, **style)

    monkeypatch.setattr(FPDF, "rect", noted)
    box = Box("Title", ("A sentence of some length. " * 9,) * 5, ("A caution. " * 20,))
    heights = set()
    for lines in range(30, 56, 2):
        begun.clear()
        frames.clear()
        text = Paragraph("\n".join(["A line."] * lines))
        pdf_of(Report("Report", "", (text, Heading("Boxed"), box)))
        (page, top, height), *_ = frames
        assert page == begun[0], lines
        assert top + height < 297 - 20, lines
        heights.add(round(height, 2))
    assert len(heights) == 1


def test_only_the_last_page_may_be_half_empty(report, monkeypatch):
    left = []
    turn = pdf._Pages.turn
    monkeypatch.setattr(pdf._Pages, "turn", lambda pages: (left.append(pages.room_mm), turn(pages)))
    pdf.pdf_of(report)
    assert len(left) > 4
    assert max(left) < 85


def test_every_letter_of_a_figure_has_a_fill_colour(report):
    for block in report.blocks:
        if isinstance(block, Figure):
            root = ElementTree.fromstring(block.drawing.svg)
            parents = {child: parent for parent in root.iter() for child in parent}
            for glyph in root.iter("{http://www.w3.org/2000/svg}use"):
                if "DejaVu" not in "".join(glyph.attrib.values()):
                    continue  # a mark on an axis
                up = glyph
                while up is not None and "fill:" not in up.get("style", ""):
                    up = parents.get(up)
                assert up is not None


def test_the_report_covers_the_checklist(report, analysis):
    said = text_of(report)
    headings = [block.text for block in report.blocks if isinstance(block, Heading)]
    wanted = ["Agreement", "Give-away marks", "First impressions", "Conduct", "Blinding audit"]
    assert {*wanted, "Limits", "Methods", "Checklist", "Provenance"} <= {*headings}
    (box,) = [block for block in report.blocks if isinstance(block, Box)]
    assert box.sentences == analysis.panel.verdicts[0].sentences
    assert "says nothing on diversity" in said
    assert analysis.study.description["key_commitment"] in said
    for reader in analysis.readers:
        assert said.count(reader.reader) > 5
        assert reader.progress.finish_code in said
    checklist = next(b for b in report.blocks if isinstance(b, Table) and b.header[1] == "Item")
    assert len(checklist.rows) == 24
    assert all(row[2] for row in checklist.rows)


def test_limits_without_width_or_beyond_the_scale_are_not_printed():
    assert interval(Interval(1.0, 1.0, 1.0, 0.95, 4, "")) == "1.00"
    assert coefficient(Interval(0.0, -1.84, 1.0, 0.95, 4, "")) == "0.00 (−1.00 to 1.00)"
    assert coefficient(None) == "n/a"


def test_extreme_limits_of_odds_are_abbreviated():
    assert interval(Interval(683.4, 0.01, 6.1e7, 0.95, 7, "")) == "683.40 (0.01 to > 1000)"


def test_kappa_of_a_reader_with_one_answer_has_no_interval():
    labels = np.array([[1, 1, 1, 1, 1, 1], [1, -1, 1, 1, -1, 1]])
    assert coefficient(cohen_kappa(labels)) == "0.00"


def test_a_difference_in_confidence_alone_is_described_as_such(tmp_path):
    study = freeze(tmp_path, protocol(readers=3, impressions=0))
    for reader in study.readers:
        play(
            study.package_folder(reader),
            lambda trial, reader=reader: (
                "R",
                5 if truth_of(study.key, reader, trial) == "R" else 1,
            ),
        )
    report = report_of(analysed(study))
    (box,) = [block for block in report.blocks if isinstance(block, Box)]
    assert box.title.endswith("equivalence refused")
    assert "their answers alone do not show it" in box.cautions[0]
    assert "No real volume was taken for generated." in text_of(report)
    assert "The most deceptive generated volumes" in text_of(report)


def test_the_report_leaves_what_readers_were_told_to_the_authors(report):
    checklist = next(b for b in report.blocks if isinstance(b, Table) and b.header[1] == "Item")
    prevalence = next(row for row in checklist.rows if row[1].startswith("Prevalence"))
    assert "to be added by the authors" in prevalence[2]


def test_table_rows_match_their_headers_and_contain_no_nan(report):
    for block in report.blocks:
        if isinstance(block, Table):
            assert len(block.widths) == len(block.header)
            assert {len(row) for row in block.rows} <= {len(block.header)}
    assert not re.search(r"\bnan\b|\binf\b|−0\.00\b", text_of(report))


def test_an_accepted_leak_stands_in_the_verdict_box(tmp_path):
    chosen = protocol(readers=1, impressions=0)
    write_volumes(tmp_path / "gan_volumes", chosen.volumes_per_class, "fake", power=2)
    study = freeze(tmp_path, chosen, accept_leak="Toy.")
    read_all(study, (1.0,))
    report = report_of(analysed(study))
    (box,) = [block for block in report.blocks if isinstance(block, Box)]
    assert "accepted when the study was frozen, for this reason: “Toy”" in box.cautions[0]
    assert "cannot be generalised" in text_of(report)
    assert box.title.startswith("sub-R01: ")


def test_pairs_and_a_reader_with_few_answers_can_be_reported(tmp_path):
    chosen = protocol(readers=4, cases=20, repeats=0, practice=0, rules=Rules("2afc"))
    study = freeze(tmp_path, chosen)
    for number, reader in enumerate(study.readers[:3]):
        play(
            study.package_folder(reader),
            lambda trial, side=number: (("left", "right")[side % 2], 2),
        )
    play(study.package_folder("sub-R04"), lambda trial: ("left", 2), trials=3)
    report = report_of(analysed(study, early=True))
    assert "share of right answers" in text_of(report)
    assert "sub-R04 is incomplete" in text_of(report)
    assert "over 10 pairs was" in text_of(report)
    assert "(share of right answers ±0.14)" in text_of(report)
    assert html_of(report)
    assert pdf_of(report).startswith(b"%PDF")


def test_a_study_without_answers_can_be_reported(tmp_path):
    study = freeze(tmp_path, protocol(readers=2))
    report = report_of(analysed(study, early=True))
    (box,) = [block for block in report.blocks if isinstance(block, Box)]
    assert box.title == "No verdict"
    assert pdf_of(report).startswith(b"%PDF")


def test_the_suffix_decides_the_format(analysis, tmp_path):
    both = write_report(analysis, tmp_path / "first")
    assert [path.name for path in both] == ["first.html", "first.pdf"]
    assert [path.name for path in report_paths(Path("a.pdf"))] == ["a.pdf"]
    content = both[1].read_bytes()
    assert content.startswith(b"%PDF")
    assert b"%%EOF" in content[-16:]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.html", "first.pdf"]
    with pytest.raises(CowganError, match=r"ends in \.html or \.pdf, not in \.docx"):
        report_paths(Path("report.docx"))


def test_a_missing_library_is_reported_with_its_extra(monkeypatch):
    monkeypatch.setattr(drawing, "find_spec", lambda name: None)
    with pytest.raises(CowganError, match=r"napari-cowgan\[report\]"):
        drawing.require_libraries()
