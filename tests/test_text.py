"""Tests that untrusted text is displayed safely."""

import pytest

from cowgan.cli.output import say
from cowgan.errors import CowganError
from cowgan.text import escaped, markup, one_line

HOSTILE = "\x1b]0;title\x07\x1b[2J\nDone.\r\u202egnp.exe\u200b\ud800\x9b31m\x7f"


def test_every_character_can_be_seen():
    shown = escaped(HOSTILE)
    assert shown == (
        "\\x1b]0;title\\x07\\x1b[2J\\nDone.\\r\\u202egnp.exe\\u200b\\ud800\\x9b31m\\x7f"
    )
    assert escaped("Ärzte 脳 µm \u00a0 \\x1b 🧠") == "Ärzte 脳 µm \u00a0 \\x1b 🧠"
    assert escaped("a\nb\rc", keep="\n") == "a\nb\\rc"


def test_long_text_is_elided_in_the_middle():
    assert one_line("a" * 500 + "b" * 500, 20) == "a" * 10 + " … " + "b" * 10
    assert one_line("a" * 20, 20) == "a" * 20


def test_a_sentence_about_a_file_is_one_line(single_sentence):
    with pytest.raises(CowganError) as refusal:
        raise CowganError(f"{HOSTILE} is damaged.", f"first\nsecond {HOSTILE}")
    assert "\x1b" not in str(refusal.value) + refusal.value.detail
    assert "\n" not in str(refusal.value)
    assert refusal.value.sentence == str(refusal.value)
    assert refusal.value.detail.startswith("first\nsecond")
    assert len(CowganError("x" * 10**6).sentence) < 1010


def test_what_is_printed_forges_no_line(capsys):
    say(f"Name {HOSTILE}")
    said = capsys.readouterr().out
    assert said.endswith("\n") and said.count("\n") == 1
    assert said[:-1].isprintable()


def test_html_shows_text_and_interprets_nothing():
    assert markup("<b onclick='x'>&\x1b\u202e") == (
        "&lt;b onclick=&#x27;x&#x27;&gt;&amp;\\x1b\\u202e"
    )
