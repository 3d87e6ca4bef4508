"""Background loader that reads volumes ahead."""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from cowgan.turing.reading.package import Package

Voxels = NDArray[np.uint16]


class Loader:
    """Reads the volumes of a package in a thread, and checks them.

    Parameters
    ----------
    package : Package
        The package.
    """

    def __init__(self, package: Package) -> None:
        self._package = package
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="volumes")
        self._futures: dict[str, Future[Voxels]] = {}

    def prepare(self, cases: Iterable[str]) -> None:
        """Start reading these cases, in this order, and drop all others."""
        wanted = dict.fromkeys(cases)
        for case in [case for case in self._futures if case not in wanted]:
            self._futures.pop(case).cancel()
        for case in wanted:
            self.request(case)

    def request(self, case: str) -> "Future[Voxels]":
        """Return a future with the voxels of a case, shape (z, x, y)."""
        if case not in self._futures:
            self._futures[case] = self._pool.submit(self._package.volume, case)
        return self._futures[case]

    def close(self) -> None:
        """Stop the thread, without waiting for it."""
        self._pool.shutdown(wait=False, cancel_futures=True)
