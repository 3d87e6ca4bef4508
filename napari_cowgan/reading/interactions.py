"""What a reader did with the image, gathered into few records."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from napari_cowgan.reading.view import View


class InteractionLog:
    """Adds up how long each slice was on screen, and lists every change of the view.

    Parameters
    ----------
    record : callable
        Takes one record: ``slice_ms`` (by index along z), ``mip_ms``, and ``changes``, a list
        of [ms since the case was shown, name of a `View` field, its new value].
    clock : callable, optional
        Monotonic clock in seconds.
    """

    def __init__(
        self, record: Callable[..., None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._record = record
        self._clock = clock
        self._view: View | None = None
        self._slices: set[int] = set()
        self._used_mip = False
        self._shown_at = self._since = 0.0
        self._clear()

    def begin(self, view: View) -> None:
        """Start anew: a case has appeared."""
        self._slices = set()
        self._used_mip = False
        self._shown_at = self._since = self._clock()
        self._clear()
        self._look(view)

    def change(self, view: View) -> None:
        """Take note that the view changed."""
        before = self._view
        if before is None:
            return
        self._settle()
        at = round((self._clock() - self._shown_at) * 1000)
        old, new = vars(before), vars(view)
        self._changes += [[at, name, new[name]] for name in new if old[name] != new[name]]
        self._look(view)

    def rest(self) -> None:
        """Write what has gathered; the image is no longer on screen."""
        self.flush()
        self._view = None

    def resume(self, view: View) -> None:
        """Go on after a pause."""
        self._since = self._clock()
        self._look(view)

    def flush(self) -> None:
        """Write what has gathered."""
        if self._view is None:
            return
        self._settle()
        if self._changes or self._slice_s or self._mip_s:
            self._record(
                slice_ms={str(z): round(s * 1000) for z, s in sorted(self._slice_s.items())},
                mip_ms=round(self._mip_s * 1000),
                changes=self._changes,
            )
        self._clear()

    def seen(self, n_slices: int) -> float | None:
        """Return the share of slices that were on screen; None if a projection showed them all."""
        return None if self._used_mip else len(self._slices) / n_slices

    def _look(self, view: View) -> None:
        self._view = view
        if view.mip:
            self._used_mip = True
        else:
            self._slices.add(view.slice)

    def _settle(self) -> None:
        assert self._view is not None
        now = self._clock()
        if self._view.mip:
            self._mip_s += now - self._since
        else:
            self._slice_s[self._view.slice] += now - self._since
        self._since = now

    def _clear(self) -> None:
        self._slice_s: defaultdict[int, float] = defaultdict(float)
        self._mip_s = 0.0
        self._changes: list[list[Any]] = []
