"""Random numbers that stay the same on every device, platform and library version."""

import numpy as np

MAX_SEED = 2**64 - 1
"""Largest seed; seeds are unsigned 64-bit numbers."""


def stream(purpose: str, seed: int) -> np.random.RandomState:
    """Return the random stream that `purpose` and `seed` name.

    Streams of different purposes or seeds are independent. NumPy's frozen generator is
    used because its stream is guaranteed never to change, and because torch's CPU
    generator reads only the low 32 bits of a seed.

    Parameters
    ----------
    purpose : str
        What the numbers are for, such as ``"z"``.
    seed : int
        From 0 to `MAX_SEED`.
    """
    entropy = [seed, *purpose.encode()]
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(entropy)))
