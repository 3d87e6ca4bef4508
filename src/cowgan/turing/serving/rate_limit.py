"""Limits on how often somebody asks, by token buckets."""

import math
from collections.abc import Callable

_MOST_NAMES = 10_000


class RateLimit:
    """So many requests at once, and so many a second from then on, for each name.

    Parameters
    ----------
    at_once : int
        Size of the bucket.
    per_second : float
        How fast it fills again.
    clock : callable
        Monotonic clock in seconds.
    """

    def __init__(self, at_once: int, per_second: float, clock: Callable[[], float]) -> None:
        self._at_once = at_once
        self._per_second = per_second
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def wait_s(self, name: str) -> int:
        """Count a request, and return 0, or after how many seconds it would be allowed."""
        now = self._clock()
        left, since = self._left.get(name, (float(self._at_once), now))
        left = min(self._at_once, left + (now - since) * self._per_second)
        allowed = left >= 1
        if len(self._left) >= _MOST_NAMES and name not in self._left:
            # Too many to remember: forget those who have waited long enough anyway.
            full_s = self._at_once / self._per_second
            self._left = {n: at for n, at in self._left.items() if now - at[1] < full_s}
        self._left[name] = (left - 1 if allowed else left, now)
        return 0 if allowed else math.ceil((1 - left) / self._per_second)
