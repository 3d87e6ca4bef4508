"""Decoding and safe display of untrusted text.

Displayed text cannot move the cursor or forge lines.
"""

import codecs
import html
import re
from collections.abc import Iterable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks; spreadsheets and the Windows PowerShell write UTF-16."""

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters
    "\u2028\u2029"  # line and paragraph separators
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # changes of text direction
    "\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"  # invisible
    "\ud800-\udfff]"  # surrogates, which cannot be encoded
)


def decoded(content: bytes) -> str:
    """Decode text as UTF-8, or in the encoding of its byte order mark.

    Parameters
    ----------
    content : bytes
        Encoded text.

    Raises
    ------
    UnicodeDecodeError
        It is in another encoding, or not text.
    """
    mark, encoding = next((pair for pair in _MARKS if content.startswith(pair[0])), (b"", "utf-8"))
    return content[len(mark) :].decode(encoding)


def escaped(text: str, keep: str = "") -> str:
    r"""Return text with invisible characters escaped, such as ``\x1b``.

    Parameters
    ----------
    text : str
        Untrusted text.
    keep : str
        Characters to keep, such as line breaks.
    """

    def name(found: re.Match[str]) -> str:
        character = found[0]
        return character if character in keep else character.encode("unicode_escape").decode()

    return _UNSEEN.sub(name, text)


def one_line(text: str, longest: int = 2000) -> str:
    """Return text as one safe line, shortened in the middle if it is long.

    Parameters
    ----------
    text : str
        Untrusted text.
    longest : int
        Largest number of characters.
    """
    if len(text) > longest:
        half = longest // 2
        text = f"{text[:half]} … {text[-half:]}"
    return escaped(text)


def markup(text: str) -> str:
    """Return text escaped for HTML; line breaks are kept."""
    return html.escape(escaped(text, keep="\n"))


def within_sentence(title: str) -> str:
    """Return a title with its first letter in lower case."""
    return title[0].lower() + title[1:]


def dimensions(sizes: Iterable[float], spec: str = "") -> str:
    """Return sizes as text, such as ``"32 x 128 x 128"``.

    Parameters
    ----------
    sizes : iterable of float
        One per axis.
    spec : str
        Format specification of each.
    """
    return " x ".join(format(size, spec) for size in sizes)
