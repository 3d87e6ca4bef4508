"""Tests of parsing lists of seeds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cowgan.cli.seeds import parse_seeds
from cowgan.errors import CowganError


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20, unique=True))
def test_single_seeds_come_back_in_order(seeds):
    assert parse_seeds(",".join(map(str, seeds))) == seeds


@given(st.integers(0, 2**64 - 200), st.integers(0, 100))
def test_ranges_include_both_ends(start, length):
    assert parse_seeds(f"{start}-{start + length}") == list(range(start, start + length + 1))


def test_blanks_around_seeds_are_ignored():
    assert parse_seeds(" 3, 9-11 ") == [3, 9, 10, 11]


@pytest.mark.parametrize(
    "text", ["", "a", "-3", "3-", "5-2", "1,,2", "1.5", "1-2-3", "0-1000001", "²", "4,3-5"]
)
def test_anything_else_is_refused(text):
    with pytest.raises(CowganError):
        parse_seeds(text)


@given(st.text(max_size=12))
def test_no_text_breaks_the_parser(text):
    try:
        seeds = parse_seeds(text)
    except CowganError:
        return
    assert seeds
