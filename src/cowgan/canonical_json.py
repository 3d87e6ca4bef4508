"""One way to write a thing as JSON, so that it can be hashed."""

import json
from hashlib import sha256
from typing import Any


def canonical(content: Any) -> bytes:
    """Return JSON of one line with sorted keys, in ASCII.

    Raises
    ------
    TypeError, ValueError
        The content is no JSON, or holds NaN or an infinite number.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii")


def sha256_of_content(content: Any) -> str:
    """Return the SHA-256 of the canonical JSON of `content`, as 64 hexadecimal digits."""
    return sha256(canonical(content)).hexdigest()
