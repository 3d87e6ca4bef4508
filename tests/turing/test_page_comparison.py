"""Comparison of a report from elsewhere, however it was forged."""

import pytest

from cowgan.turing.report.page_comparison import compare_pages

DRAWING = (
    '<svg role="img" aria-label="Forest plot" width="5pt"><style>*{stroke: round}</style>'
    '<!-- AUC --><g id="d1_a"><path d="M 1 2 L 3 4"/><use xlink:href="#d1_p" x="3"/></g></svg>'
)
PAGE = (
    "<style>p { color: red; }</style>\n<p>Study 1. Report of 3 May 2026, 07:30 UTC, "
    f"napari-cowgan 1</p>\n{DRAWING}\n"
    '<img src="data:image/png;base64,AAAA" alt="C1">\n<p>AUC 0.98</p>\n'
)


def test_a_report_made_at_another_time_is_the_same():
    again = PAGE.replace("3 May 2026, 07:30", "14 June 2027, 19:01").replace("d1_", "d27_")
    compared = compare_pages(again, PAGE)
    assert not compared.differs
    assert compared.pictures == 0


@pytest.mark.parametrize(
    ("instead_of", "says"),
    [
        ("0.98", "0.50"),
        ("<p>AUC", "<p hidden>AUC"),
        ("UTC, ", "UTC, AUC 0.50, "),
        ("</style>\n", "</style ><h1>AUC 0.50</h1></style>\n"),
        ("<p>AUC 0.98</p>", ""),
        ("Forest", "Flat"),
        ('alt="C1"', 'alt="C1" onerror="change()"'),
        (DRAWING, ""),
    ],
)
def test_words_and_markup_are_compared(instead_of, says):
    compared = compare_pages(PAGE.replace(instead_of, says, 1), PAGE)
    assert compared.differs and not compared.foreign
    assert compared.says != compared.instead_of


@pytest.mark.parametrize(
    ("instead_of", "says"),
    [
        ("</svg>", "<script>change()</script></svg>"),
        ("</svg>", "</svg ><h1>AUC 0.50</h1></svg>"),
        ("</svg>", "AUC 0.50</svg>"),
        ("<g ", '<g onload="change()" '),
        ("#d1_p", "https://example.org/p"),
        ("stroke: round", "content: 'AUC 0.50'"),
        ("<!-- ", "<!--><h1>AUC 0.50</h1> "),
    ],
)
def test_a_drawing_holds_nothing_but_a_drawing(instead_of, says):
    assert compare_pages(PAGE.replace(instead_of, says, 1), PAGE).foreign


def test_pictures_drawn_by_another_library_are_counted():
    other = PAGE.replace("M 1 2", "M 1.001 2").replace("AAAA", "AAAB")
    compared = compare_pages(other, PAGE)
    assert not compared.differs
    assert compared.pictures == 2


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "page",
    ["<svg ", "<", "<style>", '<svg role="img" aria-label="', "<!-- ", f"<svg {'a' * 9}", "a='"],
)
def test_very_long_damaged_pages_are_compared(page):
    assert compare_pages(page * 100_000, PAGE).differs
    inside = compare_pages(PAGE.replace("<g ", f"<g {page * 100_000}"), PAGE)
    assert inside.differs or inside.foreign
