"""Parsing of ``--seeds``."""

from cowgan.errors import CowganError
from cowgan.randomness import MAX_SEED

_LIMIT = 1_000_000


def parse_seeds(text: str) -> list[int]:
    """Return the seeds in a text such as ``"0-9,12"``, in the given order.

    Raises
    ------
    CowganError
        The text is not a list of seeds and ranges, repeats one, or lists over a million.
    """
    ranges = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() or last == "")) or part.strip()[-1:] == "-":
            raise CowganError(f"Seeds are given as 0-9 or 3,5,9-12, not as {text!r}.")
        start, end = int(first), int(last or first)
        if not start <= end <= MAX_SEED:
            raise CowganError(f"The seeds {part.strip()} do not count up within 0 to 2^64 - 1.")
        ranges.append(range(start, end + 1))
    if sum(r.stop - r.start for r in ranges) > _LIMIT:
        raise CowganError(f"At most {_LIMIT:,} seeds can be asked for at once.")
    seeds = [seed for r in ranges for seed in r]
    if len(set(seeds)) < len(seeds):
        raise CowganError(f"The seeds {text} name the same seed more than once.")
    return seeds
