"""Human-readable codes: 80 bits as 16 characters in groups of four."""

import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no letter that is taken for a digit or another letter."""

_ALIKE = str.maketrans("OIL", "011")
_LENGTH, _GROUP = 16, 4
_BYTES = _LENGTH * 5 // 8


def code_of(sha256: str) -> str:
    """Return the first 80 bits of a hash, such as ``7KQF-2M9X-0A3T-VB61``.

    Parameters
    ----------
    sha256 : str
        Hexadecimal digits.
    """
    return _code(bytes.fromhex(sha256)[:_BYTES])


def new_code() -> str:
    """Return a code that nobody can guess."""
    return _code(secrets.token_bytes(_BYTES))


def parse_code(typed: str) -> str | None:
    """Return a typed code in the form of `code_of`; None if it is not a code."""
    letters = "".join(typed.split()).replace("-", "").upper().translate(_ALIKE)
    if len(letters) != _LENGTH or not set(letters) <= set(_ALPHABET):
        return None
    return _grouped(letters)


def _code(content: bytes) -> str:
    number = int.from_bytes(content, "big")
    places = range(5 * (_LENGTH - 1), -1, -5)
    return _grouped("".join(_ALPHABET[number >> place & 31] for place in places))


def _grouped(letters: str) -> str:
    return "-".join(letters[i : i + _GROUP] for i in range(0, _LENGTH, _GROUP))
