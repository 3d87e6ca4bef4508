import pytest

from cowgan.errors import CowganError
from cowgan.tables import MOST_ROWS, read_table


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
