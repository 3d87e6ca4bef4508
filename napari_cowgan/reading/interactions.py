"""Log of how a reader viewed an image, aggregated into few records."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from napari_cowgan.reading.view import View


class InteractionLog:
    """Sums up the time that each slice was on screen, and lists changes of the view.

    Parameters
    ----------
    record : callable
        Called with one record: ``slice_ms`` (by index along z), ``mip_ms``, and ``changes``, a list
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
        """Start the log of a new case."""
        self._slices = set()
        self._used_mip = False
        self._shown_at = self._since = self._clock()
        self._clear()
        self._set_view(view)

    def change(self, view: View) -> None:
        """Log a change of the view."""
        before = self._view
        if before is None:
            return
        self._add_time()
        at = round((self._clock() - self._shown_at) * 1000)
        old, new = vars(before), vars(view)
        self._changes += [[at, name, new[name]] for name in new if old[name] != new[name]]
        self._set_view(view)

    def rest(self) -> None:
        """Record what is logged; the image is no longer on screen."""
        self.flush()
        self._view = None

    def resume(self, view: View) -> None:
        """Resume after a pause."""
        self._since = self._clock()
        self._set_view(view)

    def flush(self) -> None:
        """Record what is logged so far."""
        if self._view is None:
            return
        self._add_time()
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

    def _set_view(self, view: View) -> None:
        self._view = view
        if view.mip:
            self._used_mip = True
        else:
            self._slices.add(view.slice)

    def _add_time(self) -> None:
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
