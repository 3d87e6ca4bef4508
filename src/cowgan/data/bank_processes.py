"""Work shared out to processes, with results in order."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from cowgan.errors import CowganError

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD_PER_JOB = 2


def map_in_order(
    function: Callable[[Item], Result], items: Sequence[Item], jobs: int = 1
) -> Generator[Result, None, None]:
    """Yield ``function(item)`` of every item, in order, however many processes work.

    Parameters
    ----------
    function : callable
        Picklable if `jobs` exceeds 1.
    items : sequence
        Picklable if `jobs` exceeds 1. Only a few are under way at a time, so results do
        not pile up.
    jobs : int
        Processes; 1 works in this one. More than 1 needs a main module that can be
        imported, as ``multiprocessing`` does on all systems when it spawns.

    Raises
    ------
    CowganError
        From the function, or because a process was killed or `jobs` is below 1.
    """
    if jobs < 1:
        raise CowganError(f"At least 1 process is needed, not {jobs}.")
    if jobs == 1:
        yield from map(function, items)
        return
    # Spawned and not forked: the caller may hold threads, Qt or a CUDA context.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(items) or 1), context, _begin_worker)
    try:
        under_way: deque[Future[Result]] = deque()
        for item in items:
            under_way.append(pool.submit(function, item))
            if len(under_way) > _AHEAD_PER_JOB * jobs:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    except BrokenProcessPool as error:
        raise CowganError(
            "One of the processes ended unexpectedly, perhaps for lack of memory; "
            "try again with fewer.",
            repr(error),
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_worker() -> None:
    # Ctrl+C reaches every process of a terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent was killed, which the pool alone would not notice."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
