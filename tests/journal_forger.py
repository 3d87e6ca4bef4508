"""Forged journals, in which every hash is right."""

import copy
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cowgan.canonical_json import canonical, sha256_of_content

GARBAGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 3, 6, 2**63, -(2**63), 10**400, 0.5, -0.5, 1e308, "", "x", "R",
    "commit", "\x1b[2J", "=1+1", "yesterday", "2026-11-28", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59", "2026-11-28T05:34:43", "2026-11-28T05:34:43.586+00:00", [], [1],
    [[]], ["x"], {}, {"a": 1}, {"case": "x"},
)  # fmt: skip

Content = dict[str, Any]


def read_contents(path: Path) -> list[Content]:
    """Return the records of a journal without sequence numbers and hashes."""
    contents = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [
        {name: of for name, of in content.items() if name not in ("seq", "prev", "sha256")}
        for content in contents
    ]


def write_chained(path: Path, contents: Sequence[Content]) -> None:
    """Write records with valid hashes."""
    head, lines = "0" * 64, []
    for number, content in enumerate(contents):
        record = {**content, "seq": number, "prev": head}
        head = sha256_of_content(record)
        lines.append(canonical({**record, "sha256": head}) + b"\n")
    path.write_bytes(b"".join(lines))


def forged(contents: Sequence[Content], chance: random.Random) -> list[Content]:
    """Return records with one to three random changes."""
    made = copy.deepcopy(list(contents))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        place = chance.randrange(1, len(made))
        match chance.randrange(8):
            case 0:
                del made[place]
            case 1:
                made.insert(place, copy.deepcopy(chance.choice(made[1:])))
            case 2:
                other = chance.randrange(1, len(made))
                made[place], made[other] = made[other], made[place]
            case 3:
                del made[place:]
            case _:
                _spoil(made[place], chance)
        if len(made) < 2:
            break
    return made


def _spoil(content: Content, chance: random.Random) -> None:
    """Change, remove or add something at any depth."""
    place: Any = content
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = chance.choice(keys) if keys else None
        inner = None if key is None else place[key]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.2:
            break
        place = inner
    if key is None or chance.random() < 0.1:
        if isinstance(place, dict):
            place["more"] = chance.choice(GARBAGE)
        else:
            place.append(chance.choice(GARBAGE))
    elif chance.random() < 0.15 and place is not content:
        del place[key]
    elif isinstance(inner, int) and not isinstance(inner, bool) and chance.random() < 0.5:
        place[key] = inner + chance.choice((-(10**9), -1, 1, 10**9))
    else:
        place[key] = chance.choice(GARBAGE)
