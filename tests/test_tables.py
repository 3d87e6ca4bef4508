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


@pytest.mark.parametrize(
    "content",
    [b"a\n\xff\xfe", b"a\n" + b"x" * 200_000, b"a\n" + b"1\n" * (MOST_ROWS + 1)],
    ids=["no UTF-8", "an endless cell", "rows without end"],
)
def test_what_is_no_table_is_one_sentence(tmp_path, content, single_sentence):
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
    columns, rows = read_table(path, "\t")
    assert columns == ["'=name", "value"]
    assert [row["'=name"] for row in rows] == [*texts.values(), "n/a"]
    assert [row["value"] for row in rows] == ["-1.5"] * len(texts) + ["n/a"]
