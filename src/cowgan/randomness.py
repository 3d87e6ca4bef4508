"""Random streams that are reproducible across devices, platforms and library versions."""

import numpy as np

from cowgan.errors import CowganError
from cowgan.text import one_line

MAX_SEED = 2**64 - 1
"""Largest seed; seeds are unsigned 64-bit numbers."""

_SHOWN_OF_NONSENSE = 40


def parse_seed(text: str) -> int:
    """Parse a seed.

    Raises
    ------
    CowganError
        The text is not a whole number from 0 to `MAX_SEED`.
    """
    typed = text.strip()
    digits = typed.lstrip("0") or typed[:1]
    # int() accepts digits of other scripts, and fails for thousands of digits.
    if digits.isascii() and digits.isdigit() and len(digits) <= len(str(MAX_SEED)):
        seed = int(digits)
        if seed <= MAX_SEED:
            return seed
    shown = one_line(typed, _SHOWN_OF_NONSENSE)
    raise CowganError(f"The seed “{shown}” is not a whole number from 0 to {MAX_SEED:,}.")


def stream(purpose: str, seed: int) -> np.random.RandomState:
    """Return the random stream of a purpose and a seed.

    Streams of different purposes or seeds are independent. NumPy's frozen generator is
    used because its stream is guaranteed never to change, and because torch's CPU
    generator reads only the low 32 bits of a seed.

    Parameters
    ----------
    purpose : str
        Use of the numbers, such as ``"z"``.
    seed : int
        From 0 to `MAX_SEED`.
    """
    entropy = [seed, *purpose.encode()]
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(entropy)))
