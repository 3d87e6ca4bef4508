import codecs

import pytest

from cowgan.errors import CowganError
from cowgan.tables import MOST_ROWS, TableWriter, read_table


def test_a_table_is_read_with_or_without_byte_order_mark(tmp_path):
    path = tmp_path / "t.csv"
    for mark in (b"", b"\xef\xbb\xbf"):
        path.write_bytes(mark + b'name,value\r\n"a, ""b""\nc",1\r\n\r\nshort\r\nlong,2,3\r\n')
        assert read_table(path) == (
            ["name", "value"],
            [
                {"name": 'a, "b"\nc', "value": "1"},
                {"name": "short", "value": ""},
                {"name": "long", "value": "2"},
            ],
        )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
    ids=["plain", "utf-8", "utf-16-le", "utf-16-be"],
)
def test_what_spreadsheets_save_is_read(tmp_path, delimiter, line_end, mark, encoding):
    lines = [
        ["case", " subject", "split", ""],
        ["Köln_1", '"a, b; c\td"', "holdout", ""],
        ["Köln_2", "2", "", ""],
        ["", "", "", ""],
    ]
    text = line_end.join(["", *map(delimiter.join, lines), ""])
    path = tmp_path / "t.csv"
    path.write_bytes(mark + text.encode(encoding))
    columns, rows = read_table(path)
    assert columns == ["case", "subject", "split", ""]
    assert [(row["case"], row["subject"], row["split"]) for row in rows] == [
        ("Köln_1", "a, b; c\td", "holdout"),
        ("Köln_2", "2", ""),
    ]


def test_the_line_that_names_what_stands_between_cells_is_followed(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"sep=;\r\ncase, or scan;subject\r\n1, left;2\r\n")
    assert read_table(path) == (
        ["case, or scan", "subject"],
        [{"case, or scan": "1, left", "subject": "2"}],
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("case,subject\nKöln,1\n".encode("latin-1"), "not text in UTF-8; save it again"),
        (b"case,split,split\n1,training,holdout\n", "'split' twice"),
    ],
    ids=["Latin-1", "a column twice"],
)
def test_ambiguous_tables_are_refused(tmp_path, content, message, single_sentence):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(CowganError) as refusal:
        read_table(path)
    assert message in single_sentence(refusal)


@pytest.mark.parametrize(
    "content",
    [b"a\n\xff\xfe", b"a\n" + b"x" * 200_000, b"a\n" + b"1\n" * (MOST_ROWS + 1)],
    ids=["no UTF-8", "an endless cell", "rows without end"],
)
def test_what_is_no_table_is_reported_in_one_sentence(tmp_path, content, single_sentence):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(CowganError) as refusal:
        read_table(path)
    single_sentence(refusal)


def test_text_of_any_origin_does_nothing_in_a_spreadsheet(tmp_path):
    texts = {
        "=1+1": "'=1+1",
        "+cmd": "'+cmd",
        "@SUM(A1)": "'@SUM(A1)",
        "-2+3": "'-2+3",
        "\t=1": "\\t=1",
        "\r=1": "\\r=1",
        "＝1+1": "'＝1+1",
        "two\nlines": "two\\nlines",
        "\x1b[2J": "\\x1b[2J",
        "a\u202eb": "a\\u202eb",
        "\ud800": "\\ud800",
        "-1.5": "-1.5",
        "+3": "+3",
        "1e-3": "1e-3",
        "Ärzte, “x”": "Ärzte, “x”",
    }
    path = tmp_path / "t.tsv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = TableWriter(file, ("=name", "value"), "\t", "\n", missing="n/a")
        writer.write_header()
        for text in texts:
            writer.write({"=name": text, "value": -1.5, "more": 1})
        writer.write({"=name": None})
    columns, rows = read_table(path)
    assert columns == ["'=name", "value"]
    assert [row["'=name"] for row in rows] == [*texts.values(), "n/a"]
    assert [row["value"] for row in rows] == ["-1.5"] * len(texts) + ["n/a"]
